// How many requests are open over all endpoints. Each takes descriptors, of which those that receive must never run out, so there is a bound; and
// as receivers that hang keep theirs for long, the bound is shared out so that they cannot have all of it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace hookhost::endpoints {

// A party is a team, or an endpoint that is of none. Whoever has requests open gets another while it has less than its share of what is free
// (dynamic thresholds, Choudhury and Hahne 1998): a party as much as it leaves, of that an endpoint a quarter of what its party may still have.
// So the more there are that hang, the less each of them may have. The last eighth is for parties that have none open.
//
// Threads: every function from every thread.
class OpenRequests {
 public:
  explicit OpenRequests(std::size_t max, const Clock& clock = system_clock()) : max_(max), clock_(clock) {}

  // `own`: how many the same endpoint has open. False: not now.
  [[nodiscard]] bool take(const std::string& party, std::size_t own) {
    const std::scoped_lock lock(mutex_);
    free_due();
    const std::size_t left = max_ - open_;
    if (left == 0) return false;
    std::size_t& of_party = of_parties_[party];
    if (of_party > 0 && (of_party + kept() >= left || own * kShare >= left - kept() - of_party)) return false;
    ++of_party;
    ++open_;
    return true;
  }
  // `looking_up`: of so many of them the name is still looked up, which nobody can end: they count as open for as long as that usually takes at most.
  void give_back(const std::string& party, std::size_t count, std::size_t looking_up = 0) {
    const std::scoped_lock lock(mutex_);
    free(party, count - looking_up);
    if (looking_up > 0) later_.push_back({clock_.monotonic() + kLookupMax, party, looking_up});
  }
  // As many as one that is alone is never refused.
  [[nodiscard]] std::size_t of_one_max() const { return std::max<std::size_t>(1, (max_ - kept()) / (kShare + 2)); }

 private:
  static constexpr std::size_t kShare = 4, kKept = 8;
  static constexpr Duration kLookupMax = std::chrono::seconds{30};  // three name servers, two tries of five seconds each (resolv.conf(5))
  struct Later {
    MonotonicTime at;
    std::string party;
    std::size_t count;
  };

  [[nodiscard]] std::size_t kept() const { return max_ / kKept; }
  void free(const std::string& party, std::size_t count) {
    open_ -= count;
    if (const auto found = of_parties_.find(party); (found->second -= count) == 0) of_parties_.erase(found);
  }
  void free_due() {
    for (; !later_.empty() && later_.front().at <= clock_.monotonic(); later_.pop_front()) free(later_.front().party, later_.front().count);
  }

  const std::size_t max_;
  const Clock& clock_;
  std::mutex mutex_;
  std::size_t open_ = 0;
  std::unordered_map<std::string, std::size_t> of_parties_;  // those that have any
  std::deque<Later> later_;                                  // in the order of their time
};

}  // namespace hookhost::endpoints
