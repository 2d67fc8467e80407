// Tells appenders what became of their records on a thread of its own: while answers are written, the next batch is on its way to the disk.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "event_log/commit_queue.h"

namespace hookhost::event_log {

// Threads: give() from one, the commit thread. Order: answers are given in the order of give().
class AnswerQueue {
 public:
  AnswerQueue();
  ~AnswerQueue();  // as close()
  AnswerQueue(const AnswerQueue&) = delete;
  AnswerQueue& operator=(const AnswerQueue&) = delete;

  // `first`: the offset of the first one, the others follow it; or the error of all. A few, with nothing before them, are answered at once on the
  // caller's thread: waking another one would take longer.
  void give(std::vector<AppendDone> answers, Result<Offset> first);
  // Everything is answered, the thread is gone. Idempotent.
  void close();

 private:
  using Batch = std::pair<std::vector<AppendDone>, Result<Offset>>;
  static void answer(Batch& batch);
  void run();

  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<Batch> waiting_;
  bool busy_ = false, closed_ = false;
  std::thread thread_;
};

}  // namespace hookhost::event_log
