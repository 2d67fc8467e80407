// Paths of calls and the patterns of routes. Private to the room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hookhost::api {

// "/api/subscribers/crm/pause" -> {"api", "subscribers", "crm", "pause"}.
using Path = std::vector<std::string>;

[[nodiscard]] Path split_path(std::string_view path);
// "*" in the pattern stands for any one part.
[[nodiscard]] bool is_like(const Path& path, const Path& pattern);

}  // namespace hookhost::api
