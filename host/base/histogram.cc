#include "base/histogram.h"

#include <algorithm>

#include "base/assert.h"

namespace hookhost {

Histogram::Histogram(std::span<const double> bounds) : bounds_(bounds.begin(), bounds.end()) {
  HOOKHOST_ASSERT(bounds_.size() < kBucketsMax);
  HOOKHOST_ASSERT(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  const auto bucket = static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot out;
  out.bounds = bounds_;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) {
    out.count += buckets_[i].load(std::memory_order_relaxed);
    out.buckets.push_back(out.count);
  }
  out.sum = sum_.load(std::memory_order_relaxed);
  return out;
}

}  // namespace hookhost
