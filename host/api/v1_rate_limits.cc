#include "api/v1_rate_limits.h"

namespace hookhost::api {
namespace {

constexpr Duration kWindow = std::chrono::minutes{1};

std::optional<std::uint32_t> limit_of(V1Rate rate, const V1RateLimits& limits) {
  switch (rate) {
    case V1Rate::high: return limits.high;
    case V1Rate::medium: return limits.medium;
    case V1Rate::low: return limits.low;
    case V1Rate::publish: return limits.publish;
    case V1Rate::none: break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<V1RateLimiter::Refusal> V1RateLimiter::take(const std::string& team, V1Rate rate, const V1RateLimits& limits) {
  const auto limit = limit_of(rate, limits);
  if (!limit) return std::nullopt;
  const MonotonicTime now = clock_.monotonic();
  const std::scoped_lock lock(mutex_);
  Window& window = windows_[team].at(static_cast<std::size_t>(rate));
  if (window.begin == MonotonicTime{} || now - window.begin >= kWindow) window = {now, 0};
  if (window.calls < *limit) {
    ++window.calls;
    return std::nullopt;
  }
  const Duration left = window.begin + kWindow - now;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  return Refusal{static_cast<std::uint64_t>(seconds), clock_.wall() + left};
}

}  // namespace hookhost::api
