// Reading: live events as they come, what a subscriber or a replay catches up with, and what stands behind lanes that are free again.
#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

// How far the dispatcher goes back for one that joins: few enough not to be felt by others, but for those that start.
constexpr std::uint64_t kNearEvents = 512;
constexpr std::uint64_t kStartEvents = 100'000;
// Those that start and are farther behind join together.
constexpr Duration kJoinEvery = std::chrono::milliseconds{200};

HeadFilter wants(std::shared_ptr<const EventFilter> filter) {
  return [filter = std::move(filter)](const EventHead& head) { return filter->passes(head); };
}

}  // namespace

void Runner::offer_live(const event_log::EventPtr& event) {
  if (event->offset < main_->read()) return;
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

bool Runner::allowed(const Stream& stream) const {
  if (&stream == main_.get()) return main_allowed();
  return !replay_->cancelling && row_.condition == state::Condition::live;
}

void Runner::read_main() {
  if (!main_allowed()) {
    if (live_) leave_live(core_.live_end);
    return;
  }
  if (core_.now < scan_again_) return wake_at(scan_again_);
  if (live_) main_->advance(core_.live_end);
  read_again(*main_);
  read_pass(*main_);
  if (live_ || main_reading_.ahead.busy || (!reads_until_ && step_to_live())) return;
  read_on(*main_, nullptr);
}

void Runner::read_replay() {
  if (!allowed(*side_) || core_.now < scan_again_) return;
  read_again(*side_);
  read_pass(*side_);
  read_on(*side_, nullptr);
}

// The dispatcher goes back to where this one is and reads on for all live ones; those that were offered these events pass over them. So many
// that start together after a kill cost one reading, not one each.
bool Runner::step_to_live() {
  const std::uint64_t gap = core_.live_end.distance_from(main_->read());
  if (gap > kNearEvents && fresh_ && gap <= kStartEvents) {
    if (!join_at_) {
      if (core_.join_at <= core_.now) core_.join_at = core_.now + kJoinEvery;
      join_at_ = core_.join_at;
    }
    if (core_.now < *join_at_) return wake_at(*join_at_), true;
  } else if (gap > kNearEvents || main_->room() < std::max<std::uint64_t>(1, gap)) {
    return false;
  }
  core_.live_end = std::min(core_.live_end, main_->read());
  fresh_ = false;
  join_at_.reset();
  set_live(true);
  return true;
}

// Asks the scanner; what it read goes to `arrived`, on the loop. An answer for a reading that ended meanwhile is dropped.
void Runner::ask(const Stream& stream, Scanning Reading::*what, ScanRequest request, void (Runner::*arrived)(Stream&, Scan)) {
  Scanning& asked = reading_of(stream).*what;
  asked.busy = true;
  request.place = asked.place;
  auto answer = bound([id = stream.id(), what, place = asked.place, arrived](Runner& self, const std::shared_ptr<Result<Scan>>& result) {
    Stream* to = self.stream_of(id);
    if (to == nullptr) return;
    Scanning& asked_of = self.reading_of(*to).*what;
    if (asked_of.place != place) return;
    asked_of.busy = false;
    self.touch();
    if (!*result) {
      self.note_error(result->error().message);
      self.scan_again_ = self.core_.now + kReadAgain;
      return;
    }
    to->set_now(self.core_.now);
    (self.*arrived)(*to, std::move(result->value()));
  });
  request.answer = [answer](Result<Scan> result) { answer(std::make_shared<Result<Scan>>(std::move(result))); };
  core_.scanner.request(std::move(request));
}

// `read`: what was read and is not offered yet.
void Runner::read_on(Stream& stream, const Scan* read) {
  if (draining_ || !allowed(stream) || reading_of(stream).ahead.busy) return;
  const bool side = &stream == side_.get();
  const Offset from = read == nullptr ? stream.read() : read->next;
  const Offset until = side ? replay_->row.until : reads_until_.value_or(core_.live_end);
  std::size_t taken = 0, bytes = 0;
  if (read != nullptr) {
    taken = read->events.size();
    for (const auto& event : read->events) bytes += event->body.size();
  }
  const std::size_t room = stream.room(), room_bytes = stream.room_bytes(), window = core_.options.window_events_max;
  if (from >= until || room <= taken || room - taken < window / 4 || room_bytes <= bytes) return;
  // Half a window at once: while one half is handled, the other is read.
  const std::size_t events = std::min(room - taken, std::max<std::size_t>(1, window / 2));
  ask(stream, &Reading::ahead, {{}, from, until, events, room_bytes - bytes, wants(side ? replay_->filter : filter_), {}}, &Runner::scanned);
}

void Runner::scanned(Stream& stream, Scan scan) {
  note_removed(scan.removed);
  // Order: what comes next is asked for before this is worked through, so that both go on at once.
  read_on(stream, &scan);
  for (auto& event : scan.events) stream.offer(std::move(event));
  stream.advance(scan.next);
  (stream.id() == state::kMainStream ? changes_.position : changes_.replay) = true;
  changed();
}

void Runner::read_again(Stream& stream) {
  if (reading_of(stream).again.busy) return;
  auto again = stream.next_again();
  if (again.offsets.empty()) return;
  ask(stream, &Reading::again, {{}, {}, {}, 0, again.bytes_max, {}, {}, std::move(again.offsets)}, &Runner::again_scanned);
}

void Runner::again_scanned(Stream& stream, Scan scan) {
  for (auto& event : scan.events) stream.offer_again(std::move(event));
  for (const Offset gone : stream.again_up_to(scan.next)) note_removed({{gone, gone.next()}});
}

void Runner::read_pass(Stream& stream) {
  if (reading_of(stream).pass.busy) return;
  const auto pass = stream.next_pass();
  if (!pass) return;
  const auto filter = stream.id() == state::kMainStream ? filter_ : replay_->filter;
  HeadFilter in_pass = wants(filter);
  if (options_.order_by.kind == OrderBy::Kind::key) {
    in_pass = [filter, lanes = pass->lanes](const EventHead& head) {
      return !head.key.empty() && lanes->contains(lane_number(head.source, head.team, head.key)) && filter->passes(head);
    };
  }
  constexpr std::size_t kPassEvents = 1'024;
  ask(stream, &Reading::pass, {{}, pass->from, pass->until, kPassEvents, core_.options.window_bytes_max, std::move(in_pass), {}, {}}, &Runner::pass_scanned);
}

void Runner::pass_scanned(Stream& stream, Scan scan) {
  if (live_ && &stream == main_.get()) stream.advance(core_.live_end);
  for (auto& event : scan.events) stream.offer_pass(std::move(event));
  stream.passed_up_to(scan.next);
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
