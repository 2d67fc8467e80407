// Reading and handing over.
#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

// The last step from catching up to live is read on the loop's thread: few enough not to be felt by others.
constexpr std::uint64_t kNearEvents = 512;
constexpr Duration kReadAgain = std::chrono::seconds{1};
// A replay beside live that is through, but for calls that do not return, lets go of live after this long.
constexpr Duration kReplayPatience = std::chrono::seconds{1};
constexpr std::uint32_t kCrashesMax = 3;

HeadFilter wants(std::shared_ptr<const EventFilter> filter) {
  return [filter = std::move(filter)](const EventHead& head) { return filter->passes(head); };
}

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

// --- Reading -----------------------------------------------------------------------------------------------------------------------

void Runner::offer_live(const event_log::EventPtr& event) {
  main_->set_now(core_.now);
  if (main_->room() == 0) {
    leave_live(event->offset);
  } else {
    main_->offer(event);
  }
  touch();
}

void Runner::set_live(bool live) {
  if (live == live_) return;
  live_ = live;
  core_.live_count += live ? 1 : std::size_t(-1);
}

void Runner::leave_live(Offset at) {
  if (!live_) return;
  main_->advance(at);
  set_live(false);
  touch();
}

void Runner::read_main() {
  if (!main_allowed()) {
    if (live_) leave_live(core_.live_end);
    return;
  }
  if (core_.now < scan_again_) return wake_at(scan_again_);
  if (live_) main_->advance(core_.live_end);
  read_pass(*main_, main_reading_);
  if (live_ || main_reading_.scanning || step_to_live()) return;
  scan(*main_, main_reading_, core_.live_end, filter_);
}

void Runner::read_replay() {
  if (replay_->cancelling || row_.condition != state::Condition::live || core_.now < scan_again_) return;
  read_pass(*side_, side_reading_);
  if (side_->read() < replay_->row.until) scan(*side_, side_reading_, replay_->row.until, replay_->filter);
}

bool Runner::step_to_live() {
  const std::uint64_t gap = core_.live_end.distance_from(main_->read());
  if (gap > kNearEvents || main_->room() == 0 || (gap > 0 && main_->room() < gap)) return false;
  while (main_->read() < core_.live_end) {
    if (!core_.near_cursor) {
      auto made = core_.feed.cursor();
      if (!made) return false;
      core_.near_cursor = std::move(made.value());
    }
    auto read = core_.near_cursor->scan(main_->read(), core_.live_end, kNearEvents, main_->room_bytes(), kScanLookedMax, wants(filter_));
    if (!read || read.value().next <= main_->read()) return false;  // the scanner will meet it again and say so
    note_removed(read.value().removed);
    for (auto& event : read.value().events) main_->offer(std::move(event));
    main_->advance(read.value().next);
    if (main_->read() < core_.live_end && main_->room_bytes() == 0) return false;
  }
  set_live(true);
  return true;
}

void Runner::scan(Stream& stream, Reading& reading, Offset until, std::shared_ptr<const EventFilter> filter) {
  const std::size_t room = stream.room();
  if (reading.scanning || stream.read() >= until || room == 0 || room < core_.options.window_events_max / 4) return;
  reading.scanning = true;
  auto answer = bound([id = stream.id()](Runner& self, std::shared_ptr<Result<Scan>> result) { self.scanned(id, std::move(*result)); });
  core_.scanner.request({reading.place, stream.read(), until, room, stream.room_bytes(), wants(std::move(filter)),
                         [answer](Result<Scan> result) { answer(std::make_shared<Result<Scan>>(std::move(result))); }});
}

void Runner::scanned(state::StreamId id, Result<Scan> result) {
  Stream* stream = stream_of(id);
  if (stream == nullptr) return;
  touch();
  (id == state::kMainStream ? main_reading_ : side_reading_).scanning = false;
  if (!result) {
    note_error(result.error().message);
    scan_again_ = core_.now + kReadAgain;
    return;
  }
  stream->set_now(core_.now);
  note_removed(result.value().removed);
  for (auto& event : result.value().events) stream->offer(std::move(event));
  stream->advance(result.value().next);
  (id == state::kMainStream ? changes_.position : changes_.replay) = true;
  changed();
}

void Runner::read_pass(Stream& stream, Reading& reading) {
  if (reading.draining) return;
  const auto pass = stream.next_pass();
  if (!pass) {
    if (stream.pass_paused_until()) wake_at(*stream.pass_paused_until());
    return;
  }
  reading.draining = true;
  const auto filter = stream.id() == state::kMainStream ? filter_ : replay_->filter;
  HeadFilter in_pass = wants(filter);
  if (options_.order_by.kind == OrderBy::Kind::key) {
    in_pass = [filter, lanes = pass->lanes](const EventHead& head) {
      return !head.key.empty() && lanes->contains(lane_number(head.source, head.team, head.key)) && filter->passes(head);
    };
  }
  constexpr std::size_t kPassEvents = 1'024;
  auto answer = bound([id = stream.id()](Runner& self, std::shared_ptr<Result<Scan>> result) { self.pass_scanned(id, std::move(*result)); });
  core_.scanner.request({reading.drain_place, pass->from, pass->until, kPassEvents, core_.options.window_bytes_max, std::move(in_pass),
                         [answer](Result<Scan> result) { answer(std::make_shared<Result<Scan>>(std::move(result))); }});
}

void Runner::pass_scanned(state::StreamId id, Result<Scan> result) {
  Stream* stream = stream_of(id);
  if (stream == nullptr) return;
  touch();
  (id == state::kMainStream ? main_reading_ : side_reading_).draining = false;
  if (!result) {
    note_error(result.error().message);
    scan_again_ = core_.now + kReadAgain;
    return;
  }
  stream->set_now(core_.now);
  if (live_ && id == state::kMainStream) stream->advance(core_.live_end);
  for (auto& event : result.value().events) {
    const Offset offset = event->offset;
    if (!stream->offer_drained(std::move(event))) {
      stream->drained_up_to(offset);
      return;
    }
  }
  stream->drained_up_to(result.value().next);
}

void Runner::note_removed(const std::vector<std::pair<Offset, Offset>>& removed) {
  for (const auto& [from, until] : removed) {
    changes_.batch.gaps.push_back({from, until, core_.wall, false});
    ++gaps_;
    diagnose(Level::error, "delivery", "events were removed before a subscriber had them",
             {{"subscriber", row_.id.value}, {"from", from.value}, {"until", until.value}});
    append_own("hookhost.subscriber.gap", "events " + std::to_string(from.value) + " to " + std::to_string(until.value) + " are gone");
    changed();
  }
}

// --- Handing over --------------------------------------------------------------------------------------------------------------------

void Runner::hand_over() {
  std::vector<Delivery> out = std::exchange(ready_, {});
  const std::size_t most = std::max<std::uint32_t>(1, subscriber_->traits().max_in_flight);
  const std::size_t taken = in_flight_ + fetching_;
  std::size_t limit = taken >= most || !may_submit_more() ? 0 : most - taken;
  if (!availability_.is_up()) {
    limit = fetching_ > 0 || !out.empty() ? 0 : availability_.allowance(core_.now, limit);
    if (core_.now < availability_.until()) wake_at(availability_.until());
  }
  if (limit > 0 && main_allowed()) {
    take_from(*main_, limit, out);
    const std::size_t now_taken = in_flight_ + fetching_;
    limit = availability_.is_up() ? (now_taken >= most ? 0 : most - now_taken) : (now_taken > taken ? 0 : limit);
  }
  if (limit > 0 && side_ && !replay_->cancelling && row_.condition == state::Condition::live) {
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
    if (side && replay_->row.rate > 0 && replay_->rate.available(core_.now) == 0) {
      if (stream.has_listed()) wake_at(replay_->rate.next(core_.now));
      return;
    }
    const auto work = stream.take();
    if (!work) return;
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
  const bool side = stream == side_.get();
  if (side) --side_out_;
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
    changed();
    return;
  }
  const bool stands = side ? replay_->cancelling || row_.condition != state::Condition::live : !main_allowed();
  if (stands || draining_ || availability_.allowance(core_.now, 1) == 0) {
    stream->abandon(work);
    return;
  }
  prepare_delivery(*stream, stream->fetched(work, std::move(event.value())), ready_);
}

void Runner::prepare_delivery(Stream& stream, PendingNumber number, std::vector<Delivery>& out) {
  Pending& pending = pool_[number];
  const bool side = &stream == side_.get();
  if (!scars_.empty()) {
    if (const auto scar = scars_.find({stream.id(), pending.offset}); scar != scars_.end()) {
      pending.attempt = std::max(pending.attempt, scar->second.attempts + 1);
      pending.crashes = std::max(pending.crashes, scar->second.crashes);
    }
    if (pending.crashes >= kCrashesMax) {
      park(stream, number, "crashed", "it ended the instance " + std::to_string(pending.crashes) + " times", pending.attempt - 1);
      return;
    }
  }
  ++in_flight_;
  if (side) ++side_out_;
  Delivery delivery;
  delivery.id = pool_.id(number);
  delivery.event = pending.event;
  delivery.attempt = Attempt{pending.attempt};
  delivery.lane = pending.lane;
  delivery.timeout = options_.timeout;
  delivery.replay = side;
  delivery.kv_writable = !side || replay_->kv;
  out.push_back(std::move(delivery));
}

// --- The end of a replay ---------------------------------------------------------------------------------------------------------------

void Runner::finish_replay_if_done() {
  if (!side_) return;
  for (const LaneNumber lane : side_->take_closed()) main_->poke(lane);
  if (replay_->cancelling) {
    if (side_out_ > 0) return;
    side_->spill();
    end_replay("cancelled");
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
  side_->collect(changes_.batch.lanes, changes_.batch.lanes_erased);
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
