// Batches: what changed since the last one, made durable together.
//
//   idle -> (quiescing ->) (preparing -> checkpointing ->) committing -> idle
//
// A batch is built at one moment and covers exactly what was completed by then; calls go on meanwhile and gather for the next. Only before a
// checkpoint a serial instance rests, so that none returns between the two.
#include <algorithm>

#include "base/diagnostics.h"
#include "base/failpoint.h"
#include "delivery/notes.h"
#include "delivery/prepared.h"
#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

// Uncommitted kv that stops handing over until a commit has ended.
constexpr std::uint64_t kKvBytesMax = 16ULL << 20;
constexpr Duration kNeededEvery = std::chrono::milliseconds{500};

}  // namespace

void Runner::changed() {
  if (!changes_.since) changes_.since = core_.now;
}

void Runner::commit_soon(Done done) {
  changes_.waiters.push_back(std::move(done));
  changes_.urgent = true;
  changed();
  touch();
}

std::uint32_t Runner::uncommitted_max() const {
  const std::uint32_t wished = subscriber_ ? subscriber_->traits().uncommitted_max : 0;
  return wished > 0 ? wished : 4 * core_.options.commit_outcomes_max;
}

bool Runner::may_submit_more() const {
  return changes_.outcomes + batch_outcomes_ < uncommitted_max() && changes_.kv_bytes + batch_kv_bytes_ < kKvBytesMax;
}

bool Runner::has_changes() const {
  return changes_.since.has_value() || (main_ && main_->dirty()) || (side_ && side_->dirty());
}

void Runner::write_position() {
  if (!main_ || !live_ || has_changes() || core_.now < position_written_ + core_.options.position_interval) return;
  position_written_ = core_.now;
  if (core_.live_end == committed_row_.position.frontier) return;
  changes_.position = true;
  changed();
  touch();
}

void Runner::commit_if_due() {
  if (!commit_idle() || !has_changes()) return;
  // A start may be applying what a checkpoint covered: a row with the position before that must not come after it.
  if (phase_ == Phase::starting || writes_orders_) return;
  changed();
  const auto due = *changes_.since + core_.options.commit_interval;
  // At half of what may be uncommitted, so that calls go on while a batch is written.
  const auto enough = std::min(core_.options.commit_outcomes_max, uncommitted_max() / 2);
  if (!changes_.urgent && changes_.outcomes < enough && core_.now < due) return wake_at(due);
  if (phase_ == Phase::running && subscriber_->traits().has_checkpoint && !changes_.covered.empty()) {
    commit_phase_ = CommitPhase::quiescing;
    return subscriber_->quiesce(bound_commit([](Runner& self, const Result<>& quiet) {
      self.commit_phase_ = CommitPhase::idle;
      if (quiet && self.phase_ == Phase::running) self.commit_quietly();
    }));
  }
  batch_ = build_batch();
  send_commit();
}

void Runner::commit_quietly() {
  batch_ = build_batch();
  batch_.token = ++row_.token;
  batch_.patient = false;  // the instance waits for it
  if (batch_.row) batch_.row->token = row_.token;
  send_prepared();
}

state::Batch Runner::build_batch() {
  if (main_) {
    if (live_) main_->advance(core_.live_end);
    while (main_->window().done_above() > core_.options.done_above_max && main_->demote_oldest(core_.wall)) {
    }
  }
  while (side_ && side_->window().done_above() > core_.options.done_above_max && side_->demote_oldest(core_.wall)) {
  }
  state::Batch batch = std::move(changes_.batch);
  batch.subscriber = row_.id;
  if (!changes_.covered.empty() && row_.reset_pending) {
    row_.reset_pending = false;
    changes_.row = true;
  }
  if (main_) {
    main_->collect(batch.lanes, batch.lanes_erased);
    row_.position = main_->position();
    batch.position = row_.position;
  }
  if (side_) {
    side_->collect(batch.lanes, batch.lanes_erased);
    replay_->row.position = side_->position();
    batch.replays.push_back(replay_->row);
  }
  if (!batch.lanes.empty() && !order_noted_) {
    order_noted_ = options_.order_by;
    changes_.row = true;
  }
  if (changes_.row) {
    row_.plan = Notes{run_, recovering_, gone_, before_detached_, order_noted_}.text();
    batch.row = row_;
  }
  if (changes_.tally) batch.tally = row_.tally;
  batch.patient = !changes_.urgent && changes_.waiters.empty() && !draining_;
  batch_covered_ = std::move(changes_.covered);
  std::sort(batch_covered_.begin(), batch_covered_.end());
  batch_waiters_ = std::move(changes_.waiters);
  std::move(changes_.row_waiters.begin(), changes_.row_waiters.end(), std::back_inserter(batch_waiters_));
  batch_outcomes_ = changes_.outcomes;
  batch_kv_bytes_ = changes_.kv_bytes;
  // Walking the lanes costs; an older answer is a smaller one, which is safe.
  batch_needed_ = needed_;
  if (main_ && (core_.now >= needed_at_ + kNeededEvery || draining_)) {
    needed_at_ = core_.now;
    batch_needed_ = main_->oldest_needed();
    if (side_) batch_needed_ = std::min(batch_needed_, side_->oldest_needed());
  }
  changes_ = Changes{};
  ++batch_number_;
  return batch;
}

void Runner::send_prepared() {
  commit_phase_ = CommitPhase::preparing;
  state::Batch prepared;
  prepared.subscriber = row_.id;
  prepared.durable = true;
  prepared.prepared = encode_batch(batch_);
  core_.store.commit(std::move(prepared), bound_commit([](Runner& self, Result<> result) {
    if (!result || self.phase_ != Phase::running) return self.committed(result ? Result<>(fail(ErrorCode::cancelled, "the instance was replaced")) : result);
    self.send_checkpoint();
  }));
}

void Runner::send_checkpoint() {
  commit_phase_ = CommitPhase::checkpointing;
  HOOKHOST_FAILPOINT("delivery.before_checkpoint");
  subscriber_->checkpoint({*batch_.token, batch_covered_}, bound_commit([](Runner& self, Result<> result) {
    if (!result) return self.committed(fail(result.error().code, "the checkpoint was refused: " + result.error().message));
    HOOKHOST_FAILPOINT("delivery.after_checkpoint");
    self.batch_.prepared = std::string{};
    self.send_commit();
  }));
}

void Runner::send_commit() {
  commit_phase_ = CommitPhase::committing;
  if (failpoint_error("delivery.commit")) {
    return core_.inbox->post([answer = bound_commit([](Runner& self, Result<> result) { self.committed(std::move(result)); })]() mutable {
      answer(fail(ErrorCode::io_error, "failpoint delivery.commit"));
    }), void();
  }
  // What was tried is asked of nobody while it is under way, and is the most of it.
  auto attempts = std::move(batch_.attempts);
  batch_.attempts.clear();
  state::Batch sent = batch_;
  sent.attempts = std::move(attempts);
  core_.store.commit(std::move(sent), bound_commit([](Runner& self, Result<> result) { self.committed(std::move(result)); }));
}

void Runner::committed(Result<> result) {
  commit_phase_ = CommitPhase::idle;
  ++commit_serial_;
  batch_outcomes_ = 0;
  batch_kv_bytes_ = 0;
  touch();
  if (!result) {
    fail_waiters(batch_waiters_, result.error());
    take_back_stop();
    if (phase_ == Phase::running) {
      restart("the commit failed: " + result.error().message);
    } else if (start_wanted_) {
      restart_when_quiet();
    }
    return;
  }
  if (batch_.row) committed_row_ = *batch_.row;
  if (batch_.tally) committed_row_.tally = *batch_.tally;
  if (batch_.position) committed_row_.position = *batch_.position;
  if (batch_.token) committed_row_.token = *batch_.token;
  needed_ = batch_needed_;
  position_written_ = core_.now;
  if (kv_) kv_->committed(batch_number_ - 1);
  batch_ = state::Batch{};
  for (auto& done : std::exchange(batch_waiters_, {})) done(success());
  if (phase_ != Phase::running) {  // what a next row says of the place must not be older than what was just written
    row_.position = committed_row_.position;
    row_.token = committed_row_.token;
    row_.handled_any = committed_row_.handled_any;
    row_.failed_run = committed_row_.failed_run;
    row_.reset_pending = committed_row_.reset_pending;
  }
  if (start_wanted_ && !draining_) restart_when_quiet();
}

void Runner::fail_waiters(std::vector<Done>& waiters, const Error& error) {
  for (auto& done : std::exchange(waiters, {})) done(fail(error));
}

}  // namespace hookhost::delivery
