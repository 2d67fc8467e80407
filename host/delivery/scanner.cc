#include "delivery/scanner.h"

#include <utility>

#include "base/thread_name.h"

namespace hookhost::delivery {
namespace {

Result<Scan> serve(EventFeed& feed, const ScanRequest& request) {
  if (!request.place->cursor) {
    HOOKHOST_TRY(request.place->cursor, feed.cursor());
  }
  return request.place->cursor->scan(request.from, request.until, request.events_max, request.bytes_max, kScanLookedMax, request.wants);
}

}  // namespace

void Scanner::start() {
  thread_ = std::thread([this] { work(); });
}

void Scanner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Scanner::request(ScanRequest request) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    waiting_.push_back(std::move(request));
  }
  changed_.notify_one();
}

void Scanner::work() {
  name_this_thread("scan");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto request = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    request.answer(serve(feed_, request));
    request = {};
    lock.lock();
  }
}

}  // namespace hookhost::delivery
