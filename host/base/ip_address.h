// IP addresses and networks as plain values: what the configuration allows and what an outgoing connection is about to use.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost {

struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // in network order; of an IPv4 address the first four

  // Dotted decimal with four parts, or any form of RFC 4291; no zone, no brackets, no octal or short forms.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) { return {false, {a, b, c, d}}; }
  [[nodiscard]] std::string text() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// "10.0.0.0/8", "fd00::/8"; a lone address is a network of one.
struct Network {
  IpAddress address;
  unsigned prefix_bits = 0;

  [[nodiscard]] bool contains(const IpAddress& other) const;
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Network&, const Network&) = default;
};

// Error: usage, with what a network looks like; bits behind the prefix that are not zero are an error too.
[[nodiscard]] Result<Network> parse_network(std::string_view text);

}  // namespace hookhost
