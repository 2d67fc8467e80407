// Tells what a subscriber that began does not get: how many events before its place match it and were not handed to it by a replay that is done. It
// is only told, never delivered. A replay may begin amid them, reach beyond, be narrowed, or be done twice, so its end does not change the number: the
// event log is read again.
// Those that ask while the event log is read share the next reading, at a cost of what they match.
// Threads: the loop; the reading is a job.
#pragma once

#include <memory>
#include <vector>

#include "delivery/core.h"
#include "delivery/filter.h"

namespace hookhost::delivery {

// What a replay handed over: all in [from, until) that passes.
struct Replayed {
  Offset from, until;
  std::shared_ptr<const EventFilter> filter;

  [[nodiscard]] bool has(const EventHead& head) const { return head.offset >= from && head.offset < until && filter->passes(head); }
};

// Of one subscriber, since the process started.
struct EarlierCount {
  Offset until;                    // all of them lie below it; 0: nobody counts them
  std::vector<Replayed> replayed;  // with no more than these they are
  std::uint64_t events = 0;
};

class EarlierEvents {
 public:
  explicit EarlierEvents(Core& core) : core_(core) {}

  // It begins now, where it stands. The answer comes into the runner's earlier(), later.
  void count(Runner& runner);
  // What it has got of them has changed.
  void count_again(Runner& runner);

 private:
  struct Question {
    std::weak_ptr<Runner> runner;
    SubscriberId id;
    std::vector<Pattern> events;
    std::optional<std::string> team;
    EarlierCount earlier;
    bool is_first = true;
    bool is_known = false;
  };
  void ask(Runner& runner, bool is_first);
  void read();
  static void look(EventFeed& feed, std::vector<Question>& questions);
  void tell(const std::vector<Question>& questions);

  Core& core_;
  std::vector<Question> waiting_;
  bool reading_ = false;
};

}  // namespace hookhost::delivery
