// How many requests are open over all endpoints. Each takes descriptors, of which those that receive must never run out, so there is a bound; and
// as receivers that hang keep theirs for long, the bound is shared out so that they cannot have all of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace hookhost::endpoints {

// A party is a team, or an endpoint that is of none. Whoever has requests open gets another while it has less than its share of what is free
// (dynamic thresholds, Choudhury and Hahne 1998): a party as much as it leaves, of that an endpoint a quarter of what its party may still have.
// So the more there are that hang, the less each of them may have. The last eighth is for parties that have none open.
//
// Threads: every function from every thread.
class OpenRequests {
 public:
  explicit OpenRequests(std::size_t max) : max_(max) {}

  // `own`: how many the same endpoint has open. False: not now.
  [[nodiscard]] bool take(const std::string& party, std::size_t own) {
    const std::scoped_lock lock(mutex_);
    const std::size_t free = max_ - open_;
    if (free == 0) return false;
    std::size_t& of_party = of_parties_[party];
    if (of_party > 0 && (of_party + kept() >= free || own * kShare >= free - kept() - of_party)) return false;
    ++of_party;
    ++open_;
    return true;
  }
  void give_back(const std::string& party, std::size_t count = 1) {
    const std::scoped_lock lock(mutex_);
    open_ -= count;
    if (const auto found = of_parties_.find(party); (found->second -= count) == 0) of_parties_.erase(found);
  }
  // As many as one that is alone is never refused.
  [[nodiscard]] std::size_t of_one_max() const { return std::max<std::size_t>(1, (max_ - kept()) / (kShare + 2)); }

 private:
  static constexpr std::size_t kShare = 4, kKept = 8;
  [[nodiscard]] std::size_t kept() const { return max_ / kKept; }

  const std::size_t max_;
  std::mutex mutex_;
  std::size_t open_ = 0;
  std::unordered_map<std::string, std::size_t> of_parties_;  // those that have any
};

}  // namespace hookhost::endpoints
