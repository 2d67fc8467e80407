#include "event_log/segment.h"

#include <algorithm>

#include "event_log/format.h"

namespace hookhost::event_log {
namespace {
constexpr std::uint64_t kPlaceDistanceBytes = 64 << 10;
}

void Segment::add_batch(const BatchPlace& place, Offset end, std::uint64_t record_bytes, WallTime last_received_at) {
  const std::scoped_lock lock(mutex_);
  if (places_.empty() || place.position >= places_.back().position + kPlaceDistanceBytes) places_.push_back(place);
  end_ = end;
  record_bytes_ += record_bytes;
  last_received_at_ = std::max(last_received_at_, last_received_at);
}

void Segment::set_end(Offset end) {
  const std::scoped_lock lock(mutex_);
  end_ = end;
}

void Segment::set_facts(Offset end, std::uint64_t record_bytes, WallTime last_received_at) {
  const std::scoped_lock lock(mutex_);
  end_ = end;
  record_bytes_ = record_bytes;
  last_received_at_ = last_received_at;
}

void Segment::cut(Offset end, std::uint64_t record_bytes) {
  const std::scoped_lock lock(mutex_);
  end_ = std::min(end_, end);
  record_bytes_ -= std::min(record_bytes_, record_bytes);
  while (!places_.empty() && places_.back().first >= end_) places_.pop_back();
}

Offset Segment::end() const {
  const std::scoped_lock lock(mutex_);
  return end_;
}

std::uint64_t Segment::record_bytes() const {
  const std::scoped_lock lock(mutex_);
  return record_bytes_;
}

WallTime Segment::last_received_at() const {
  const std::scoped_lock lock(mutex_);
  return last_received_at_;
}

BatchPlace Segment::start() const { return {first_offset_, kSectorBytes, WallTime{}}; }

BatchPlace Segment::place_before(Offset offset) const {
  const std::scoped_lock lock(mutex_);
  const auto after = std::upper_bound(places_.begin(), places_.end(), offset, [](Offset o, const BatchPlace& p) { return o < p.first; });
  return after == places_.begin() ? start() : *std::prev(after);
}

// Receive times may go back when the clock does: the last place before the first one that is not earlier than `time` is safe.
BatchPlace Segment::place_before(WallTime time) const {
  const std::scoped_lock lock(mutex_);
  const auto reached = std::find_if(places_.begin(), places_.end(), [&](const BatchPlace& p) { return p.received_at >= time; });
  return reached == places_.begin() ? start() : *std::prev(reached);
}

SegmentAround segment_around(const std::vector<SegmentPtr>& segments, Offset offset) {
  const auto after = std::upper_bound(segments.begin(), segments.end(), offset, [](Offset o, const SegmentPtr& s) { return o < s->first_offset(); });
  return {after == segments.begin() ? nullptr : *std::prev(after), after == segments.end() ? Offset{UINT64_MAX} : (*after)->first_offset()};
}

}  // namespace hookhost::event_log
