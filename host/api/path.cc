#include "api/path.h"

#include <algorithm>

#include "api/arguments.h"
#include "base/bytes.h"

namespace hookhost::api {

Path split_path(std::string_view path) {
  Path out;
  while (!path.empty()) {
    const auto slash = path.find('/', 1);
    out.emplace_back(path.substr(1, slash == std::string_view::npos ? slash : slash - 1));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
  }
  return out;
}

std::optional<Path> decoded_path(std::string_view path) {
  Path out = split_path(path);
  for (std::string& part : out) {
    auto decoded = url_decode(part);
    if (!decoded || !is_valid_utf8(*decoded)) return std::nullopt;
    part = std::move(*decoded);
  }
  return out;
}

bool is_like(const Path& path, const Path& pattern) {
  return std::equal(path.begin(), path.end(), pattern.begin(), pattern.end(), [](const auto& part, const auto& wanted) { return wanted == "*" ? !part.empty() : part == wanted; });
}

}  // namespace hookhost::api
