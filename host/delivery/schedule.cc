#include "delivery/schedule.h"

#include <algorithm>
#include <string>

namespace hookhost::delivery {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Schedule schedule_kakiyo() { return {seconds{1}, seconds{2}, seconds{4}}; }

Schedule schedule_standard() {
  return {seconds{5}, minutes{5}, minutes{30}, hours{2}, hours{5}, hours{10}, hours{14}, hours{20}, hours{24}};
}

Schedule schedule_days() {
  return {seconds{1}, seconds{5}, seconds{30}, minutes{2}, minutes{10}, minutes{30}, hours{2}, hours{6}, hours{12}, hours{24}};
}

Result<Schedule> schedule_named(std::string_view name) {
  if (name == "kakiyo") return schedule_kakiyo();
  if (name == "standard") return schedule_standard();
  if (name == "days") return schedule_days();
  return fail(ErrorCode::usage, "there is no schedule named '" + std::string(name) + "': use kakiyo, standard, days or a list of delays");
}

std::uint64_t Jitter::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

Duration Jitter::around(Duration delay) {
  constexpr std::int64_t kSteps = 4001;  // 80.00 % to 120.00 % in steps of 0.01 %
  const auto step = static_cast<std::int64_t>(next() % kSteps);
  // Divided first: a day in nanoseconds times 12,000 would leave 64 bits.
  return delay / 10'000 * (8'000 + step);
}

std::optional<Duration> retry_delay(const Schedule& schedule, std::uint32_t failures, std::optional<Duration> wished, Wish wish, Jitter& jitter) {
  if (failures == 0 || failures > schedule.size()) return std::nullopt;
  const Duration planned = jitter.around(schedule[failures - 1]);
  if (!wished) return planned;
  const Duration asked = std::clamp(*wished, Duration::zero(), kRetryAfterMax);
  return wish == Wish::lengthens ? std::max(asked, planned) : asked;
}

Duration until_due(WallTime due, WallTime now, const Schedule& schedule) {
  Duration longest = kRetryAfterMax;
  for (const auto delay : schedule) longest = std::max(longest, delay / 5 * 6);
  return std::clamp(Duration{due - now}, Duration::zero(), longest);
}

}  // namespace hookhost::delivery
