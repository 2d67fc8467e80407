// What a URL says, read as a request would read it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost::http_client {

struct Url {
  std::string scheme;  // lower case
  std::string host;    // numbers of every form as dotted decimal, IPv6 without brackets
  std::string port;    // given or the scheme's own
  bool has_user = false;
};

// Error: usage, without the URL, which may hold a secret: what is no URL of RFC 3986 with a scheme, "//" and a host that can be one.
[[nodiscard]] Result<Url> parse_url(const std::string& text);

}  // namespace hookhost::http_client
