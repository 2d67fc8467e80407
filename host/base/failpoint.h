// Failpoints: named places where a test can end the process or make an operation fail, as etcd's gofail does.
//
//   HOOKHOST_FAILPOINT("event_log.before_sync");
//
// The environment variable HOOKHOST_FAILPOINTS arms them at the first use: "event_log.before_sync=kill@3,state.commit=error" kills the
// process (SIGKILL) at the third pass, and makes failpoint_error() true at each pass ("error@3+": from the third on).
// Unarmed, a failpoint costs one relaxed load.
#pragma once

#include <atomic>
#include <string_view>

namespace hookhost {
namespace detail {
extern std::atomic<bool> failpoints_armed;
bool reach_failpoint(std::string_view name) noexcept;
}  // namespace detail

// Arms from a specification of the form above, replacing what was armed; an empty one disarms. False when it cannot be read.
bool arm_failpoints(std::string_view specification);

// True when the failpoint is armed with "error" and its count has come. Kills the process when it is armed with "kill".
inline bool failpoint_error(std::string_view name) noexcept {
  return detail::failpoints_armed.load(std::memory_order_relaxed) && detail::reach_failpoint(name);
}

}  // namespace hookhost

#define HOOKHOST_FAILPOINT(name) static_cast<void>(::hookhost::failpoint_error(name))
