// The events of one stream that were read and are not finished, in order of offset: what a position is made of. Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/types.h"

namespace hookhost::delivery {

class Window {
 public:
  using Slot = std::uint64_t;

  struct Entry {
    Offset offset;
    WallTime received_at;
    std::uint32_t pending = 0;  // the caller's number
    bool done = false;
  };

  // Offsets are added in ascending order.
  Slot add(Offset offset, WallTime received_at, std::uint32_t pending) {
    entries_.push_back({offset, received_at, pending, false});
    return first_ + entries_.size() - 1;
  }

  void finish(Slot slot) {
    entries_[slot - first_].done = true;
    ++done_;
    while (!entries_.empty() && entries_.front().done) {
      entries_.pop_front();
      ++first_;
      --done_;
    }
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // How many are done but stand above one that is not.
  [[nodiscard]] std::size_t done_above() const { return done_; }
  // Everything below it is finished; `read`: the place up to which the stream has read.
  [[nodiscard]] Offset frontier(Offset read) const { return entries_.empty() ? read : entries_.front().offset; }
  // The oldest one that is not finished.
  [[nodiscard]] const Entry* oldest() const { return entries_.empty() ? nullptr : &entries_.front(); }

  [[nodiscard]] std::vector<Offset> done_offsets() const {
    std::vector<Offset> out;
    out.reserve(done_);
    if (done_ == 0) return out;
    for (const auto& entry : entries_) {
      if (entry.done) out.push_back(entry.offset);
    }
    return out;
  }

 private:
  std::deque<Entry> entries_;
  Slot first_ = 0;
  std::size_t done_ = 0;
};

}  // namespace hookhost::delivery
