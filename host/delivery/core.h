// What all runners of one engine share. Everything here but the inbox, the jobs and the scanner belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/event_feed.h"
#include "delivery/inbox.h"
#include "delivery/jobs.h"
#include "delivery/options.h"
#include "delivery/scanner.h"
#include "delivery/schedule.h"
#include "delivery/timers.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

class Runner;

using Done = std::function<void(Result<>)>;

// After what could not be read.
inline constexpr Duration kReadAgain = std::chrono::seconds{1};

struct Core {
  Core(EventFeed& f, state::DeliveryStore& s, const Clock& c, EngineOptions o);

  EventFeed& feed;
  state::DeliveryStore& store;
  const Clock& clock;
  const EngineOptions options;
  const std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();  // outlives the engine in the hands of late callers
  Timers timers;
  Jobs jobs;
  Scanner scanner;
  Jitter jitter;
  std::shared_ptr<ScanPlace> singles = std::make_shared<ScanPlace>();  // fetches of single events
  MonotonicTime now{};                                                 // of this round
  WallTime wall{};
  Offset live_end;                                                     // live subscribers were offered everything below it; goes back to where one joins them
  MonotonicTime join_at{};                                             // when those that start and are behind join the live ones next
  std::size_t live_count = 0;                                          // how many subscribers are live
  std::vector<std::weak_ptr<Runner>> touched;                          // want to be pumped this round
  std::vector<std::weak_ptr<Runner>> reordered;                        // may take up another order now
  std::vector<std::weak_ptr<Runner>> earlier_changed;                  // a replay gave them of what lies before the place where they began
};

}  // namespace hookhost::delivery
