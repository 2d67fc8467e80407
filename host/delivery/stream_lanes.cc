// The lanes of a stream: opening and closing them, and their rows.
#include <algorithm>
#include <utility>

#include "delivery/stream.h"

namespace hookhost::delivery {

void Stream::enqueue(Lane& lane, PendingNumber number) {
  if (lane.first == kNoPending) {
    lane.first = number;
  } else {
    pool_[lane.last].next = number;
  }
  lane.last = number;
  ++lane.count;
}

void Stream::pop(Lane& lane) {
  const PendingNumber number = lane.first;
  lane.first = pool_[number].next;
  if (lane.first == kNoPending) lane.last = kNoPending;
  --lane.count;
}

Owed& Stream::open(Lane& lane, const event_log::Event& event, Offset offset) {
  if (!lane.owed) {
    lane.owed = std::make_unique<Owed>();
    lane.owed->name = lane_name(order_, event);
    lane.owed->complete = true;
    lane.owed->scan_from = offset;
    ++open_;
  }
  return *lane.owed;
}

void Stream::set_skipped(LaneNumber number, Lane& lane, Offset offset) {
  Owed& owed = *lane.owed;
  if (owed.first_skipped && *owed.first_skipped <= offset) return;
  owed.first_skipped = offset;
  mark(number, lane);
}

// Order: after the event has left the queue. The row must not name it once more: a later life would take it for one that waits.
void Stream::pass_skipped(LaneNumber number, Lane& lane, Offset offset) {
  Owed& owed = *lane.owed;
  if (!owed.first_skipped || *owed.first_skipped > offset) return;
  owed.first_skipped = offset.next();
  mark(number, lane);
}

void Stream::skip(LaneNumber number, Lane& lane, Offset offset) {
  set_skipped(number, lane, offset);
  Owed& owed = *lane.owed;
  if (owed.complete && places_room(number, lane) > 0) {
    owed.places.push_back(offset);
    owed.scan_from = offset.next();
    ++places_;
  } else if (owed.complete) {
    owed.complete = false;
    owed.scan_from = offset;
    incomplete_.insert(number);
  } else {  // an earlier life may have skipped only what comes behind it
    owed.scan_from = std::min(owed.scan_from, offset);
  }
  seek_more(number, lane);
}

// Takes the queue out of memory, but for the first `keep`; where its events stand is remembered. `keep_running`: an event that runs stays, an
// ordinary one as the lane's head, so that the position can pass it.
void Stream::drop_queue(LaneNumber number, Lane& lane, bool keep_running, std::uint32_t keep) {
  Owed& owed = *lane.owed;
  PendingNumber next = lane.first;
  PendingNumber kept = kNoPending;
  const bool first_runs = keep_running && lane.running && next != kNoPending && pool_[next].submitted;
  if (first_runs) {
    Pending& pending = pool_[next];
    const PendingNumber behind = pending.next;
    if (pending.kind == Pending::Kind::ordinary) {
      window_.finish(pending.slot);
      owed.head = pending.offset;
      owed.setback = Setback{pending.attempt - 1, pending.crashes, {}, MonotonicTime::min(), {}, {}};
      pass_skipped(number, lane, pending.offset);
      pending.kind = Pending::Kind::head;
    } else {
      kept = next;
    }
    pending.next = kNoPending;
    next = behind;
  }
  lane.first = lane.last = kept;
  lane.count = kept == kNoPending ? 0 : 1;
  if (next != kNoPending) set_skipped(number, lane, pool_[next].offset);
  for (; keep > 0 && next != kNoPending; --keep) {
    Pending& pending = pool_[next];
    const PendingNumber behind = std::exchange(pending.next, kNoPending);
    if (pending.kind == Pending::Kind::ordinary) {
      window_.finish(pending.slot);
      pending.kind = Pending::Kind::drained;
    }
    enqueue(lane, next);
    next = behind;
  }
  std::vector<Offset> dropped;
  while (next != kNoPending) {
    const PendingNumber behind = pool_[next].next;
    dropped.push_back(pool_[next].offset);
    if (pool_[next].kind == Pending::Kind::ordinary) window_.finish(pool_[next].slot);
    free(next);
    next = behind;
  }
  owed.drained = lane.count;
  give_back_places(number, lane, dropped);
}

void Stream::mark(LaneNumber number, Lane& lane) {
  if (lane.dirty) return;
  lane.dirty = true;
  dirty_.push_back(number);
}

void Stream::settle(LaneNumber number, Lane& lane) {
  if (lane.owed && !lane.owed->head && lane.owed->priors.empty()) {
    Owed& owed = *lane.owed;
    if (owed.first_skipped && owed.complete && owed.drained == 0 && owed.places.empty()) owed.first_skipped.reset();
    if (!owed.first_skipped) {
      if (owed.stored) erased_.insert(owed.name);
      lane.owed.reset();
      --open_;
      if (record_closed_) closed_.push_back(number);
    } else {
      seek_more(number, lane);
    }
  }
  if (!lane.owed && lane.count == 0 && !lane.running) {
    lanes_.erase(number);
    return;
  }
  list(number, lane);
}

void Stream::load(const state::LaneRow& row, MonotonicTime due_at) {
  const LaneNumber number = lane_number(row.lane);
  Lane& lane = lanes_[number];
  if (lane.owed) {  // two names with one number: the second waits behind the first
    const std::optional<Offset> from = row.head ? row.head : row.first_skipped;
    if (from) {
      set_skipped(number, lane, *from);
      forget_places(number, *lane.owed, *from);
    }
    erased_.insert(row.lane);
    return;
  }
  lane.owed = std::make_unique<Owed>();
  Owed& owed = *lane.owed;
  ++open_;
  owed.name = row.lane;
  owed.head = row.head;
  owed.setback = Setback{row.attempts, row.crashes, row.due, due_at, row.last_outcome, row.last_error};
  owed.first_skipped = row.first_skipped;
  owed.scan_from = row.first_skipped.value_or(Offset{});
  owed.complete = !row.first_skipped;
  if (!owed.complete) incomplete_.insert(number);
  owed.stored = true;
  if (owed.head) {
    dues_.emplace_back(due_at, number);
  } else {
    settle(number, lane);
  }
}

void Stream::add_prior(const event_log::Event& event, bool held) {
  LaneNumber number = lane_number(order_, event);
  if (number == kNoLane) number = lane_number(lane_name(order_, event));
  Lane& lane = lanes_[number];
  auto& priors = open(lane, event, event.offset).priors;
  if (std::any_of(priors.begin(), priors.end(), [&](const Prior& prior) { return prior.offset == event.offset; })) return;
  // The first may be under way already; the order holds among those behind it.
  const auto begin = priors.empty() || !lane.running ? priors.begin() : priors.begin() + 1;
  const auto place = std::find_if(begin, priors.end(), [&](const Prior& prior) { return prior.offset > event.offset; });
  priors.insert(place, Prior{event.offset, held, {}});
  list(number, lane);
}

bool Stream::make_due(Offset head, WallTime wall) {
  for (auto& [number, lane] : lanes_) {
    if (!lane.owed) continue;
    const bool prior = !lane.owed->priors.empty() && lane.owed->priors.front().offset == head;
    if (!prior && lane.owed->head != head) continue;
    Setback& setback = prior ? lane.owed->priors.front().setback : lane.owed->setback;
    setback.due = wall;
    setback.due_at = now_;
    mark(number, lane);
    list(number, lane);
    return true;
  }
  return false;
}

bool Stream::only_waits() const {
  return open_ > 0 && window_.empty() && std::all_of(lanes_.begin(), lanes_.end(), [this](const auto& entry) {
    const Lane& lane = entry.second;
    if (lane.running || !lane.owed) return false;
    const auto& priors = lane.owed->priors;
    return priors.empty() ? lane.owed->head.has_value() : priors.front().setback.due_at > now_;
  });
}

bool Stream::is_open(LaneNumber number) const {
  const auto found = lanes_.find(number);
  return found != lanes_.end() && found->second.owed != nullptr;
}

bool Stream::is_running(LaneNumber number) const {
  const auto found = lanes_.find(number);
  return found != lanes_.end() && found->second.running;
}

// --- What a commit writes ----------------------------------------------------------------------------------------------------------

state::Position Stream::position() const {
  state::Position position{frontier(), window_.done_offsets()};
  for (auto at = done_before_.rbegin(); at != done_before_.rend(); ++at) {
    if (*at >= read_) position.done.push_back(*at);
  }
  return position;
}

Offset Stream::oldest_needed() const {
  Offset oldest = frontier();
  if (open_ == 0) return oldest;  // many lanes have nothing but a queue
  for (const auto& [number, lane] : lanes_) {
    if (!lane.owed) continue;
    if (lane.owed->head) oldest = std::min(oldest, *lane.owed->head);
    if (lane.owed->first_skipped) oldest = std::min(oldest, *lane.owed->first_skipped);
  }
  return oldest;
}

void Stream::collect(std::vector<state::LaneRow>& rows, std::vector<std::pair<state::StreamId, std::string>>& erased) {
  for (const LaneNumber number : dirty_) {
    const auto found = lanes_.find(number);
    if (found == lanes_.end()) continue;
    Lane& lane = found->second;
    lane.dirty = false;
    if (!lane.owed) continue;
    Owed& owed = *lane.owed;
    if (!owed.head && !owed.first_skipped) {  // only priors are left; their own rows say so
      if (owed.stored) erased_.insert(owed.name);
      owed.stored = false;
      continue;
    }
    erased_.erase(owed.name);
    owed.stored = true;
    const Setback& setback = owed.setback;
    if (owed.head) {
      rows.push_back({id_, owed.name, owed.head, setback.attempts, setback.crashes, setback.due, setback.last_outcome, setback.last_error,
                      owed.first_skipped});
    } else {
      rows.push_back({id_, owed.name, std::nullopt, 0, 0, {}, {}, {}, owed.first_skipped});
    }
  }
  dirty_.clear();
  for (const auto& name : erased_) erased.emplace_back(id_, name);
  erased_.clear();
}

}  // namespace hookhost::delivery
