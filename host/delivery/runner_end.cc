// The end of an instance, and calls that do not return from it. A thread inside a plugin cannot be ended, so the next instance starts beside it; its
// lane stays closed to that one.
#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/notes.h"
#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

// How long a call gets to end when its instance is replaced after a fault.
constexpr Duration kFaultGrace = std::chrono::seconds{2};

const Error kRestarted{ErrorCode::unavailable, "the instance was restarted; try again"};
const Error kStopped{ErrorCode::unavailable, "the subscriber was stopped; try again"};

}  // namespace

void Runner::forget_memory() {
  note_stragglers();
  if (main_) lanes_at_rest_ = blocked_keys();
  replay_.reset();
  side_.reset();
  main_.reset();
  ready_.clear();
  pool_ = PendingPool{};
  set_live(false);
  holding_ = false;
  in_flight_ = fetching_ = side_out_ = 0;
  took_ = Duration::zero();
  availability_ = Availability{};
}

// After a fault: the instance's memory may be ahead of what is committed, so a new one begins there.
void Runner::restart(const std::string& reason) {
  if (phase_ != Phase::running) return;
  ++counts_.restarts;
  note_error(reason);
  diagnose(Level::warn, "delivery", "a new instance starts from the committed state: " + reason, {{"subscriber", row_.id.value}});
  replace_instance();
}

void Runner::replace_instance() {
  if (commit_phase_ == CommitPhase::quiescing || commit_phase_ == CommitPhase::checkpointing) {  // its answer may never come
    ++commit_serial_;
    commit_phase_ = CommitPhase::idle;
    fail_waiters(batch_waiters_, kRestarted);
  }
  Changes kept;
  kept.row = changes_.row;  // what the operator ordered stays ordered
  kept.row_waiters = std::move(changes_.row_waiters);
  if (kept.row || !kept.row_waiters.empty()) kept.since = core_.now;
  if (replay_ && replay_->cancelled) changes_.waiters.push_back(std::move(replay_->cancelled));
  fail_waiters(changes_.waiters, kRestarted);
  changes_ = std::move(kept);
  forget_memory();
  auto ordered = row_;
  row_ = committed_row_;
  row_.condition = ordered.condition;
  row_.reason = ordered.reason;
  row_.changed_at = ordered.changed_at;
  row_.plan = ordered.plan;
  take_back_stop();
  stop_instance(core_.now + kFaultGrace);
}

// A stop that was not committed is decided anew: what led there is delivered again.
void Runner::take_back_stop() {
  const auto& sent = commit_phase_ == CommitPhase::committing && batch_.row ? *batch_.row : committed_row_;
  const Notes notes = Notes::parse(sent.plan);
  run_ = notes.run;
  gone_ = notes.gone;
  run_events_.clear();
  if (row_.condition != state::Condition::stopped || sent.condition == state::Condition::stopped) return;
  row_.condition = sent.condition;
  row_.reason = sent.reason;
  row_.changed_at = sent.changed_at;
}

void Runner::stopped(const std::vector<std::uint64_t>& still_run) {
  phase_ = Phase::none;
  keep_stragglers(still_run);
  touch();
  if (draining_) return;  // drain_step() goes on
  const Duration pause = before_start_.empty() ? restart_pause() : Duration::zero();
  core_.timers.at(core_.now + pause, [weak = weak_from_this(), generation = generation_] {
    const auto self = weak.lock();
    if (self && self->generation_ == generation && !self->draining_) self->restart_when_quiet();
  });
}

void Runner::drain(MonotonicTime deadline, std::function<void()> done) {
  if (subscriber_ == nullptr) {
    done();
    return;
  }
  draining_ = true;
  drain_deadline_ = deadline;
  auto earlier = std::move(drained_);
  drained_ = [earlier = std::move(earlier), done = std::move(done)] {
    if (earlier) earlier();
    done();
  };
  if (main_) {
    take_back_ready();
    if (live_) leave_live(core_.live_end);
    changes_.position = true;
    changed();
  }
  touch();
}

void Runner::drain_step() {
  // How long a commit that does not come keeps the end waiting.
  constexpr Duration kLastCommit = std::chrono::seconds{2};
  if (phase_ == Phase::starting) {
    if (core_.now < drain_deadline_) return wake_at(drain_deadline_);
    stop_instance(core_.now);  // a start that hangs is written off: it has nothing to commit
    return;
  }
  if (phase_ == Phase::stopping) return;
  if (phase_ == Phase::running) {
    if (in_flight_ > 0 && core_.now < drain_deadline_) return wake_at(drain_deadline_);
    if (has_changes() || !commit_idle()) {
      if (core_.now < drain_deadline_ + kLastCommit) {
        changes_.urgent = true;
        commit_if_due();
        if (has_changes() || !commit_idle()) return wake_at(drain_deadline_ + kLastCommit);
      }
    }
    if (!commit_idle()) {
      ++commit_serial_;
      commit_phase_ = CommitPhase::idle;
      fail_waiters(batch_waiters_, Error{ErrorCode::unavailable, "the commit did not end in time"});
    }
    for (auto* waiters : {&changes_.waiters, &changes_.row_waiters}) fail_waiters(*waiters, kStopped);
    changes_ = Changes{};
    forget_memory();
    row_.position = committed_row_.position;
    row_.token = committed_row_.token;
    stop_instance(drain_deadline_);
    return;
  }
  phase_ = Phase::none;
  if (!before_start_.empty()) return write_orders();  // what the operator ordered meanwhile stays ordered
  draining_ = false;
  subscriber_.reset();
  ++generation_;
  tell_start(fail(kStopped));
  if (auto done = std::exchange(drained_, nullptr)) done();
}

// --- Calls that outlive it ----------------------------------------------------------------------------------------------------------------

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
  if (const auto given_up = std::exchange(standing_, nullptr)) {
    const std::scoped_lock lock(given_up->mutex);
    given_up->stands = false;
  }
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
