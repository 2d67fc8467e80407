// The project that `hookhost plugin new NAME` writes.
#pragma once

#include <string>

#include "base/result.h"

namespace hookhost::app {

// Makes the directory with its files. Error: usage (the name), refused (the directory is there).
[[nodiscard]] Result<> write_plugin_project(const std::string& directory, const std::string& name, bool in_c);

}  // namespace hookhost::app
