#include "state/position_code.h"

#include "base/assert.h"

namespace hookhost::state {

std::string encode_offsets(const std::vector<Offset>& ascending) {
  std::string out;
  std::uint64_t last = 0;
  for (const Offset offset : ascending) {
    HOOKHOST_ASSERT(offset.value >= last);
    std::uint64_t distance = offset.value - last;
    for (; distance >= 0x80; distance >>= 7) out += static_cast<char>(0x80 | (distance & 0x7f));
    out += static_cast<char>(distance);
    last = offset.value;
  }
  return out;
}

std::optional<std::vector<Offset>> decode_offsets(std::string_view bytes) {
  std::vector<Offset> out;
  std::uint64_t last = 0, distance = 0;
  int shift = 0;
  for (const char c : bytes) {
    const std::uint64_t bits = static_cast<unsigned char>(c) & 0x7f;
    if (shift > 63 || (shift == 63 && bits > 1)) return std::nullopt;
    distance |= bits << shift;
    shift += 7;
    if ((static_cast<unsigned char>(c) & 0x80) != 0) continue;
    if (distance > UINT64_MAX - last) return std::nullopt;
    last += distance;
    out.emplace_back(last);
    distance = 0;
    shift = 0;
  }
  if (shift != 0) return std::nullopt;
  return out;
}

}  // namespace hookhost::state
