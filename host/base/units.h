// Sizes and durations as people write them in configuration and on the command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace hookhost {

constexpr std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
constexpr std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
constexpr std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }

// "250ms", "10s", "5m", "2h", "30d", and sums such as "1m30s"; "0" needs no unit. Error: usage, saying what was expected.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
// The shortest form that parse_duration reads back: "1m30s".
[[nodiscard]] std::string format_duration(Duration duration);

// "512", "16KiB", "1MiB", "20GiB", "1TiB"; also kB, MB, GB (powers of 1000). Error: usage.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);  // "1.5 GiB"

}  // namespace hookhost
