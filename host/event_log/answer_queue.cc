#include "event_log/answer_queue.h"

#include "base/thread_name.h"

namespace hookhost::event_log {
namespace {

constexpr std::size_t kFew = 4;

}  // namespace

AnswerQueue::AnswerQueue() : thread_([this] { run(); }) {}
AnswerQueue::~AnswerQueue() { close(); }

void AnswerQueue::give(std::vector<AppendDone> answers, Result<Offset> first) {
  Batch batch(std::move(answers), std::move(first));
  {
    std::unique_lock lock(mutex_);
    if (busy_ || !waiting_.empty() || batch.first.size() > kFew) {
      waiting_.push_back(std::move(batch));
      lock.unlock();
      filled_.notify_one();
      return;
    }
  }
  answer(batch);
}

void AnswerQueue::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  filled_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void AnswerQueue::answer(Batch& batch) {
  auto& [answers, first] = batch;
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i](first ? Result<Offset>(first.value().plus(i)) : Result<Offset>(fail(first.error())));
}

void AnswerQueue::run() {
  name_this_thread("answers");
  std::vector<Batch> batches;
  std::unique_lock lock(mutex_);
  for (;;) {
    busy_ = false;
    filled_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    batches.clear();
    batches.swap(waiting_);
    busy_ = true;
    lock.unlock();
    for (Batch& batch : batches) answer(batch);
    lock.lock();
  }
}

}  // namespace hookhost::event_log
