// Paths of calls and the patterns of routes. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hookhost::api {

// "/api/subscribers/crm/pause" -> {"api", "subscribers", "crm", "pause"}.
using Path = std::vector<std::string>;

// A path begins with "/"; each further one begins a part, which may be empty: "//" is no shorter way to write "/".
[[nodiscard]] Path split_path(std::string_view path);
// A request's path, decoded part by part: what is a slash in a name ("%2F") parts nothing. Nothing when it is not well-formed, or no UTF-8: answers
// repeat what they do not find, and JSON is UTF-8.
[[nodiscard]] std::optional<Path> decoded_path(std::string_view path);
// "*" in the pattern stands for any one part that is not empty.
[[nodiscard]] bool is_like(const Path& path, const Path& pattern);

}  // namespace hookhost::api
