// Whether a plugin's file may be trusted: nobody but root and the host's user can have changed it.
#pragma once

#include <string>

#include "base/result.h"
#include "os/file_system.h"

namespace hookhost::plugins {

// The path without links. Error: permission, with the command that helps; not_found. The file and its directory must not be writable by others,
// nor any directory on the way unless it has the sticky bit; owner root or the host's user, of links on the way, too.
[[nodiscard]] Result<std::string> check_file(os::FileSystem& files, const std::string& path);

}  // namespace hookhost::plugins
