// When a failed delivery is tried again. A schedule is data: the delays after the first, second, ... failed attempt. After the last one the
// event is exhausted: a schedule of n delays means n + 1 attempts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hookhost::delivery {

using Schedule = std::vector<Duration>;

[[nodiscard]] Schedule schedule_kakiyo();    // 1s 2s 4s
[[nodiscard]] Schedule schedule_standard();  // 5s 5m 30m 2h 5h 10h 14h 20h 24h
[[nodiscard]] Schedule schedule_days();      // 1s 5s 30s 2m 10m 30m 2h 6h 12h 24h
// Error: usage, naming the three.
[[nodiscard]] Result<Schedule> schedule_named(std::string_view name);

// Random numbers for jitter: reproducible from a seed (splitmix64). Not for secrets. One thread.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : state_(seed) {}
  // `delay` plus or minus 20 %.
  [[nodiscard]] Duration around(Duration delay);
  [[nodiscard]] std::uint64_t next();

 private:
  std::uint64_t state_;
};

// What the subscriber itself asks for is kept within these bounds.
inline constexpr Duration kRetryAfterMax = std::chrono::hours{24};

// What a wish is to the schedule. A plugin's own delay is its author's and replaces it; a receiver's Retry-After only lengthens it, or a short one
// would use up all attempts at once.
enum class Wish : std::uint8_t { replaces, lengthens };

// The pause after `failures` failed attempts (from 1): the schedule's delay with jitter, and what the subscriber wishes. nullopt: exhausted.
[[nodiscard]] std::optional<Duration> retry_delay(const Schedule& schedule, std::uint32_t failures, std::optional<Duration> wished, Wish wish, Jitter& jitter);

// How long from now until a stored due time. The wall clock may have been set meanwhile: never longer than the longest pause that the
// schedule could have asked for.
[[nodiscard]] Duration until_due(WallTime due, WallTime now, const Schedule& schedule);

}  // namespace hookhost::delivery
