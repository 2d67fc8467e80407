// How many requests are open over all endpoints. Each takes descriptors, of which those that receive must never run out, so there is a bound; and
// as receivers that hang keep theirs for long, the bound is shared out so that they cannot have all of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>

namespace hookhost::endpoints {

// Whoever has requests open gets another while it has less than a quarter of what is free (dynamic thresholds, Choudhury and Hahne 1998): the
// more there are that hang, the less each of them may have. The last eighth is for those that have none open.
//
// Threads: every function from every thread.
class OpenRequests {
 public:
  explicit OpenRequests(std::size_t max) : max_(max) {}

  // `own`: how many the same owner has open. False: not now.
  [[nodiscard]] bool take(std::size_t own) {
    const std::scoped_lock lock(mutex_);
    const std::size_t free = max_ - open_;
    if (free == 0 || (own > 0 && own * kShare + kept() >= free)) return false;
    ++open_;
    return true;
  }
  void give_back() {
    const std::scoped_lock lock(mutex_);
    --open_;
  }
  // As many as one that is alone is never refused.
  [[nodiscard]] std::size_t of_one_max() const { return std::max<std::size_t>(1, (max_ - kept()) / (kShare + 1)); }

 private:
  static constexpr std::size_t kShare = 4, kKept = 8;
  [[nodiscard]] std::size_t kept() const { return max_ / kKept; }

  const std::size_t max_;
  std::mutex mutex_;
  std::size_t open_ = 0;
};

}  // namespace hookhost::endpoints
