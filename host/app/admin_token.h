// The admin API's token as it lies in data_dir/admin.token, for the host that made it and for the commands that show it.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace hookhost::app {

// nullopt: there is none yet. Error: invalid_config, when it cannot travel in a header; what keeps the file from being read.
[[nodiscard]] Result<std::optional<std::string>> stored_admin_token(const std::string& data_dir);
// Makes one that is hard to guess, in place of none. Error: of the disk.
[[nodiscard]] Result<std::string> make_admin_token(const std::string& data_dir);

}  // namespace hookhost::app
