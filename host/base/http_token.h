// A token of RFC 9110 section 5.6.2: what a header's name, and a method, may be.
#pragma once

#include <string_view>

namespace hookhost {

[[nodiscard]] constexpr bool is_http_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!plain && kOthers.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

}  // namespace hookhost
