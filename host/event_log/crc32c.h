// CRC-32C (Castagnoli, RFC 3720 appendix B.4), with SSE4.2 where the machine has it. crc32c("123456789") is 0xe3069283.
#pragma once

#include <cstdint>
#include <string_view>

namespace hookhost::event_log {

[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);
// The portable way, for tests of the other one.
[[nodiscard]] std::uint32_t crc32c_table(std::string_view bytes, std::uint32_t before = 0);

}  // namespace hookhost::event_log
