// The thread that reads the event log for whoever is not live: catch-up, replays, drains and single events. Requests are served in turn and
// each reads a bounded piece, so that no subscriber waits for another's backlog. Answers are called on this thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "delivery/event_feed.h"

namespace hookhost::delivery {

// A reader that goes along with one stream. Made by the caller, used on the scanner's thread alone.
struct ScanPlace {
  std::unique_ptr<EventCursor> cursor;
};

struct ScanRequest {
  std::shared_ptr<ScanPlace> place;
  Offset from, until;
  std::size_t events_max = 0;
  std::size_t bytes_max = 0;
  HeadFilter wants;
  std::function<void(Result<Scan>)> answer;
  std::vector<Offset> only = {};  // not empty: these alone are read, ascending, up to bytes_max of their bodies; removed is not told
};

// Threads: request() from every thread; it does not block.
class Scanner {
 public:
  explicit Scanner(EventFeed& feed) : feed_(feed) {}
  ~Scanner() { stop(); }
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  void start();
  void stop();  // drops what waits
  void request(ScanRequest request);

 private:
  void work();

  EventFeed& feed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ScanRequest> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

// How many events one request looks at, at most.
inline constexpr std::size_t kScanLookedMax = 32'768;

}  // namespace hookhost::delivery
