#include "delivery/scanner.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/thread_name.h"

namespace hookhost::delivery {
namespace {

// What lies this close behind another one is reached by reading on.
constexpr std::uint64_t kNearEvents = 32;

Result<Scan> read_only(EventCursor& cursor, const ScanRequest& request) {
  Scan out;
  std::size_t bytes = 0;
  const auto end = request.only.end();
  for (auto at = request.only.begin(); at != end && bytes < request.bytes_max;) {
    auto last = at;
    while (std::next(last) != end && std::next(last)->distance_from(*last) <= kNearEvents) ++last;
    auto wanted = at;
    const HeadFilter wants = [&](const EventHead& head) {
      while (wanted != end && *wanted < head.offset) ++wanted;
      return wanted != end && *wanted == head.offset;
    };
    HOOKHOST_TRY(auto scan, cursor.scan(*at, last->next(), SIZE_MAX, request.bytes_max - bytes, SIZE_MAX, wants));
    if (scan.next <= *at) break;
    out.next = scan.next;
    for (auto& event : scan.events) {
      bytes += event->body.size();
      out.events.push_back(std::move(event));
    }
    at = std::lower_bound(at, end, scan.next);
  }
  return out;
}

Result<Scan> serve(EventFeed& feed, const ScanRequest& request) {
  if (!request.place->cursor) {
    HOOKHOST_TRY(request.place->cursor, feed.cursor());
  }
  if (!request.only.empty()) return read_only(*request.place->cursor, request);
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
