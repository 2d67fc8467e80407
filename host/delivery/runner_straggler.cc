// The stop of an instance, and calls that do not return from it. A thread inside a plugin cannot be ended, so the next instance starts beside it; its
// lane stays closed to that one.
#include <algorithm>

#include "delivery/runner.h"

namespace hookhost::delivery {

// Whatever is out when an instance is given up; its stop says what of it stays.
void Runner::note_stragglers() {
  for (PendingNumber number = 0; number < pool_.places().size(); ++number) {
    const Pending& pending = pool_[number];
    if (pending.used && pending.submitted && pending.event) stragglers_.push_back({generation_, pool_.id(number), pending.event});
  }
}

void Runner::stop_instance(MonotonicTime deadline) {
  phase_ = Phase::stopping;
  ++generation_;
  auto answer = bound([](Runner& self, const std::vector<std::uint64_t>& still_run) { self.stopped(still_run); });
  core_.jobs.run([subscriber = subscriber_, deadline, answer] { answer(subscriber->stop(deadline)); });
}

// Order: what has returned by now is no longer noted, though it still ran when `still_run` was written down.
void Runner::keep_stragglers(const std::vector<std::uint64_t>& still_run) {
  std::erase_if(stragglers_, [&](const Straggler& one) {
    return one.generation + 1 == generation_ && std::find(still_run.begin(), still_run.end(), one.id) == still_run.end();
  });
}

// Never two calls of one lane at once, not even of two instances.
void Runner::close_lanes() {
  closed_lanes_.clear();
  for (const Straggler& one : stragglers_) {
    if (const LaneNumber lane = lane_number(options_.order_by, *one.event); lane != kNoLane) closed_lanes_.insert(lane);
  }
}

// Of an instance that is gone: its outcomes count no more, but they tell that its calls have returned.
void Runner::returned(std::uint64_t generation, const std::vector<Completion>& completions) {
  if (stragglers_.empty()) return;
  for (const auto& completion : completions) {
    std::erase_if(stragglers_, [&](const Straggler& one) { return one.generation == generation && one.id == completion.id; });
  }
  const auto before = closed_lanes_;
  close_lanes();
  for (const LaneNumber lane : before) {
    if (closed_lanes_.contains(lane)) continue;
    for (Stream* stream : {main_.get(), side_.get()}) {
      if (stream == nullptr) continue;
      stream->set_now(core_.now);
      stream->poke(lane);
    }
  }
  touch();
}

}  // namespace hookhost::delivery
