// Offsets of events that were read past, ascending: where a lane finds its own again without reading everything between. Threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/types.h"

namespace hookhost::delivery {

class Places {
 public:
  [[nodiscard]] bool empty() const { return first_ == offsets_.size(); }
  [[nodiscard]] std::size_t size() const { return offsets_.size() - first_; }
  [[nodiscard]] Offset front() const { return offsets_[first_]; }
  [[nodiscard]] Offset operator[](std::size_t index) const { return offsets_[first_ + index]; }

  void push_back(Offset offset) { offsets_.push_back(offset); }

  // Those of `offsets` come before all that are here.
  void give_back(const std::vector<Offset>& offsets) {
    if (offsets.size() <= first_) {
      first_ -= offsets.size();
      std::copy(offsets.begin(), offsets.end(), offsets_.begin() + static_cast<std::ptrdiff_t>(first_));
    } else {
      offsets_.erase(offsets_.begin(), offsets_.begin() + static_cast<std::ptrdiff_t>(first_));
      offsets_.insert(offsets_.begin(), offsets.begin(), offsets.end());
      first_ = 0;
    }
  }

  void pop_front() {
    ++first_;
    if (first_ == offsets_.size()) return clear();
    if (first_ < kSlack || first_ < offsets_.size() / 2) return;
    offsets_.erase(offsets_.begin(), offsets_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  void clear() {
    offsets_ = {};
    first_ = 0;
  }

 private:
  static constexpr std::size_t kSlack = 256;

  std::vector<Offset> offsets_;
  std::size_t first_ = 0;
};

}  // namespace hookhost::delivery
