// Status.
#include <algorithm>

#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

std::string name_of(state::Condition condition) {
  switch (condition) {
    case state::Condition::live: return "live";
    case state::Condition::held: return "held";
    case state::Condition::paused: return "paused";
    case state::Condition::stopped: return "stopped";
    case state::Condition::detached: return "detached";
  }
  return "unknown";
}

}  // namespace

Stream* Runner::stream_of(state::StreamId id) {
  if (id == state::kMainStream) return main_.get();
  return side_ && side_->id() == id ? side_.get() : nullptr;
}

Stream* Runner::other_of(const Stream& stream) { return &stream == main_.get() ? side_.get() : main_.get(); }

std::uint64_t Runner::blocked_keys() const {
  std::uint64_t out = 0;
  for (const Stream* stream : {main_.get(), side_.get()}) {
    if (stream != nullptr) out += stream->open_lanes();
  }
  return out;
}

std::vector<Unsent> Runner::unsent(Offset end) const {
  std::vector<Unsent> out;
  for (const Stream* stream : {main_.get(), side_.get()}) {
    if (stream == nullptr) continue;
    const bool side = stream == side_.get();
    out.push_back({stream->position(), side ? replay_->row.until : end, side ? *replay_->filter : *filter_, {}});
    for (const auto& [number, lane] : stream->lanes()) {
      if (!lane.owed) continue;
      out.back().lanes.push_back({.stream = stream->id(), .lane = lane.owed->name, .head = lane.owed->head, .first_skipped = lane.owed->first_skipped});
    }
  }
  return out;
}

SubscriberStatus Runner::status() const {
  SubscriberStatus out;
  out.id = row_.id;
  out.kind = row_.kind;
  out.state = name_of(row_.condition);
  out.reason = row_.reason;
  const std::string name = row_.id.value;
  const Offset end = core_.feed.durable_end();
  out.position = main_ ? main_->frontier() : row_.position.frontier;
  if (live_ && main_->window().empty()) out.position = next_position();
  out.lag_events = end.distance_from(out.position);
  if (out.lag_events > 0 && main_) {
    const auto* oldest = main_->window().oldest();
    const WallTime since = oldest != nullptr ? oldest->received_at : main_->last_read_at();
    if (since != WallTime{}) out.lag = std::max(Duration::zero(), Duration{core_.wall - since});
  }
  out.blocked_keys = main_ ? blocked_keys() : lanes_at_rest_;
  out.pending = pool_.used();
  out.dead_letters = dead_letters_;
  out.held = held_;
  out.gaps = gaps_;
  out.in_flight = in_flight_;
  out.failed_run = row_.failed_run;
  out.tally = row_.tally;
  out.outcomes = counts_;
  out.earlier_events = earlier_.events;
  out.last_error = last_error_;
  out.last_error_at = last_error_at_;
  if (replay_) out.replay = replay_->row.id;
  if (phase_ == Phase::failed) out.start_error = phase_reason_;
  if (!attached() && idle_.state == "failed") out.start_error = idle_.reason;
  const std::string resume = resume_command(row_.kind, row_.id);
  switch (row_.condition) {
    case state::Condition::held: out.way_out = resume + ", or hookhost replay " + name + " --from beginning"; return out;
    case state::Condition::paused:
    case state::Condition::stopped: out.way_out = resume; return out;
    case state::Condition::detached:
      out.way_out = "put it back into the configuration and reload, or: hookhost " +
                    (row_.kind == "endpoint" ? "endpoint remove " + name : "plugin forget " + name);
      return out;
    case state::Condition::live: break;
  }
  if (!attached()) {
    out.state = idle_.state;
    out.reason = idle_.reason;
    if (out.state == "failed") out.way_out = "hookhost reload tries it again";
    return out;
  }
  switch (phase_) {
    case Phase::none:
    case Phase::starting:
    case Phase::stopping:
      out.state = "starting";
      if (start_failures_ > 0) out.reason = last_error_;
      return out;
    case Phase::failed:
      out.state = "failed";
      out.reason = phase_reason_;
      out.way_out = "correct what the reason says, then: hookhost reload";
      return out;
    case Phase::running: break;
  }
  if (!availability_.is_up()) {
    out.state = "waiting";
    out.reason = "it says that what it depends on is unavailable: " + down_because_;
  } else if (replay_ && replay_->goes_first) {
    out.state = "replaying";
  } else {
    out.state = live_ ? "live" : "catching_up";
  }
  if (main_ && main_->open_lanes() >= core_.options.blocked_lanes_max) {
    out.reason = "as many keys are blocked as delivery.blocked_lanes_max lets be (" + std::to_string(core_.options.blocked_lanes_max) + "): no other event is read until one of them goes on";
    out.way_out = "hookhost deliveries list --subscriber " + name + " --state blocked shows why; mend the handler, or raise delivery.blocked_lanes_max and restart";
  }
  if (options_.order_by != order_wished_ && out.reason.empty()) {
    out.reason = "order_by is still '" + options_.order_by.text() + "': '" + order_wished_.text() + "' is taken up when no key is blocked by it";
    if (reads_until_) out.reason += ", and new events wait for that";
    out.way_out = "hookhost deliveries list --subscriber " + name + " --state blocked shows what waits, hookhost deliveries retry-now tries it now";
  }
  return out;
}

bool Runner::deliveries(const DeliveryQuery& query, std::vector<DeliveryStatus>& out) const {
  if (!main_) return false;
  const auto add = [&](DeliveryStatus status) {
    if (query.wants(status)) out.push_back(std::move(status));
  };
  for (const Stream* stream : {main_.get(), side_.get()}) {
    if (stream == nullptr) continue;
    for (const auto& [number, lane] : stream->lanes()) {
      if (!lane.owed) continue;
      const Owed& owed = *lane.owed;
      DeliveryStatus status;
      const auto waits = [&](Offset offset, const Setback& setback) {
        status = DeliveryStatus{row_.id, stream->id(), offset, {}, {}, readable_lane(owed.name), "blocked", setback.attempts, setback.due,
                                setback.last_outcome, setback.last_error};
        add(status);
      };
      const bool prior_waits = !owed.priors.empty() && owed.priors.front().setback.attempts > 0;
      if (prior_waits && !lane.running) waits(owed.priors.front().offset, owed.priors.front().setback);
      if (owed.head && (!lane.running || prior_waits)) waits(*owed.head, owed.setback);
      if (owed.first_skipped && !owed.complete) {
        status = DeliveryStatus{row_.id, stream->id(), *owed.first_skipped, {}, {}, readable_lane(owed.name), "behind", 0, {}, {}, {}};
        add(status);
      }
    }
  }
  for (const auto& pending : pool_.places()) {
    if (!pending.used || !pending.event) continue;
    DeliveryStatus status;
    status.subscriber = row_.id;
    status.stream = pending.stream;
    status.offset = pending.offset;
    status.id = pending.event->id;
    status.type = pending.event->type;
    status.key = pending.event->key;
    status.state = pending.submitted ? "running" : "pending";
    status.attempts = pending.attempt - 1;
    add(std::move(status));
  }
  return true;
}

bool Runner::is_in_use(const state::LaneRow& lane, const std::vector<state::ReplayRow>& running) {
  return lane.stream == state::kMainStream || std::any_of(running.begin(), running.end(), [&](const auto& replay) { return replay.id == lane.stream; });
}

void Runner::stored_deliveries(const state::Loaded& loaded, const DeliveryQuery& query, std::vector<DeliveryStatus>& out) {
  const auto add = [&](const state::LaneRow& lane, Offset offset, const char* state) {
    DeliveryStatus status{loaded.row.id, lane.stream, offset, {}, {}, readable_lane(lane.lane), state, 0, {}, {}, {}};
    if (offset == lane.head) {
      status.attempts = lane.attempts;
      status.next_attempt_at = lane.due;
      status.last_outcome = lane.last_outcome;
      status.last_error = lane.last_error;
    }
    if (query.wants(status)) out.push_back(std::move(status));
  };
  for (const auto& lane : loaded.lanes) {
    if (!is_in_use(lane, loaded.replays)) continue;
    if (lane.head) add(lane, *lane.head, "blocked");
    if (lane.first_skipped) add(lane, *lane.first_skipped, "behind");
  }
}

std::optional<ReplayProgress> Runner::progress() const {
  if (!replay_) return std::nullopt;
  const auto& row = replay_->row;
  ReplayProgress out;
  out.id = row.id;
  out.subscriber = row.subscriber;
  out.mode = row.mode;
  const bool blocked = side_->read() >= row.until && side_->only_waits();
  out.state = blocked ? "blocked" : "running";
  out.from = row.from;
  out.until = row.until;
  out.position = std::min(side_->frontier(), row.until);
  out.total = row.total;
  out.handled = row.handled;
  out.failed = row.failed;
  out.rate = row.rate;
  out.blocked_keys = static_cast<std::uint32_t>(side_->open_lanes());
  out.created_at = row.created_at;
  const double seconds = std::chrono::duration<double>(core_.now - replay_->began).count();
  const auto through = row.handled + row.failed;
  if (seconds > 0) out.events_per_second = static_cast<double>(through - replay_->handled_before) / seconds;
  if (out.events_per_second > 0 && row.total > through) {
    out.left = Duration(static_cast<std::int64_t>(static_cast<double>(row.total - through) / out.events_per_second * 1e9));
  }
  return out;
}

}  // namespace hookhost::delivery
