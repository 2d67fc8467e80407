// Time behind an interface that tests can turn. Wall time names moments (records, due times that survive a restart); monotonic time
// measures (timers, deadlines): it never jumps.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost {

using Duration = std::chrono::nanoseconds;
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// Threads: both functions may be called from every thread. They do not block.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual MonotonicTime monotonic() const = 0;
};

// The machine's clocks. One instance serves everybody.
[[nodiscard]] const Clock& system_clock();

// A clock that stands still until told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{std::chrono::seconds{1'700'000'000}}) : wall_(start) {}
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] MonotonicTime monotonic() const override;
  void advance(Duration by);    // both clocks
  void step_wall(Duration by);  // somebody set the clock; may be negative
 private:
  mutable std::mutex mutex_;
  WallTime wall_;
  MonotonicTime monotonic_{std::chrono::seconds{1000}};
};

// "2026-11-23T09:30:00.000000000Z": RFC 3339, UTC, always nine decimals.
[[nodiscard]] std::string to_rfc3339(WallTime time);

// ISO 8601 / RFC 3339: "2026-11-23", "2026-11-23T09:30", "...:00", "...:00.25", with "Z", "+01:00" or no zone, which means UTC.
// Error: usage, naming what was expected.
[[nodiscard]] Result<WallTime> parse_time(std::string_view text);

// Nanoseconds since 1970 in UTC, the form in records and in the plugin ABI.
[[nodiscard]] constexpr std::int64_t to_unix_ns(WallTime time) { return time.time_since_epoch().count(); }
[[nodiscard]] constexpr WallTime from_unix_ns(std::int64_t ns) { return WallTime{Duration{ns}}; }

}  // namespace hookhost
