// A YAML value as JSON text, by the YAML 1.2 core schema: `yes` and `012` stay texts, 0x1f and 1e3 are numbers, .inf and .nan are refused.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

#include "config/yaml_section.h"

namespace hookhost::config {

// Problems are added under `path`; the answer is then not to be used.
[[nodiscard]] std::string yaml_to_json(const YAML::Node& node, const std::string& path, Problems& problems);

}  // namespace hookhost::config
