// Numbers seven bits a byte, the lowest first, the high bit where more follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hookhost::state {

inline void put_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(0x80 | (value & 0x7f));
  out += static_cast<char>(value);
}

// Taken off `rest`; nullopt: there is none.
inline std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  std::uint64_t out = 0;
  for (int shift = 0; !rest.empty() && shift <= 63; shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    const std::uint64_t bits = byte & 0x7f;
    if (shift == 63 && bits > 1) return std::nullopt;
    rest.remove_prefix(1);
    out |= bits << shift;
    if ((byte & 0x80) == 0) return out;
  }
  return std::nullopt;
}

}  // namespace hookhost::state
