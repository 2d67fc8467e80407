// Tasks for later, by monotonic time. Threads: one.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace hookhost::delivery {

class Timers {
 public:
  void at(MonotonicTime when, std::function<void()> task) {
    heap_.push_back({when, std::move(task)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  [[nodiscard]] std::optional<MonotonicTime> next() const {
    return heap_.empty() ? std::nullopt : std::optional(heap_.front().when);
  }

  // Runs what is due. Tasks may add others; those run in the next round.
  void run(MonotonicTime now) {
    std::vector<std::function<void()>> due;
    while (!heap_.empty() && heap_.front().when <= now) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      due.push_back(std::move(heap_.back().task));
      heap_.pop_back();
    }
    for (auto& task : due) task();
  }

 private:
  struct Item {
    MonotonicTime when;
    std::function<void()> task;
  };
  static bool later(const Item& left, const Item& right) { return left.when > right.when; }

  std::vector<Item> heap_;
};

}  // namespace hookhost::delivery
