// What the operator asks.
#include "delivery/runner.h"

namespace hookhost::delivery {

Offset Runner::next_position() const {
  if (!main_) return row_.position.frontier;
  return live_ ? core_.live_end : main_->read();
}

void Runner::set_condition(state::Condition condition, std::string reason, Done done) {
  row_.condition = condition;
  row_.reason = std::move(reason);
  row_.changed_at = core_.wall;
  changes_.row = true;
  if (live_ && condition != state::Condition::live) leave_live(core_.live_end);
  commit_soon(std::move(done));
}

void Runner::leave_configuration(Done done) {
  if (row_.condition != state::Condition::detached) before_detached_ = row_.condition;
  set_condition(state::Condition::detached, "no longer in the configuration", std::move(done));
}

void Runner::return_to_configuration(Done done) {
  const auto condition = before_detached_.value_or(state::Condition::live);
  before_detached_.reset();
  set_condition(condition, condition == state::Condition::live ? "" : "as it was when it left the configuration", std::move(done));
}

void Runner::resume(Done done) {
  if (row_.condition == state::Condition::stopped) {
    recovering_ = true;
    row_.failed_run = 0;
  }
  if (phase_ == Phase::running) {
    holding_ = true;  // fed again when the held ones stand before their lanes
    set_condition(state::Condition::live, {}, [weak = weak_from_this(), done = std::move(done)](const Result<>& result) {
      done(result);
      // Order: after the commit, so that what was parked a moment ago is among them.
      if (const auto self = weak.lock(); self && self->holding_) self->load_held();
    });
    return;
  }
  set_condition(state::Condition::live, {}, std::move(done));  // the start that comes, or is under way, loads what is held
}

// Puts what is held before everything else of its lanes.
void Runner::load_held() {
  using Held = std::vector<std::pair<state::StreamId, event_log::EventPtr>>;
  holding_ = true;
  auto answer = bound([](Runner& self, const std::shared_ptr<Result<Held>>& held) {
    if (!*held) {
      self.note_error(held->error().message);
      self.core_.timers.at(self.core_.now + std::chrono::seconds{1}, [weak = self.weak_from_this(), generation = self.generation_] {
        if (const auto again = weak.lock(); again && again->generation_ == generation) again->load_held();
      });
      return;
    }
    self.holding_ = false;
    for (const auto& [stream, event] : held->value()) {
      Stream* to = self.stream_of(stream);
      if (to == nullptr) continue;
      to->set_now(self.core_.now);
      to->add_prior(*event, true);
    }
    self.touch();
  });
  core_.jobs.run([&feed = core_.feed, &store = core_.store, id = row_.id, answer] {
    const auto load = [&]() -> Result<Held> {
      Held held;
      HOOKHOST_TRY(auto rows, store.parked({id, state::ParkedRow::Kind::held, {}, {}, 0, {}}));
      for (const auto& [subscriber, row] : rows) {
        HOOKHOST_TRY(auto copy, store.parked_one(id, row.stream, row.offset));
        if (!copy) continue;
        HOOKHOST_TRY(auto event, feed.decode(copy->event, row.offset));
        held.emplace_back(row.stream, std::move(event));
      }
      return held;
    };
    answer(std::make_shared<Result<Held>>(load()));
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

void Runner::retry_dead_letter(state::StreamId stream, const event_log::EventPtr& event, const Done& done) {
  Stream* to = stream_of(stream);
  if (to != nullptr) {
    to->set_now(core_.now);
    to->add_prior(*event, false);
    touch();
    return done(success());
  }
  // Its replay has ended: the subscriber's own stream delivers it from now on.
  state::ParkedRow row;
  row.stream = state::kMainStream;
  row.offset = event->offset;
  row.id = event->id;
  row.type = event->type;
  row.reason = "retried";
  row.parked_at = core_.wall;
  row.event = core_.feed.encode(*event);
  changes_.batch.parked.push_back(std::move(row));
  changes_.batch.parked_erased.emplace_back(stream, event->offset);
  commit_soon([weak = weak_from_this(), event, done](const Result<>& result) {
    const auto self = weak.lock();
    if (result && self && self->main_) {
      self->main_->set_now(self->core_.now);
      self->main_->add_prior(*event, false);
      self->touch();
    }
    done(result);
  });
}

void Runner::erase_parked(state::StreamId stream, Offset offset, Done done) {
  changes_.batch.parked_erased.emplace_back(stream, offset);
  if (dead_letters_ > 0) --dead_letters_;
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

// One that was cancelled goes on; its lanes are in the store.
void Runner::resume_replay(const state::ReplayRow& row, const Done& done) {
  using Lanes = std::shared_ptr<Result<std::vector<state::LaneRow>>>;
  auto answer = bound([row, done](Runner& self, const Lanes& lanes) {
    if (!*lanes) return done(fail(lanes->error()));
    if (self.replay_) return done(fail(ErrorCode::conflict, "another replay of this subscriber runs"));
    self.changes_.replay = true;
    self.set_replay(row, lanes->value());
    self.commit_soon(done);
  });
  core_.jobs.run([&store = core_.store, id = row_.id, answer] {
    const auto load = [&]() -> Result<std::vector<state::LaneRow>> {
      HOOKHOST_TRY(auto loaded, store.load(id));
      return loaded ? std::move(loaded->lanes) : std::vector<state::LaneRow>{};
    };
    answer(std::make_shared<Result<std::vector<state::LaneRow>>>(load()));
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
    if (replay_) {
      batch.replays.push_back(replay_->row);
      batch.replays.back().state = "cancelled";
      batch.replays.back().finished_at = core_.wall;
    }
  }
  if (row.from >= row.until) {  // nothing to read: what follows comes to it as to any other
    row.state = "done";
    row.finished_at = core_.wall;
  }
  batch.replays.push_back(std::move(row));
  row_.condition = state::Condition::live;
  row_.reason.clear();
  row_.changed_at = batch.row->changed_at;
  recovering_ = false;
  before_start_.push_back([&store = core_.store, batch = std::move(batch), done] {
    auto result = store.commit_now(batch);
    done(result);
    return result;
  });
  if (phase_ == Phase::running) {
    restart("the operator moved its position");
  } else {
    restart_when_quiet();
  }
}

void Runner::cancel_replay(Done done) {
  if (!replay_) return done(fail(ErrorCode::not_found, "no replay runs for " + row_.id.value));
  replay_->cancelling = true;
  replay_->cancelled = std::move(done);
  touch();
}

}  // namespace hookhost::delivery
