// Handing over.
#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

// A replay beside live that is through, but for calls that do not return, lets go of live after this long.
constexpr Duration kReplayPatience = std::chrono::seconds{1};
// What a handler does in about this long may wait in its queue, so that handing over costs little beside the calls.
constexpr Duration kAhead = std::chrono::milliseconds{1};

}  // namespace

void Runner::wake_at(MonotonicTime when) {
  if (wake_ && *wake_ <= when && *wake_ > core_.now) return;
  wake_ = when;
  core_.timers.at(when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->touch();
  });
}

bool Runner::main_allowed() const {
  if (row_.condition != state::Condition::live || draining_ || holding_) return false;
  return !replay_ || !replay_->goes_first || (side_->read() >= replay_->row.until && side_->window().empty());
}

void Runner::pump() {
  touched_ = false;
  if (phase_ == Phase::running) {
    main_->set_now(core_.now);
    if (side_) side_->set_now(core_.now);
    arm_dues(*main_);
    if (side_) arm_dues(*side_);
    if (!draining_) {
      read_main();
      if (side_) read_replay();
      hand_over();
      finish_replay_if_done();
      arm_dues(*main_);
      if (side_) arm_dues(*side_);
    }
  }
  commit_if_due();
  reorder_if_free();
  recount_if_due();
  if (draining_) drain_step();
}

void Runner::arm_dues(Stream& stream) {
  for (const auto& [when, lane] : stream.take_dues()) {
    core_.timers.at(std::max(when, core_.now), [weak = weak_from_this(), generation = generation_, id = stream.id(), lane = lane] {
      const auto self = weak.lock();
      if (!self || self->generation_ != generation) return;
      if (Stream* due = self->stream_of(id)) {
        due->set_now(self->core_.now);
        due->poke(lane);
        self->touch();
      }
    });
  }
}

// --- Handing over --------------------------------------------------------------------------------------------------------------------

std::size_t Runner::submit_window() const {
  const Traits& traits = subscriber_->traits();
  const std::size_t ahead = took_ > Duration::zero() ? static_cast<std::size_t>(kAhead / took_) : 0;
  return std::max<std::size_t>({1, traits.max_in_flight, std::min<std::size_t>(ahead, traits.ahead_max)});
}

void Runner::hand_over() {
  // Read before an outage, or more at once than may probe.
  if (!availability_.is_up() && ready_.size() > availability_.allowance(core_.now, 1)) take_back_ready();
  std::vector<Delivery> out = std::exchange(ready_, {});
  const std::size_t most = submit_window();
  const std::size_t taken = in_flight_ + fetching_;
  std::size_t limit = taken >= most || !may_submit_more() ? 0 : most - taken;
  if (!availability_.is_up()) {
    limit = fetching_ > 0 || !out.empty() ? 0 : availability_.allowance(core_.now, limit);
    if (core_.now < availability_.until()) wake_at(availability_.until());
  }
  if (probing_) limit = taken > 0 || !out.empty() ? 0 : std::min<std::size_t>(limit, 1);
  if (limit > 0 && main_allowed()) {
    take_from(*main_, limit, out);
    const std::size_t now_taken = in_flight_ + fetching_;
    limit = availability_.is_up() && !probing_ ? (now_taken >= most ? 0 : most - now_taken) : (now_taken > taken ? 0 : limit);
  }
  if (limit > 0 && side_ && allowed(*side_)) {
    // Beside live a replay takes half of what may be out, so that live finds room at once.
    if (!replay_->goes_first) {
      const std::size_t share = std::max<std::size_t>(1, most / 2);
      limit = std::min(limit, side_out_ >= share ? 0 : share - side_out_);
    }
    take_from(*side_, limit, out);
  }
  if (out.empty()) return;
  for (const auto& delivery : out) availability_.submitted(delivery.id);
  if (!row_.handled_any) {
    row_.handled_any = true;
    changes_.row = true;
    changed();
  }
  subscriber_->submit(std::move(out));
}

void Runner::take_from(Stream& stream, std::size_t limit, std::vector<Delivery>& out) {
  const bool side = &stream == side_.get();
  for (std::size_t taken = 0; taken < limit; ++taken) {
    if (rate_.available(core_.now) == 0) {
      if (stream.has_listed()) wake_at(rate_.next(core_.now));
      return;
    }
    if (side && replay_->row.rate > 0 && replay_->rate.available(core_.now) == 0) {
      if (stream.has_listed()) wake_at(replay_->rate.next(core_.now));
      return;
    }
    const auto work = stream.take();
    if (!work) return;
    rate_.take();
    if (side) replay_->rate.take();
    if (work->pending == kNoPending) {
      ++fetching_;
      if (side) ++side_out_;
      fetch(stream.id(), *work);
    } else {
      prepare_delivery(stream, work->pending, out);
    }
  }
}

void Runner::fetch(state::StreamId stream, const Stream::Work& work) {
  using Fetched = std::shared_ptr<Result<event_log::EventPtr>>;
  auto answer = bound([stream, work](Runner& self, Fetched event) { self.fetched(stream, work, std::move(*event)); });
  if (work.prior) {
    core_.jobs.run([&feed = core_.feed, &store = core_.store, id = row_.id, stream, offset = work.offset, answer] {
      auto load = [&]() -> Result<event_log::EventPtr> {
        HOOKHOST_TRY(auto copy, store.parked_one(id, stream, offset));
        if (!copy) return event_log::EventPtr{};
        return feed.decode(copy->event, offset);
      };
      answer(std::make_shared<Result<event_log::EventPtr>>(load()));
    });
    return;
  }
  ScanRequest request{core_.singles, work.offset, work.offset.next(), 1, SIZE_MAX, [](const EventHead&) { return true; }, {}};
  request.answer = [answer](Result<Scan> scan) {
    using One = Result<event_log::EventPtr>;
    answer(std::make_shared<One>(!scan                          ? One(fail(scan.error()))
                                 : scan.value().events.empty() ? One(event_log::EventPtr{})
                                                               : One(std::move(scan.value().events.front()))));
  };
  core_.scanner.request(std::move(request));
}

void Runner::fetched(state::StreamId id, const Stream::Work& work, Result<event_log::EventPtr> event) {
  --fetching_;
  Stream* stream = stream_of(id);
  if (stream == nullptr) return;
  if (stream == side_.get()) --side_out_;
  touch();
  stream->set_now(core_.now);
  if (!event) {
    note_error(event.error().message);
    core_.timers.at(core_.now + kReadAgain, [weak = weak_from_this(), generation = generation_, id, work] {
      const auto self = weak.lock();
      if (!self || self->generation_ != generation) return;
      if (Stream* again = self->stream_of(id)) again->abandon(work);
      self->touch();
    });
    return;
  }
  if (!event.value()) {
    if (!work.prior) note_removed({{work.offset, work.offset.next()}});
    stream->vanished(work);
    forget_crash(id, work.offset);
    changed();
    return;
  }
  if (!allowed(*stream) || draining_ || availability_.allowance(core_.now, 1) == 0) {
    stream->abandon(work);
    return;
  }
  prepare_delivery(*stream, stream->fetched(work, std::move(event.value())), ready_);
}

void Runner::prepare_delivery(Stream& stream, PendingNumber number, std::vector<Delivery>& out) {
  Pending& pending = pool_[number];
  const bool side = &stream == side_.get();
  if (!crashes_.empty() && tell_crash(stream, number)) return;
  ++in_flight_;
  if (side) ++side_out_;
  Delivery delivery;
  delivery.id = pool_.id(number);
  delivery.event = pending.event;
  delivery.stream = pending.stream;
  delivery.attempt = Attempt{pending.attempt};
  delivery.crashes = pending.crashes;
  delivery.lane = pending.lane;
  delivery.timeout = options_.timeout;
  delivery.replay = side;
  delivery.kv_writable = !side || replay_->kv;
  out.push_back(std::move(delivery));
}

// What was fetched for a hand-over that does not come.
void Runner::take_back_ready() {
  for (const auto& delivery : std::exchange(ready_, {})) {
    const auto number = pool_.find(delivery.id);
    Stream& stream = *stream_of(pool_[*number].stream);
    --in_flight_;
    if (&stream == side_.get()) --side_out_;
    stream.requeue(*number);
  }
}

// --- The end of a replay ---------------------------------------------------------------------------------------------------------------

void Runner::finish_replay_if_done() {
  if (!side_) return;
  for (const LaneNumber lane : side_->take_closed()) main_->poke(lane);
  if (replay_->cancelling) {
    if (side_out_ > 0) return;
    side_->spill();
    end_replay(replay_->failing ? "failed" : "cancelled");
    return;
  }
  if (side_->read() < replay_->row.until) return;
  if (side_->idle()) {
    end_replay("done");
    return;
  }
  // Calls that do not return keep their keys, not the subscriber.
  if (replay_->goes_first && !side_->window().empty() && !side_->has_listed()) {
    if (core_.now < replay_->last_outcome + kReplayPatience) return wake_at(replay_->last_outcome + kReplayPatience);
    while (side_->demote_oldest(core_.wall)) {
    }
    if (side_->window().empty()) touch();
  }
}

void Runner::end_replay(std::string state) {
  auto row = std::move(replay_->row);
  row.state = std::move(state);
  row.position = side_->position();
  row.finished_at = core_.wall;
  const bool forgets = row.mode == "reset" && !earlier_.replayed.empty();  // what it was handed before was cleared
  if (forgets) earlier_.replayed.clear();
  const bool hands = row.state == "done" && row.from < earlier_.until;
  if (hands) earlier_.replayed.push_back({row.from, row.until, replay_->filter});
  if (forgets || hands) core_.earlier_changed.push_back(weak_from_this());
  side_->collect(changes_.batch.lanes, changes_.batch.lanes_erased);
  if (row.state == "failed") {  // it does not go on
    std::erase_if(changes_.batch.lanes, [&](const auto& lane) { return lane.stream == row.id; });
    for (const auto& [number, lane] : side_->lanes()) {
      if (lane.owed) changes_.batch.lanes_erased.emplace_back(row.id, lane.owed->name);
    }
  }
  changes_.batch.replays.push_back(std::move(row));
  if (replay_->cancelled) changes_.waiters.push_back(std::move(replay_->cancelled));
  main_->set_other(nullptr, false);
  side_.reset();
  replay_.reset();
  side_out_ = 0;
  std::vector<LaneNumber> waiting;
  for (const auto& [number, lane] : main_->lanes()) waiting.push_back(number);
  for (const LaneNumber number : waiting) main_->poke(number);
  changes_.urgent = true;
  changed();
  touch();
}

}  // namespace hookhost::delivery
