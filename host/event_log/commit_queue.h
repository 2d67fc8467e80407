// Encoded records that wait for the commit thread: bounded, so that a disk that stands still becomes 503 and not memory.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"

namespace hookhost::event_log {

using AppendDone = std::function<void(Result<Offset>)>;

struct PendingRecord {
  std::string record;  // header and payload
  WallTime received_at;
  AppendDone done;
};

// Threads: push() from every thread, take() from one.
class CommitQueue {
 public:
  CommitQueue(std::size_t records_max, std::size_t bytes_max) : records_max_(records_max), bytes_max_(bytes_max) {}

  // False when it is full or closed; the record is untouched then.
  [[nodiscard]] bool push(PendingRecord& pending);
  // Waits until there is something, `at_most` has passed, or close(); then swaps everything into `out` (cleared first). False: closed and
  // empty.
  [[nodiscard]] bool take(std::vector<PendingRecord>& out, Duration at_most);
  void close();

 private:
  const std::size_t records_max_;
  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<PendingRecord> waiting_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace hookhost::event_log
