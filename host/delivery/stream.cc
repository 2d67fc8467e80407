#include "delivery/stream.h"

#include <algorithm>

#include "base/assert.h"

namespace hookhost::delivery {

Stream::Stream(state::StreamId id, const state::Position& position, PendingPool& pool, const OrderBy& order, const EngineOptions& options)
    : id_(id), pool_(pool), order_(order), options_(options), read_(position.frontier), done_before_(position.done) {
  std::sort(done_before_.begin(), done_before_.end(), std::greater<>{});
}

Stream::~Stream() {
  for (PendingNumber number = 0; number < pool_.places().size(); ++number) {
    if (pool_[number].used && pool_[number].stream == id_) pool_.drop(number);
  }
}

void Stream::set_other(const Stream* other, bool goes_first) {
  other_ = other;
  other_first_ = goes_first;
}

// --- Reading ---------------------------------------------------------------------------------------------------------------------

std::size_t Stream::room() const {
  if (bytes_ >= options_.window_bytes_max) return 0;
  // What an earlier life has read past is read again in any case: passes wait for it.
  if (open_ >= options_.blocked_lanes_max && done_before_.empty()) return 0;
  return window_.size() >= options_.window_events_max ? 0 : options_.window_events_max - window_.size();
}

std::size_t Stream::room_bytes() const {
  return bytes_ >= options_.window_bytes_max ? 0 : static_cast<std::size_t>(options_.window_bytes_max - bytes_);
}

void Stream::offer(event_log::EventPtr event) {
  const Offset offset = event->offset;
  HOOKHOST_ASSERT(offset >= read_);
  last_read_at_ = event->received_at;
  read_ = offset.next();
  while (!done_before_.empty() && done_before_.back() < offset) done_before_.pop_back();
  if (!done_before_.empty() && done_before_.back() == offset) {
    done_before_.pop_back();
    window_.finish(window_.add(offset, event->received_at, kNoPending));
    return;
  }
  const LaneNumber number = lane_number(order_, *event);
  Lane* lane = number == kNoLane ? nullptr : &lanes_[number];
  if (lane != nullptr && ((lane->owed && (lane->owed->head || !lane->owed->complete || !lane->owed->places.empty())) || held_back(number))) {
    if (!lane->owed) open(*lane, *event, offset);
    skip(number, *lane, offset);
    // The lane's row stands for it from now on. Were it not done, a later life would take it for a new one after its lane has closed.
    window_.finish(window_.add(offset, event->received_at, kNoPending));
    return;
  }
  const PendingNumber made = pool_.make();
  Pending& pending = pool_[made];
  pending.offset = offset;
  pending.lane = number;
  pending.stream = id_;
  pending.slot = window_.add(offset, event->received_at, made);
  bytes_ += event->body.size();
  ++queued_;
  pending.event = std::move(event);
  if (lane == nullptr) {
    listed_.push_back({kNoLane, made});
    return;
  }
  enqueue(*lane, made);
  list(number, *lane);
}

void Stream::advance(Offset next) {
  read_ = std::max(read_, next);
  while (!done_before_.empty() && done_before_.back() < read_) done_before_.pop_back();
}

// --- Handing over ----------------------------------------------------------------------------------------------------------------

bool Stream::has_work(LaneNumber number, const Lane& lane) const {
  if (lane.running || is_closed(number)) return false;
  if (!lane.owed) return lane.first != kNoPending;
  if (!lane.owed->priors.empty()) return lane.owed->priors.front().setback.due_at <= now_;
  if (held_back(number)) return false;
  if (lane.owed->head) return lane.owed->setback.due_at <= now_;
  return lane.first != kNoPending;
}

void Stream::list(LaneNumber number, Lane& lane) {
  if (lane.listed || !has_work(number, lane)) return;
  lane.listed = true;
  listed_.push_back({number, kNoPending});
}

std::optional<Stream::Work> Stream::take() {
  while (!listed_.empty()) {
    const Listed next = listed_.front();
    listed_.pop_front();
    if (next.lane == kNoLane) {
      pool_[next.pending].submitted = true;
      return Work{kNoLane, next.pending, pool_[next.pending].offset, false};
    }
    const auto found = lanes_.find(next.lane);
    if (found == lanes_.end()) continue;
    Lane& lane = found->second;
    lane.listed = false;
    if (!has_work(next.lane, lane)) continue;
    if (other_ != nullptr && other_->is_running(next.lane)) continue;  // poked when the other stream is through
    lane.running = true;
    if (lane.owed && !lane.owed->priors.empty()) return Work{next.lane, kNoPending, lane.owed->priors.front().offset, true};
    if (lane.owed && lane.owed->head) return Work{next.lane, kNoPending, *lane.owed->head, false};
    pool_[lane.first].submitted = true;
    return Work{next.lane, lane.first, pool_[lane.first].offset, false};
  }
  return std::nullopt;
}

PendingNumber Stream::fetched(const Work& work, event_log::EventPtr event) {
  const PendingNumber made = pool_.make();
  Pending& pending = pool_[made];
  pending.offset = work.offset;
  pending.lane = work.lane;
  pending.stream = id_;
  pending.submitted = true;
  pending.kind = work.prior ? Pending::Kind::prior : Pending::Kind::head;
  const Owed& owed = *lanes_.at(work.lane).owed;
  const Setback& setback = work.prior ? owed.priors.front().setback : owed.setback;
  pending.attempt = setback.attempts + 1;
  pending.crashes = setback.crashes;
  if (work.prior) pending.held = owed.priors.front().held;
  bytes_ += event->body.size();
  ++queued_;
  pending.event = std::move(event);
  return made;
}

void Stream::vanished(const Work& work) {
  Lane& lane = lanes_.at(work.lane);
  lane.running = false;
  if (work.prior) {
    lane.owed->priors.pop_front();
  } else {
    lane.owed->head.reset();
  }
  mark(work.lane, lane);
  settle(work.lane, lane);
}

void Stream::abandon(const Work& work) {
  Lane& lane = lanes_.at(work.lane);
  lane.running = false;
  list(work.lane, lane);
}

void Stream::poke(LaneNumber number) {
  const auto found = lanes_.find(number);
  if (found == lanes_.end()) return;
  list(number, found->second);
  seek_more(number, found->second);
}

// --- Outcomes --------------------------------------------------------------------------------------------------------------------

void Stream::finish(PendingNumber number) {
  const Pending& pending = pool_[number];
  const LaneNumber lane_of = pending.lane;
  if (pending.kind == Pending::Kind::ordinary) window_.finish(pending.slot);
  if (lane_of == kNoLane) {
    free(number);
    return;
  }
  Lane& lane = lanes_.at(lane_of);
  lane.running = false;
  switch (pending.kind) {
    case Pending::Kind::ordinary:
      pop(lane);
      if (lane.owed) pass_skipped(lane_of, lane, pending.offset);
      break;
    case Pending::Kind::drained:
      pop(lane);
      --lane.owed->drained;
      pass_skipped(lane_of, lane, pending.offset);
      break;
    case Pending::Kind::head:
      lane.owed->head.reset();
      mark(lane_of, lane);
      break;
    case Pending::Kind::prior: lane.owed->priors.pop_front(); break;
  }
  free(number);
  settle(lane_of, lane);
}

bool Stream::block(PendingNumber number, Setback setback) {
  Pending& pending = pool_[number];
  const event_log::EventPtr event = pending.event;
  const Offset offset = pending.offset;
  const bool ordered = pending.lane != kNoLane;
  const LaneNumber lane_of = ordered ? pending.lane : lane_number(lane_name(order_, *event));
  Lane& lane = lanes_[lane_of];
  lane.running = false;
  Owed& owed = lane.owed ? *lane.owed : open(lane, *event, offset);
  // A row has one head, and what lies between it and what was skipped counts as done: only a prior that is alone can be one.
  if (pending.kind == Pending::Kind::prior && (owed.priors.size() > 1 || owed.head)) {
    owed.priors.front().setback = std::move(setback);
    dues_.emplace_back(owed.priors.front().setback.due_at, lane_of);
    free(number);
    list(lane_of, lane);
    return false;
  }
  switch (pending.kind) {
    case Pending::Kind::ordinary:
      window_.finish(pending.slot);
      if (ordered) pop(lane);
      pass_skipped(lane_of, lane, offset);
      break;
    case Pending::Kind::drained:
      pop(lane);
      --owed.drained;
      pass_skipped(lane_of, lane, offset);
      break;
    case Pending::Kind::prior: owed.priors.pop_front(); break;
    case Pending::Kind::head: break;
  }
  drop_queue(lane_of, lane, false, kept_when_blocked());
  if (owed.complete && owed.drained == 0 && owed.places.empty()) owed.first_skipped.reset();
  owed.ask = Owed::kAskMin;
  owed.head = offset;
  owed.setback = std::move(setback);
  dues_.emplace_back(owed.setback.due_at, lane_of);
  mark(lane_of, lane);
  free(number);
  list(lane_of, lane);
  return true;
}

void Stream::requeue(PendingNumber number) {
  Pending& pending = pool_[number];
  const LaneNumber lane_of = pending.lane;
  const auto kind = pending.kind;
  pending.submitted = false;
  if (lane_of == kNoLane) {
    listed_.push_back({kNoLane, number});
    return;
  }
  Lane& lane = lanes_.at(lane_of);
  lane.running = false;
  if (kind == Pending::Kind::head || kind == Pending::Kind::prior) {
    if (kind == Pending::Kind::head) lane.owed->setback.due_at = now_;
    free(number);
  }
  list(lane_of, lane);
}

bool Stream::demote_oldest(WallTime wall) {
  const auto* oldest = window_.oldest();
  if (oldest == nullptr || oldest->pending == kNoPending || open_ >= options_.blocked_lanes_max) return false;
  const PendingNumber number = oldest->pending;
  Pending& pending = pool_[number];
  if (const LaneNumber lane_of = pending.lane; lane_of != kNoLane) {
    Lane& lane = lanes_.at(lane_of);
    if (!lane.running) return false;
    if (!lane.owed) open(lane, *pending.event, pending.offset);
    drop_queue(lane_of, lane, true);  // `pending` may be gone: it was queued behind what runs
    mark(lane_of, lane);
    return true;
  }
  if (!pending.submitted) return false;
  const LaneNumber made = lane_number(lane_name(order_, *pending.event));
  Lane& lane = lanes_[made];
  Owed& owed = open(lane, *pending.event, pending.offset);
  lane.running = true;
  owed.head = pending.offset;
  owed.setback = Setback{pending.attempt - 1, pending.crashes, wall, now_, {}, {}};
  window_.finish(pending.slot);
  pending.lane = made;
  pending.kind = Pending::Kind::head;
  mark(made, lane);
  return true;
}

void Stream::spill() {
  std::deque<Listed> keep;
  for (const auto& listed : listed_) {
    if (listed.lane != kNoLane) {
      keep.push_back(listed);
      continue;
    }
    Pending& pending = pool_[listed.pending];
    const LaneNumber made = lane_number(lane_name(order_, *pending.event));
    Lane& lane = lanes_[made];
    Owed& owed = open(lane, *pending.event, pending.offset);
    owed.head = pending.offset;
    window_.finish(pending.slot);
    mark(made, lane);
    dues_.emplace_back(MonotonicTime::min(), made);
    free(listed.pending);
  }
  listed_ = std::move(keep);
  for (auto& [number, lane] : lanes_) {
    if (lane.first == kNoPending) continue;
    if (!lane.owed) open(lane, *pool_[lane.first].event, pool_[lane.first].offset);
    drop_queue(number, lane, true);
    mark(number, lane);
    seek_more(number, lane);
  }
}

void Stream::free(PendingNumber number) {
  if (pool_[number].event) bytes_ -= pool_[number].event->body.size();
  --queued_;
  pool_.drop(number);
}

}  // namespace hookhost::delivery
