// A YAML value as JSON text, by the YAML 1.2 core schema: `yes` stays a text, 0x1f, 012 (twelve) and 1e3 are numbers, .inf, .nan,
// merge keys and foreign tags are refused.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

#include "config/yaml_section.h"

namespace hookhost::config {

// With `expand`, ${NAME} in texts is replaced (the result stays a text); without, it stays as it is written. Problems are added under `path`; the answer is then not to be used.
[[nodiscard]] std::string yaml_to_json(const YAML::Node& node, const std::string& path, bool expand, Problems& problems);

}  // namespace hookhost::config
