// Stopping by itself when too much fails, and coming back.
#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/runner.h"

namespace hookhost::delivery {

void Runner::end_run() {
  row_.failed_run = 0;
  row_.failed_since = {};
  ++run_;
  run_events_.clear();
  changes_.row = true;
}

// Different events count, not one that is retried by hand again and again.
void Runner::count_failure(Offset offset) {
  const bool enough = options_.stop_after != 0 && row_.failed_run >= options_.stop_after;
  if (!enough && !run_events_.insert(offset.value).second) return;
  if (row_.failed_run == 0) row_.failed_since = core_.wall;
  ++row_.failed_run;
  changes_.row = true;
  if (options_.stop_after == 0 || row_.failed_run < options_.stop_after || row_.condition != state::Condition::live) return;
  if (core_.wall - row_.failed_since < options_.stop_after_at_least) return;
  stop_myself(std::to_string(row_.failed_run) + " events in a row failed; the last error: " + last_error_);
}

// The fault is the subscriber's, not the events': those of the run are kept for the resume.
void Runner::stop_myself(std::string reason) {
  row_.condition = state::Condition::stopped;
  row_.changed_at = core_.wall;
  row_.reason = std::move(reason);
  for (auto& parked : changes_.batch.parked) {
    if (parked.run == run_ && parked.kind == state::ParkedRow::Kind::dead) parked.kind = state::ParkedRow::Kind::held;
  }
  changes_.batch.run_to_held = run_;
  const std::uint64_t moved = std::min<std::uint64_t>(row_.failed_run, dead_letters_);
  dead_letters_ -= moved;
  held_ += moved;
  end_run();
  probes_ = 0;
  changes_.urgent = true;
  changed();
  diagnose(Level::error, "delivery", "a subscriber stopped: " + row_.reason + "; after the repair: hookhost " + row_.kind + " resume " + row_.id.value,
           {{"subscriber", row_.id.value}});
  append_own("hookhost.subscriber.stopped", row_.reason);
  plan_probe();
}

void Runner::recovered() {
  recovering_ = probing_ = false;
  probes_ = 0;
  changes_.row = true;
  append_own("hookhost.subscriber.recovered", "it handles events again");
}

void Runner::plan_probe() {
  if (!options_.recovers || gone_ || row_.condition != state::Condition::stopped || phase_ != Phase::running) return;
  Duration pause = core_.options.recovery_delay;
  for (std::uint32_t n = 0; n < probes_ && pause < core_.options.recovery_delay_max; ++n) pause *= 2;
  pause = core_.jitter.around(std::min(pause, core_.options.recovery_delay_max));
  core_.timers.at(core_.now + pause, [weak = weak_from_this(), generation = generation_, stopped_at = row_.changed_at] {
    const auto self = weak.lock();
    if (self && self->generation_ == generation && self->row_.changed_at == stopped_at) self->probe();
  });
}

// A resume with one event at a time, until one is ok. What is held goes first, as in every resume.
void Runner::probe() {
  if (row_.condition != state::Condition::stopped || draining_) return;
  const auto failed_before = probes_;
  resume([](const Result<>&) {});
  probes_ = failed_before;
  probing_ = true;
}

// Back to where it was: the attempt is no more than a look at the receiver.
void Runner::probe_failed(Stream& stream, PendingNumber number) {
  stream.requeue(number);
  probing_ = recovering_ = false;
  ++probes_;
  set_condition(state::Condition::stopped, "tried again and failed: " + last_error_);
  plan_probe();
}

}  // namespace hookhost::delivery
