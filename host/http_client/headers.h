// The header lines of a request, all in one piece of memory: a delivery has a dozen of them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace hookhost::http_client {

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
    for (const auto& [name, value] : headers) add(name, value);
  }

  void reserve(std::size_t bytes) { lines_.reserve(bytes); }
  void add(std::string_view name, std::string_view value);

  // False: a name or value would have ended its line (CR, LF, NUL). Whoever sends refuses such a request as a whole.
  [[nodiscard]] bool are_lines() const { return are_lines_; }
  // "Name: value", or "Name;" for an empty one, which is how libcurl is told of it; a NUL behind each.
  [[nodiscard]] std::string& lines() { return lines_; }
  [[nodiscard]] const std::string& lines() const { return lines_; }

 private:
  std::string lines_;
  bool are_lines_ = true;
};

}  // namespace hookhost::http_client
