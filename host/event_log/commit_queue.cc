#include "event_log/commit_queue.h"

namespace hookhost::event_log {

bool CommitQueue::push(PendingRecord& pending) {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_ || waiting_.size() >= records_max_ || bytes_ + pending.record.size() > bytes_max_) return false;
    wake = waiting_.empty();
    bytes_ += pending.record.size();
    waiting_.push_back(std::move(pending));
  }
  if (wake) filled_.notify_one();
  return true;
}

bool CommitQueue::take(std::vector<PendingRecord>& out, Duration at_most) {
  out.clear();
  std::unique_lock lock(mutex_);
  filled_.wait_for(lock, at_most, [&] { return closed_ || !waiting_.empty(); });
  out.swap(waiting_);
  bytes_ = 0;
  return !out.empty() || !closed_;
}

void CommitQueue::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  filled_.notify_one();
}

}  // namespace hookhost::event_log
