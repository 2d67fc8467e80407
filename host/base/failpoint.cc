#include "base/failpoint.h"

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <unistd.h>

#include "base/bytes.h"

namespace hookhost {
namespace {

struct Armed {
  bool kill = false;
  std::uint64_t at = 0;  // which pass; 0: every one
  bool onward = false;   // and every one after it
  std::uint64_t passes = 0;
};

struct Table {
  std::mutex mutex;
  std::map<std::string, Armed, std::less<>> armed;
};

Table& table() {
  static Table instance;
  return instance;
}

const bool kFromEnvironment = [] {
  const char* specification = std::getenv("HOOKHOST_FAILPOINTS");
  return specification != nullptr && arm_failpoints(specification);
}();

}  // namespace

namespace detail {

std::atomic<bool> failpoints_armed{false};

bool reach_failpoint(std::string_view name) noexcept {
  Table& all = table();
  const std::scoped_lock lock(all.mutex);
  const auto found = all.armed.find(name);
  if (found == all.armed.end()) return false;
  Armed& point = found->second;
  ++point.passes;
  if (point.passes < point.at || (point.at != 0 && !point.onward && point.passes != point.at)) return false;
  if (point.kill) {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }
  return true;
}

}  // namespace detail

bool arm_failpoints(std::string_view specification) {
  std::map<std::string, Armed, std::less<>> armed;
  while (!specification.empty()) {
    const auto comma = specification.find(',');
    std::string_view one = specification.substr(0, comma);
    specification = comma == std::string_view::npos ? std::string_view{} : specification.substr(comma + 1);
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) return false;
    std::string_view action = one.substr(equals + 1);
    Armed point;
    if (const auto at = action.find('@'); at != std::string_view::npos) {
      std::string_view which = action.substr(at + 1);
      point.onward = which.ends_with('+');
      if (point.onward) which.remove_suffix(1);
      const auto count = parse_u64(which);
      if (!count || *count == 0) return false;
      point.at = *count;
      action = action.substr(0, at);
    }
    if (action != "kill" && action != "error") return false;
    point.kill = action == "kill";
    armed.emplace(one.substr(0, equals), point);
  }
  Table& all = table();
  const std::scoped_lock lock(all.mutex);
  all.armed = std::move(armed);
  detail::failpoints_armed.store(!all.armed.empty(), std::memory_order_relaxed);
  return true;
}

}  // namespace hookhost
