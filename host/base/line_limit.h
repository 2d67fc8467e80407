// Keeps a flood of refusals out of the diagnostics: of each subject and reason one line a minute, which says how many were left out.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/error.h"

namespace hookhost {

class LineLimit {
 public:
  explicit LineLimit(const Clock& clock) : clock_(clock) {}

  // The number of lines left out since the last one; nullopt: leave this one out as well. `subject` is one of a few names (a source, a
  // listener): each is remembered for good. Threads: from every thread.
  [[nodiscard]] std::optional<std::uint64_t> pass(std::string_view subject, ErrorCode reason);

 private:
  struct Said {
    MonotonicTime at;
    std::uint64_t left_out = 0;
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::pair<std::string, ErrorCode>, Said> said_;
};

}  // namespace hookhost
