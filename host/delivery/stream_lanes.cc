// The lanes of a stream: opening and closing them, their rows, and the passes that find again what was skipped.
#include <algorithm>

#include "base/assert.h"
#include "delivery/stream.h"

namespace hookhost::delivery {
namespace {

// How many found-again events one lane keeps in memory, and all lanes of a stream.
constexpr std::uint32_t kLaneQueueMax = 128;
// How long a pass waits for a lane whose queue is full before it leaves the rest of that lane to the next pass.
constexpr Duration kPatience = std::chrono::milliseconds{200};

}  // namespace

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
  if (!owed.first_skipped) {
    owed.first_skipped = owed.scan_from = offset;
    mark(number, lane);
  } else if (offset < *owed.first_skipped) {
    owed.first_skipped = offset;
    mark(number, lane);
  }
  owed.scan_from = std::min(owed.scan_from, offset);
  owed.complete = false;
}

void Stream::skip(LaneNumber number, Lane& lane, Offset offset) {
  set_skipped(number, lane, offset);
  if (!lane.owed->head && lane.owed->priors.empty() && draining_.insert(number).second) drain_wanted_ = true;
}

// Takes the queue out of memory; it is found again from the first one's offset. `keep_running`: an event that runs stays, an ordinary one as
// the lane's head, so that the position can pass it.
void Stream::drop_queue(LaneNumber number, Lane& lane, bool keep_running) {
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
      pending.kind = Pending::Kind::head;
    } else {
      kept = next;
    }
    pending.next = kNoPending;
    next = behind;
  }
  if (next != kNoPending) {
    set_skipped(number, lane, pool_[next].offset);
    owed.in_pass = false;
  }
  while (next != kNoPending) {
    const PendingNumber behind = pool_[next].next;
    if (pool_[next].kind == Pending::Kind::ordinary) window_.finish(pool_[next].slot);
    free(next);
    next = behind;
  }
  lane.first = lane.last = kept;
  lane.count = kept == kNoPending ? 0 : 1;
  owed.drained = lane.count;
}

void Stream::mark(LaneNumber number, Lane& lane) {
  if (lane.dirty) return;
  lane.dirty = true;
  dirty_.push_back(number);
}

void Stream::settle(LaneNumber number, Lane& lane) {
  if (lane.owed && !lane.owed->head && lane.owed->priors.empty()) {
    Owed& owed = *lane.owed;
    if (owed.first_skipped && owed.complete && owed.drained == 0) owed.first_skipped.reset();
    if (!owed.first_skipped) {
      if (owed.stored) erased_.insert(owed.name);
      draining_.erase(number);
      lane.owed.reset();
      --open_;
      if (record_closed_) closed_.push_back(number);
    } else if (!owed.complete) {
      draining_.insert(number);
      if (lane.count <= kLaneQueueMax / 2) drain_wanted_ = true;
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
    if (row.head || row.first_skipped) set_skipped(number, lane, row.head ? *row.head : *row.first_skipped);
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
    if (lane.running || lane.count > 0 || !lane.owed) return false;
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

// --- Draining --------------------------------------------------------------------------------------------------------------------

std::optional<Stream::Pass> Stream::next_pass() {
  if (!pass_active_) {
    if (!drain_wanted_ || draining_.empty()) return std::nullopt;
    drain_wanted_ = false;
    auto lanes = std::make_shared<std::unordered_set<LaneNumber>>();
    Offset from = read_;
    for (const LaneNumber number : draining_) {
      Lane& lane = lanes_.at(number);
      Owed& owed = *lane.owed;
      if (owed.head || !owed.priors.empty() || lane.count > kLaneQueueMax / 2 || held_back(number)) continue;
      owed.in_pass = true;
      from = std::min(from, owed.scan_from);
      lanes->insert(number);
    }
    if (lanes->empty()) return std::nullopt;
    pass_active_ = true;
    pass_at_ = from;
    pass_lanes_ = std::move(lanes);
  }
  if (paused_until_) {
    const auto found = lanes_.find(paused_by_);
    const bool waits = found != lanes_.end() && found->second.owed && found->second.owed->in_pass && found->second.count > kLaneQueueMax / 2;
    if (waits && now_ < *paused_until_) return std::nullopt;
    if (waits) found->second.owed->in_pass = false;  // the next pass goes on at its scan_from
    paused_until_.reset();
  }
  if (pass_at_ >= read_) {
    if (!done_before_.empty()) return std::nullopt;
    end_pass();
    return drain_wanted_ ? next_pass() : std::nullopt;
  }
  return Pass{pass_at_, read_, pass_lanes_};
}

bool Stream::offer_drained(event_log::EventPtr event) {
  const LaneNumber number = lane_number(order_, *event);
  const auto found = lanes_.find(number);
  if (number == kNoLane || found == lanes_.end()) return true;
  Lane& lane = found->second;
  if (!lane.owed || !lane.owed->in_pass || event->offset < lane.owed->scan_from) return true;
  if (lane.count >= kLaneQueueMax || queued_ >= 2ULL * options_.window_events_max || bytes_ >= 2 * options_.window_bytes_max) {
    paused_by_ = number;
    paused_until_ = now_ + kPatience;
    return false;
  }
  const PendingNumber made = pool_.make();
  Pending& pending = pool_[made];
  pending.offset = event->offset;
  pending.lane = number;
  pending.stream = id_;
  pending.kind = Pending::Kind::drained;
  bytes_ += event->body.size();
  ++queued_;
  lane.owed->scan_from = event->offset.next();
  ++lane.owed->drained;
  pending.event = std::move(event);
  enqueue(lane, made);
  list(number, lane);
  return true;
}

void Stream::drained_up_to(Offset next) {
  pass_at_ = std::max(pass_at_, next);
  // An offset that is done may be so because its lane skipped it: no lane is complete before the stream has read past those of an earlier life.
  if (pass_at_ >= read_ && !paused_until_ && done_before_.empty()) end_pass();
}

void Stream::end_pass() {
  pass_active_ = false;
  const auto lanes = std::move(pass_lanes_);
  for (const LaneNumber number : *lanes) {
    const auto found = lanes_.find(number);
    if (found == lanes_.end() || !found->second.owed || !found->second.owed->in_pass) continue;
    found->second.owed->in_pass = false;
    found->second.owed->complete = true;
    draining_.erase(number);
    settle(number, found->second);
  }
  drain_wanted_ = !draining_.empty();
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
