// Counters that any thread may bump and the metrics page reads: plain atomics, so that no room below api knows a metrics library.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace hookhost {

using Counter = std::atomic<std::uint64_t>;

// Counts values in fixed buckets. Threads: observe() and snapshot() from every thread; a snapshot may miss what is being observed.
class Histogram {
 public:
  // `bounds`: upper bounds, ascending, at most 31. A value above the last falls into the unbounded bucket.
  explicit Histogram(std::span<const double> bounds);

  void observe(double value);

  struct Snapshot {
    std::vector<double> bounds;          // without the unbounded one
    std::vector<std::uint64_t> buckets;  // cumulative, one more than bounds
    std::uint64_t count = 0;
    double sum = 0;
  };
  [[nodiscard]] Snapshot snapshot() const;

 private:
  static constexpr std::size_t kBucketsMax = 32;
  std::vector<double> bounds_;
  std::array<std::atomic<std::uint64_t>, kBucketsMax> buckets_{};
  std::atomic<double> sum_{0};
};

}  // namespace hookhost
