// Finding again what was read past behind lanes that are free now: by the places that are remembered, else in a pass over everything.
#include <algorithm>

#include "delivery/stream.h"

namespace hookhost::delivery {
namespace {

// How many events one lane keeps in memory when they are found again; half of it is asked for at once. Of one that is blocked, how many stay.
constexpr std::uint32_t kLaneQueueMax = 128;
constexpr std::uint32_t kBlockedQueueMax = 16;
// How many are asked for at once for all lanes.
constexpr std::size_t kAgainMax = 512;

}  // namespace

bool Stream::may_drain(LaneNumber number, const Lane& lane) const {
  return lane.owed && !lane.owed->head && lane.owed->priors.empty() && !held_back(number);
}

std::size_t Stream::room_bytes_again() const {
  const std::size_t most = 2 * options_.window_bytes_max;
  return bytes_ < most ? most - bytes_ : 0;
}

std::size_t Stream::room_again() const {
  const std::size_t most = 2ULL * options_.window_events_max;
  return queued_ < most && room_bytes_again() > 0 ? most - queued_ : 0;
}

std::uint32_t Stream::kept_when_blocked() const {
  return queued_ < options_.window_events_max && bytes_ < options_.window_bytes_max / 2 ? kBlockedQueueMax : 0;
}

// --- Places ----------------------------------------------------------------------------------------------------------------------
//
// Lanes that wait fill at most half of places_max by what comes, and keep what was found up to three quarters: those that are free always find
// room, and a pass that begins below half finds a lot.

std::size_t Stream::places_room(LaneNumber number, const Lane& lane) const {
  const std::size_t most = may_drain(number, lane) ? options_.places_max : options_.places_max / 2;
  return places_ < most ? most - places_ : 0;
}

void Stream::take_place(Owed& owed) {
  owed.places.pop_front();
  if (--places_ == options_.places_max / 2 && !incomplete_.empty()) pass_wanted_ = true;
}

void Stream::give_back_places(LaneNumber number, Lane& lane, const std::vector<Offset>& offsets) {
  Owed& owed = *lane.owed;
  owed.asked = 0;
  if (offsets.empty() && owed.places.empty()) return;
  const Offset from = offsets.empty() ? owed.places.front() : offsets.front();
  set_skipped(number, lane, from);
  if (places_ + offsets.size() > options_.places_max / 4 * 3) return forget_places(number, owed, from);
  owed.places.give_back(offsets);
  places_ += offsets.size();
  if (!offsets.empty()) owed.scan_from = std::max(owed.scan_from, offsets.back().next());
}

void Stream::forget_places(LaneNumber number, Owed& owed, Offset from) {
  places_ -= owed.places.size();
  owed.places.clear();
  owed.asked = 0;
  owed.scan_from = owed.complete ? from : std::min(owed.scan_from, from);
  owed.complete = false;
  if (owed.in_pass) leave_pass(owed);
  incomplete_.insert(number);
}

void Stream::seek_more(LaneNumber number, Lane& lane) {
  if (!may_drain(number, lane) || lane.count > lane.owed->ask / 2) return;
  Owed& owed = *lane.owed;
  if (owed.places.empty()) {
    if (!owed.complete) pass_wanted_ = true;
  } else if (!owed.hungry && owed.asked == 0) {
    owed.hungry = true;
    hungry_.push_back(number);
  }
}

Stream::Again Stream::next_again() {
  for (const LaneNumber number : std::exchange(asked_, {})) {  // it was not read, or not whole
    const auto found = lanes_.find(number);
    if (found == lanes_.end() || !found->second.owed) continue;
    found->second.owed->asked = 0;
    seek_more(number, found->second);
  }
  Again again{{}, room_bytes_again()};
  std::size_t left = std::min(kAgainMax, room_again());
  while (left > 0 && !hungry_.empty()) {
    const LaneNumber number = hungry_.front();
    hungry_.pop_front();
    const auto found = lanes_.find(number);
    if (found == lanes_.end() || !found->second.owed) continue;
    Owed& owed = *found->second.owed;
    owed.hungry = false;
    if (!may_drain(number, found->second)) continue;
    const std::size_t count = std::min({left, owed.places.size(), std::size_t{owed.ask}});
    if (count == 0) continue;
    owed.ask = std::min(2 * owed.ask, kLaneQueueMax / 2);
    for (std::size_t i = 0; i < count; ++i) again.offsets.push_back(owed.places[i]);
    owed.asked = static_cast<std::uint32_t>(count);
    asked_.push_back(number);
    left -= count;
  }
  std::sort(again.offsets.begin(), again.offsets.end());
  return again;
}

void Stream::enqueue_again(LaneNumber number, Lane& lane, event_log::EventPtr event) {
  const PendingNumber made = pool_.make();
  Pending& pending = pool_[made];
  pending.offset = event->offset;
  pending.lane = number;
  pending.stream = id_;
  pending.kind = Pending::Kind::drained;
  bytes_ += event->body.size();
  ++queued_;
  ++lane.owed->drained;
  pending.event = std::move(event);
  enqueue(lane, made);
  list(number, lane);
}

void Stream::offer_again(event_log::EventPtr event) {
  const LaneNumber number = lane_number(order_, *event);
  const auto found = lanes_.find(number);
  if (found == lanes_.end() || !may_drain(number, found->second)) return;
  Lane& lane = found->second;
  if (lane.owed->asked == 0 || lane.owed->places.front() != event->offset) return;
  --lane.owed->asked;
  take_place(*lane.owed);
  enqueue_again(number, lane, std::move(event));
}

std::vector<Offset> Stream::again_up_to(Offset next) {
  std::vector<Offset> gone;
  for (const LaneNumber number : std::exchange(asked_, {})) {
    const auto found = lanes_.find(number);
    if (found == lanes_.end() || !found->second.owed) continue;
    Lane& lane = found->second;
    Owed& owed = *lane.owed;
    for (; owed.asked > 0 && owed.places.front() < next && may_drain(number, lane); --owed.asked) {
      gone.push_back(owed.places.front());
      take_place(owed);
    }
    owed.asked = 0;
    settle(number, lane);
  }
  return gone;
}

// --- Passes ----------------------------------------------------------------------------------------------------------------------

// With little room a pass finds little: it is worth that only to a lane that has nothing else to do. None waits for another one's places.
bool Stream::begin_pass() {
  const bool much_room = places_ < std::max(1U, options_.places_max / 2);
  const bool no_room = places_ >= options_.places_max && room_again() == 0;
  if (!pass_wanted_ || no_room) return false;
  pass_wanted_ = false;
  auto lanes = std::make_shared<std::unordered_set<LaneNumber>>();
  Offset from = read_;
  bool wanted = false;
  for (const LaneNumber number : incomplete_) {
    const Lane& lane = lanes_.at(number);
    const bool is_free = may_drain(number, lane);
    if (!is_free && !much_room) continue;
    wanted = wanted || (is_free && (much_room || (lane.count == 0 && lane.owed->places.empty())));
    from = std::min(from, lane.owed->scan_from);
    lanes->insert(number);
  }
  if (!wanted) return false;
  for (const LaneNumber number : *lanes) lanes_.at(number).owed->in_pass = true;
  pass_active_ = true;
  pass_at_ = from;
  pass_left_ = lanes->size();
  pass_lanes_ = std::move(lanes);
  return true;
}

std::optional<Stream::Pass> Stream::next_pass() {
  if (!pass_active_ && !begin_pass()) return std::nullopt;
  if (pass_left_ == 0 || (pass_at_ >= read_ && done_before_.empty())) {
    end_pass();
    if (!begin_pass()) return std::nullopt;
  }
  if (pass_at_ >= read_) return std::nullopt;
  return Pass{pass_at_, read_, pass_lanes_};
}

void Stream::leave_pass(Owed& owed) {
  owed.in_pass = false;
  --pass_left_;
}

void Stream::offer_pass(event_log::EventPtr event) {
  const LaneNumber number = lane_number(order_, *event);
  const auto found = lanes_.find(number);
  if (number == kNoLane || found == lanes_.end()) return;
  Lane& lane = found->second;
  if (!lane.owed || !lane.owed->in_pass || event->offset < lane.owed->scan_from) return;
  const Offset offset = event->offset;
  if (lane.owed->places.empty() && may_drain(number, lane) && lane.count < kLaneQueueMax && room_again() > 0) {
    enqueue_again(number, lane, std::move(event));
  } else if (places_room(number, lane) > 0) {
    lane.owed->places.push_back(offset);
    ++places_;
    seek_more(number, lane);
  } else {
    return leave_pass(*lane.owed);  // the next pass goes on at its scan_from
  }
  lane.owed->scan_from = offset.next();
}

void Stream::passed_up_to(Offset next) {
  pass_at_ = std::max(pass_at_, next);
  // An offset that is done may be so because its lane skipped it: no lane is complete before the stream has read past those of an earlier life.
  if (pass_left_ == 0 || (pass_at_ >= read_ && done_before_.empty())) end_pass();
}

void Stream::end_pass() {
  pass_active_ = false;
  const auto lanes = std::move(pass_lanes_);
  for (const LaneNumber number : *lanes) {
    const auto found = lanes_.find(number);
    if (found == lanes_.end() || !found->second.owed || !found->second.owed->in_pass) continue;
    found->second.owed->in_pass = false;
    found->second.owed->complete = true;
    incomplete_.erase(number);
    settle(number, found->second);
  }
  for (const LaneNumber number : incomplete_) {
    if (may_drain(number, lanes_.at(number))) pass_wanted_ = true;
  }
}

}  // namespace hookhost::delivery
