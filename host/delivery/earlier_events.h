// Tells, once, what a subscriber that begins now does not get: how many events before its place match it. It is only told, never delivered.
// Those that ask while the event log is read share the next reading, at a cost of what they match.
// Threads: the loop; the reading is a job.
#pragma once

#include <memory>
#include <vector>

#include "delivery/core.h"

namespace hookhost::delivery {

class EarlierEvents {
 public:
  explicit EarlierEvents(Core& core) : core_(core) {}

  // The answer comes to the runner's set_earlier(), later.
  void count(Runner& runner);

 private:
  struct Question {
    std::weak_ptr<Runner> runner;
    SubscriberId id;
    std::vector<Pattern> events;
    std::optional<std::string> team;
    Offset until;
    std::uint64_t count = 0;
  };
  void read();
  static void look(EventFeed& feed, std::vector<Question>& questions);
  void tell(const std::vector<Question>& questions);

  Core& core_;
  std::vector<Question> waiting_;
  bool reading_ = false;
};

}  // namespace hookhost::delivery
