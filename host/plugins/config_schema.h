// Checks a plugin's configuration against the JSON Schema that the plugin declares.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost::plugins {

// Error: invalid_config; each line names plugins.<instance>.config.<path>. Values are never printed.
[[nodiscard]] Result<> check_config(std::string_view instance, std::string_view schema, std::string_view config);

}  // namespace hookhost::plugins
