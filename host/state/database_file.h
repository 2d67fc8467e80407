// Looking at a database of this room before it is opened.
#pragma once

#include <string>

#include "base/result.h"

namespace hookhost::state {

// Whether what is at `path`, if anything, can be opened: a SQLite database whose first page is sound. Nothing is made, written or locked; what its -wal
// file holds is not looked at. Error: as the opening would say it.
// Precondition: this process has it open nowhere. Closing any descriptor of a file lets go of all locks that the process has on it.
[[nodiscard]] Result<> check_database_file(const std::string& path);

}  // namespace hookhost::state
