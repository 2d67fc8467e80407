// Whether the subscriber's own dependency is up. After an `unavailable` nothing is handed over until a pause has passed; then one event
// probes. No attempt is used up. Threads: one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "delivery/options.h"

namespace hookhost::delivery {

class Availability {
 public:
  [[nodiscard]] bool is_up() const { return failures_ == 0; }
  [[nodiscard]] MonotonicTime until() const { return until_; }
  // How many deliveries may be handed over now, when `in_flight` are out.
  [[nodiscard]] std::size_t allowance(MonotonicTime now, std::size_t wanted) const {
    if (is_up()) return wanted;
    return now >= until_ && !probe_ ? std::min<std::size_t>(wanted, 1) : 0;
  }
  void submitted(std::uint64_t id) {
    if (!is_up()) probe_ = id;
  }
  // Returns true when this begins or prolongs the wait.
  bool down(std::uint64_t id, MonotonicTime now, std::optional<Duration> wish, const EngineOptions& options, Jitter& jitter) {
    if (!is_up() && probe_ != id) return false;  // one of those that were out when it went down
    probe_.reset();
    Duration pause = options.unavailable_delay;
    for (std::uint32_t n = 0; n < failures_ && pause < options.unavailable_delay_max; ++n) pause *= 2;
    pause = jitter.around(std::min(pause, options.unavailable_delay_max));
    if (wish) pause = std::clamp(*wish, Duration::zero(), kRetryAfterMax);
    ++failures_;
    until_ = now + pause;
    return true;
  }
  // It came back without having been called: another one probes.
  void taken_back(std::uint64_t id) {
    if (probe_ == id) probe_.reset();
  }
  // Any other outcome. Returns true when the probe ended the wait.
  bool answered(std::uint64_t id) {
    if (is_up() || probe_ != id) return false;
    *this = Availability{};
    return true;
  }

 private:
  std::uint32_t failures_ = 0;
  MonotonicTime until_{};
  std::optional<std::uint64_t> probe_;
};

}  // namespace hookhost::delivery
