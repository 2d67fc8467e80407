// What the operator asks.
#include <algorithm>
#include <tuple>

#include "delivery/notes.h"
#include "delivery/order_change.h"
#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

void carry(const state::ConditionChange& change, state::SubscriberRow& to) {
  to.condition = change.condition;
  to.reason = change.reason;
  to.changed_at = change.changed_at;
  to.failed_run = change.failed_run.value_or(to.failed_run);
}

constexpr Duration kRecountEvery = std::chrono::seconds{1};

}  // namespace

Offset Runner::next_position() const {
  if (!main_) return row_.position.frontier;
  return live_ ? std::max(core_.live_end, main_->read()) : main_->read();
}

void Runner::set_condition(state::Condition condition, std::string reason) {
  row_.condition = condition;
  row_.reason = std::move(reason);
  row_.changed_at = core_.wall;
  ++condition_serial_;
  changes_.row = true;
  if (condition != state::Condition::live) take_back_ready();
  if (live_ && condition != state::Condition::live) leave_live(core_.live_end);
  changes_.urgent = true;
  changed();
  touch();
}

// With the batch that comes, whatever becomes of the instance.
void Runner::commit_row(Done done) { changes_.row_waiters.push_back(std::move(done)); }

// Ahead of the batch that comes: its checkpoint may wait for a call that hangs, or an instance may hang in its start.
void Runner::commit_condition(Done done, std::optional<std::uint32_t> failed_run) {
  const state::ConditionChange change{row_.condition, row_.reason, row_.changed_at, failed_run};
  if (batch_.row) carry(change, *batch_.row);
  core_.store.commit({.subscriber = row_.id, .condition = change},
                     [weak = weak_from_this(), inbox = core_.inbox, change, done = std::move(done)](const Result<>& result) {
    inbox->post([weak, change, done, result] {
      const auto self = weak.lock();
      if (self && result) carry(change, self->committed_row_);
      done(result);
    });
  });
}

void Runner::pause(std::string reason, Done done) {
  set_condition(state::Condition::paused, std::move(reason));
  commit_condition(std::move(done));
}

void Runner::leave_configuration(Done done) {
  if (row_.condition != state::Condition::detached) before_detached_ = row_.condition;
  set_condition(state::Condition::detached, "no longer in the configuration");
  commit_row(std::move(done));
}

void Runner::return_to_configuration(Done done) {
  const auto condition = before_detached_.value_or(state::Condition::live);
  before_detached_.reset();
  set_condition(condition, condition == state::Condition::live ? "" : "as it was when it left the configuration");
  commit_row(std::move(done));
}

void Runner::resume(Done done) {
  probing_ = false;
  const bool was_stopped = row_.condition == state::Condition::stopped;
  if (was_stopped) {
    recovering_ = true;
    probes_ = 0;
    gone_ = false;
    row_.failed_run = 0;
  }
  set_condition(state::Condition::live, {});
  if (phase_ == Phase::running) {  // else the start that comes, or is under way, loads what is held
    holding_ = true;               // fed again when the held ones stand before their lanes
    commit_row([weak = weak_from_this()](const Result<>&) {
      // Order: after the commit, so that what was parked a moment ago is among them.
      if (const auto self = weak.lock(); self && self->holding_) self->load_held();
    });
  }
  commit_condition(std::move(done), was_stopped ? std::optional(row_.failed_run) : std::nullopt);  // the count of failures begins anew
}

// Puts what is held (of one stream) before everything else of its lanes.
void Runner::load_held(std::optional<state::StreamId> only) {
  using Held = std::vector<std::pair<state::ParkedRow, event_log::EventPtr>>;
  holding_ = true;
  auto answer = bound([only, load = ++held_loads_](Runner& self, const std::shared_ptr<Result<Held>>& held) {
    if (load != self.held_loads_) return;
    if (!*held) {
      self.note_error(held->error().message);
      self.core_.timers.at(self.core_.now + kReadAgain, [only, weak = self.weak_from_this(), generation = self.generation_] {
        if (const auto again = weak.lock(); again && again->generation_ == generation) again->load_held(only);
      });
      return;
    }
    self.holding_ = false;
    for (auto& [row, event] : held->value()) self.add_again(std::move(row), event, [](const Result<>&) {});
    self.touch();
  });
  core_.jobs.run([&feed = core_.feed, &store = core_.store, id = row_.id, only, answer] {
    const auto load = [&]() -> Result<Held> {
      Held held;
      HOOKHOST_TRY(auto rows, store.parked({id, state::ParkedRow::Kind::held, {}, {}, 0, {}}));
      for (const auto& [subscriber, row] : rows) {
        if (only && row.stream != *only) continue;
        HOOKHOST_TRY(auto copy, store.parked_one(id, row.stream, row.offset));
        if (!copy) continue;
        HOOKHOST_TRY(auto event, feed.decode(copy->event, row.offset));
        held.emplace_back(std::move(*copy), std::move(event));
      }
      return held;
    };
    answer(std::make_shared<Result<Held>>(load()));
  });
}

// A parked event goes before everything else of its lane. When its replay has ended, the subscriber's own stream delivers it from now on.
void Runner::add_again(state::ParkedRow row, const event_log::EventPtr& event, Done done) {
  const bool held = row.kind == state::ParkedRow::Kind::held;
  if (is_unparked(row.stream, row.offset)) return done(fail(ErrorCode::conflict, "it is delivered again already"));
  if (Stream* to = stream_of(row.stream)) {
    to->set_now(core_.now);
    to->add_prior(*event, held);
    return done(success());
  }
  unpark(row.stream, row.offset);
  row.stream = state::kMainStream;
  row.run = 0;
  changes_.batch.parked.push_back(std::move(row));
  // Order: after the commit, because its copy is fetched from the store.
  commit_soon([weak = weak_from_this(), event, held, done = std::move(done)](const Result<>& result) {
    const auto self = weak.lock();
    if (result && self && self->main_) {
      self->main_->set_now(self->core_.now);
      self->main_->add_prior(*event, held);
      self->touch();
    }
    done(result);
  });
}

// The counts follow each change; where one change was two, or none, the store knows. It is asked now and then.
void Runner::recount_if_due() {
  using Counts = std::pair<std::uint64_t, std::uint64_t>;
  if (!recount_ || !commit_idle() || has_changes()) return;  // the commit's end comes back here
  if (core_.now < recount_at_) return wake_at(recount_at_);
  recount_ = false;
  recount_at_ = core_.now + kRecountEvery;
  auto answer = bound([serial = commit_serial_](Runner& self, const std::shared_ptr<Result<Counts>>& counts) {
    if (*counts && serial == self.commit_serial_ && self.commit_idle() && !self.has_changes()) {
      std::tie(self.dead_letters_, self.held_) = counts->value();
    } else {
      self.recount_ = true;
    }
    self.touch();
  });
  core_.jobs.run([&store = core_.store, id = row_.id, answer] {
    const auto count = [&]() -> Result<Counts> {
      Counts out;
      HOOKHOST_TRY(out.first, store.count_parked(id, state::ParkedRow::Kind::dead));
      HOOKHOST_TRY(out.second, store.count_parked(id, state::ParkedRow::Kind::held));
      return out;
    };
    answer(std::make_shared<Result<Counts>>(count()));
  });
}

bool Runner::retry_now(Offset offset) {
  if (phase_ != Phase::running) return false;
  bool found = false;
  for (Stream* stream : {main_.get(), side_.get()}) {
    if (stream == nullptr) continue;
    stream->set_now(core_.now);
    found = stream->make_due(offset, core_.wall) || found;
  }
  if (found) {
    changed();
    touch();
  }
  return found;
}

void Runner::retry_parked(state::ParkedRow row, const event_log::EventPtr& event, Done done) {
  add_again(std::move(row), event, std::move(done));
  touch();
}

void Runner::erase_parked(state::StreamId stream, Offset offset, Done done) {
  unpark(stream, offset);
  commit_soon(std::move(done));
}

void Runner::begin_replay(state::ReplayRow row, Done done) {
  if (row_.condition == state::Condition::held) {
    row_.condition = state::Condition::live;
    row_.reason.clear();
    row_.changed_at = core_.wall;
    changes_.row = true;
  }
  changes_.replay = true;
  set_replay(std::move(row), {});
  commit_soon(std::move(done));
}

// One that was cancelled goes on. Order: its row and its lanes are read together, here, for a start may have stepped it back since it was looked at.
void Runner::resume_replay(state::StreamId replay, const Done& done) {
  using Kept = std::pair<state::ReplayRow, std::vector<state::LaneRow>>;
  auto answer = bound([done](Runner& self, const std::shared_ptr<Result<Kept>>& kept) {
    if (!*kept) return done(fail(kept->error()));
    if (self.replay_) return done(fail(ErrorCode::conflict, "another replay of this subscriber runs"));
    auto& [row, lanes] = kept->value();
    row.state = "running";
    row.finished_at = {};
    self.changes_.replay = true;
    self.set_replay(row, lanes);
    if (self.held_ > 0 && self.row_.condition == state::Condition::live) self.load_held(row.id);
    self.commit_soon(done);
  });
  core_.jobs.run([&store = core_.store, id = row_.id, replay, answer] {
    const auto load = [&]() -> Result<Kept> {
      HOOKHOST_TRY(auto loaded, store.load(id));
      HOOKHOST_TRY(auto rows, store.replays(id));
      const auto found = std::ranges::find(rows, replay, &state::ReplayRow::id);
      if (found == rows.end() || found->state != "cancelled") return fail(ErrorCode::conflict, "the replay is no longer a cancelled one");
      return Kept{std::move(*found), loaded ? std::move(loaded->lanes) : std::vector<state::LaneRow>{}};
    };
    answer(std::make_shared<Result<Kept>>(load()));
  });
}

void Runner::begin_reset(state::ReplayRow row, Offset position, Done done) {
  state::Batch batch;
  batch.subscriber = row_.id;
  batch.durable = true;
  batch.row = row_;
  batch.row->position = {position, {}};
  batch.row->condition = state::Condition::live;
  batch.row->reason.clear();
  batch.row->changed_at = core_.wall;
  batch.row->handled_any = false;
  batch.row->failed_run = 0;
  if (row.mode == "reset") {
    batch.reset = true;
    batch.row->token = 0;
    batch.row->reset_pending = true;
  }
  if (row.from >= row.until) {  // nothing to read: what follows comes to it as to any other
    row.state = "done";
    row.finished_at = core_.wall;
  }
  batch.replays.push_back(std::move(row));
  start_over(std::move(batch), std::move(done));
}

void Runner::skip_to(Offset position, Done done) {
  state::Batch batch;
  batch.subscriber = row_.id;
  batch.durable = true;
  batch.skip = true;
  batch.row = row_;
  batch.row->position = {position, {}};
  batch.row->condition = state::Condition::live;
  batch.row->reason.clear();
  batch.row->changed_at = core_.wall;
  batch.row->failed_run = 0;
  start_over(std::move(batch), std::move(done));
}

// A new instance begins at what `batch` says, whatever this one still runs.
void Runner::start_over(state::Batch batch, Done done) {
  row_.condition = state::Condition::live;
  row_.reason.clear();
  row_.changed_at = batch.row->changed_at;
  recovering_ = gone_ = false;
  batch.row->plan = Notes{.run = run_, .order = order_noted_}.text();
  row_.plan = batch.row->plan;
  for (const auto& [place, crash] : std::exchange(crashes_, {})) batch.crashes_erased.push_back(place);
  auto tell = [weak = weak_from_this(), inbox = core_.inbox, written = *batch.row, serial = ++condition_serial_, done = std::move(done)](const Result<>& result) {
    inbox->post([weak, written, serial, result] {
      if (const auto self = weak.lock()) self->started_over(written, serial, result);
    });
    done(result);
  };
  before_start_.push_back({[&store = core_.store, batch = std::move(batch), now = core_.wall]() mutable -> Result<> {
    HOOKHOST_TRY(auto loaded, store.load(batch.subscriber));
    HOOKHOST_TRY(auto replays, store.replays(batch.subscriber));
    for (auto& one : replays) {  // those that were cancelled before, too: all lanes go
      if (!loaded || (one.state != "running" && one.state != "cancelled")) continue;
      step_back(one, *loaded);
      if (one.state == "running") one.finished_at = now;
      one.state = "cancelled";
      batch.replays.push_back(std::move(one));
    }
    return store.commit_now(std::move(batch));
  }, std::move(tell)});
  if (phase_ == Phase::running && !draining_) {
    replace_instance();
  } else if (subscriber_ == nullptr && phase_ == Phase::none) {
    write_orders();
  } else {
    restart_when_quiet();  // or when the start or the end that is under way is over
  }
}

// Memory follows the store; what the operator has ordered since then stays ordered.
void Runner::started_over(const state::SubscriberRow& written, std::uint64_t serial, const Result<>& result) {
  const state::ConditionChange now{row_.condition, row_.reason, row_.changed_at, {}};
  const bool is_newer = condition_serial_ != serial;
  if (result) committed_row_ = written;
  row_ = committed_row_;
  read_notes();
  if (is_newer) carry(now, row_);
  if (result && written.reset_pending) {  // it has handled nothing: what lies before its place is earlier once more
    earlier_.replayed.clear();
    earlier_.until = written.position.frontier;
    core_.earlier_changed.push_back(weak_from_this());
  }
}

// No instance comes that would carry them out, or this one is at its end.
void Runner::write_orders() {
  phase_ = Phase::stopping;  // so that none starts amid them
  writes_orders_ = true;
  auto answer = bound([](Runner& self, bool) {
    self.phase_ = Phase::none;
    self.writes_orders_ = false;
    self.touch();
    if (self.draining_) return;  // drain_step() goes on
    if (self.subscriber_ == nullptr && !self.before_start_.empty()) return self.write_orders();
    self.restart_when_quiet();
  });
  core_.jobs.run([orders = std::exchange(before_start_, {}), answer] { answer(carry_out(orders).has_value()); });
}

void Runner::cancel_replay(Done done) {
  if (!replay_) return done(fail(ErrorCode::not_found, "no replay runs for " + row_.id.value));
  replay_->cancelling = true;
  replay_->cancelled = std::move(done);
  touch();
}

}  // namespace hookhost::delivery
