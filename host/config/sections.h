// Reads the parts of the configuration that have rules of their own. Private to the room.
#pragma once

#include <string>

#include "config/config.h"
#include "config/yaml_section.h"

namespace hookhost::config {

struct Reading {
  Problems& problems;
  const Resolve& resolve;
  std::string directory;  // of the file: what paths are relative to

  [[nodiscard]] std::string path(const std::string& text) const;
  // Whether the secrets of this source are wanted; empty: those outside of sources.
  [[nodiscard]] bool wants(const std::string& source) const { return resolve.all || (!source.empty() && resolve.source == source); }
  [[nodiscard]] bool wants_plugin(const std::string& plugin) const { return resolve.all || resolve.plugin == plugin; }
};

[[nodiscard]] Source read_source(const std::string& name, Section section, const Reading& reading);
[[nodiscard]] Plugin read_plugin(const std::string& name, Section section, const Reading& reading);
[[nodiscard]] EndpointDefaults read_endpoint_defaults(Section section);
[[nodiscard]] Endpoint read_endpoint(const std::string& name, Section section, const Reading& reading);
[[nodiscard]] Team read_team(const std::string& name, Section section, const Reading& reading);
[[nodiscard]] Api read_api(Section section);

}  // namespace hookhost::config
