// "host:port" as listeners, Host headers and the configuration write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost {

struct HostPort {
  std::string host;  // IPv6 without brackets; empty: every address of the machine
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// "127.0.0.1:8080", "localhost:8080", "[::1]:8080", ":8080". What stands in brackets is an IPv6 address. Error: usage, with what it looks like.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);

// Whether listeners on both exclude each other: one port, and one address or one that stands for the other's too. Port 0 is a free one.
[[nodiscard]] bool collide(const HostPort& one, const HostPort& other);

}  // namespace hookhost
