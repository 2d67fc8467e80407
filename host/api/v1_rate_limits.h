// How often a team may call. Kakiyo's documented rates: windows of a minute, one for each of three classes of calls, per team; and one of our own
// for publishing, which has no bound unless the configuration gives one. Private to the room, but for V1RateLimits.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace hookhost::api {

// Calls a minute of one team; none: no bound.
struct V1RateLimits {
  std::optional<std::uint32_t> high, medium, low, publish = {};
  [[nodiscard]] static V1RateLimits kakiyo() { return {60, 30, 15, {}}; }
  [[nodiscard]] static V1RateLimits off() { return {}; }
};

enum class V1Rate : std::uint8_t { high, medium, low, publish, none };

// Threads: from every thread. Memory: what the teams that called take; only those whose key was right are told to it.
class V1RateLimiter {
 public:
  explicit V1RateLimiter(const Clock& clock) : clock_(clock) {}

  struct Refusal {
    std::uint64_t retry_after_s = 1;  // rounded up, never 0
    WallTime reset;
  };
  // Counts a call; the refusal when it was one too many.
  [[nodiscard]] std::optional<Refusal> take(const std::string& team, V1Rate rate, const V1RateLimits& limits);

 private:
  struct Window {
    MonotonicTime begin{};
    std::uint32_t calls = 0;
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::array<Window, static_cast<std::size_t>(V1Rate::none)>> windows_;
};

}  // namespace hookhost::api
