#include "api/path.h"

#include <algorithm>

namespace hookhost::api {

Path split_path(std::string_view path) {
  Path out;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (slash != 0) out.emplace_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return out;
}

bool is_like(const Path& path, const Path& pattern) {
  return std::equal(path.begin(), path.end(), pattern.begin(), pattern.end(), [](const auto& part, const auto& wanted) { return wanted == "*" || part == wanted; });
}

}  // namespace hookhost::api
