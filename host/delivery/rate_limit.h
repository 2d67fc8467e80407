// A token bucket: at most `rate` a second, with what gathers in a tenth of a second as its burst. Threads: one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/clock.h"

namespace hookhost::delivery {

class RateLimit {
 public:
  explicit RateLimit(double per_second = 0) : rate_(per_second), tokens_(burst()) {}

  [[nodiscard]] std::size_t available(MonotonicTime now) {
    if (rate_ <= 0) return SIZE_MAX;
    if (last_ != MonotonicTime{}) tokens_ = std::min(burst(), tokens_ + rate_ * std::chrono::duration<double>(now - last_).count());
    last_ = now;
    return static_cast<std::size_t>(tokens_);
  }
  void take() {
    if (rate_ > 0) tokens_ -= 1;
  }
  // When the next one will be there.
  [[nodiscard]] MonotonicTime next(MonotonicTime now) const {
    if (rate_ <= 0 || tokens_ >= 1) return now;
    return now + Duration(static_cast<std::int64_t>(std::ceil(std::min((1 - tokens_) / rate_, kWaitSecondsMax) * 1e9)));
  }

 private:
  static constexpr double kWaitSecondsMax = 86'400;  // a rate may be as good as none; then it is asked again
  [[nodiscard]] double burst() const { return std::max(1.0, rate_ / 10); }

  double rate_;
  double tokens_;
  MonotonicTime last_{};
};

}  // namespace hookhost::delivery
