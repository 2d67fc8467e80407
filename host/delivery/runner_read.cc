// Reading: live events as they come, what a subscriber or a replay catches up with, and what stands behind lanes that are free again.
#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

// The last step from catching up to live is read on the loop's thread: few enough not to be felt by others.
constexpr std::uint64_t kNearEvents = 512;

HeadFilter wants(std::shared_ptr<const EventFilter> filter) {
  return [filter = std::move(filter)](const EventHead& head) { return filter->passes(head); };
}

}  // namespace

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
  read_on(*main_, nullptr);
}

void Runner::read_replay() {
  if (replay_->cancelling || row_.condition != state::Condition::live || core_.now < scan_again_) return;
  read_pass(*side_, side_reading_);
  read_on(*side_, nullptr);
}

void Runner::read_on(Stream& stream, const Scan* read) {
  if (draining_) return;
  if (&stream == side_.get()) {
    if (!replay_->cancelling && row_.condition == state::Condition::live) scan(stream, side_reading_, replay_->row.until, replay_->filter, read);
  } else if (main_allowed()) {
    scan(stream, main_reading_, core_.live_end, filter_, read);
  }
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

// `read`: what was read and is not offered yet.
void Runner::scan(Stream& stream, Reading& reading, Offset until, std::shared_ptr<const EventFilter> filter, const Scan* read) {
  const Offset from = read == nullptr ? stream.read() : read->next;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; read != nullptr && i < read->events.size(); ++i) bytes += read->events[i]->body.size();
  const std::size_t taken = read == nullptr ? 0 : read->events.size();
  const std::size_t room = stream.room(), room_bytes = stream.room_bytes();
  if (reading.scanning || from >= until || room <= taken || room - taken < core_.options.window_events_max / 4 || room_bytes <= bytes) return;
  reading.scanning = true;
  auto answer = bound([id = stream.id()](Runner& self, std::shared_ptr<Result<Scan>> result) { self.scanned(id, std::move(*result)); });
  // Half a window at once: while one half is handled, the other is read.
  const std::size_t events = std::min<std::size_t>(room - taken, std::max(1U, core_.options.window_events_max / 2));
  core_.scanner.request({reading.place, from, until, events, static_cast<std::size_t>(room_bytes - bytes), wants(std::move(filter)),
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
  // Order: what comes next is asked for before this is worked through, so that both go on at once.
  read_on(*stream, &result.value());
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

}  // namespace hookhost::delivery
