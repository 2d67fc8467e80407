#include "state/position_code.h"

#include "base/assert.h"
#include "state/varint.h"

namespace hookhost::state {

std::string encode_offsets(const std::vector<Offset>& ascending) {
  std::string out;
  std::uint64_t last = 0;
  for (const Offset offset : ascending) {
    HOOKHOST_ASSERT(offset.value >= last);
    put_varint(offset.value - last, out);
    last = offset.value;
  }
  return out;
}

std::optional<std::vector<Offset>> decode_offsets(std::string_view bytes) {
  std::vector<Offset> out;
  std::uint64_t last = 0;
  while (!bytes.empty()) {
    const auto distance = take_varint(bytes);
    if (!distance || *distance > UINT64_MAX - last) return std::nullopt;
    last += *distance;
    out.emplace_back(last);
  }
  return out;
}

}  // namespace hookhost::state
