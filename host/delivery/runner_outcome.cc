// What outcomes mean.
#include <algorithm>
#include <boost/json.hpp>

#include "base/diagnostics.h"
#include "delivery/runner.h"

namespace hookhost::delivery {
namespace {

constexpr std::size_t kErrorMax = 1024;

}  // namespace

void Runner::completed(std::uint64_t generation, std::vector<Completion>& completions) {
  if (generation != generation_) return returned(generation, completions);
  if (phase_ != Phase::running) return;
  main_->set_now(core_.now);
  if (side_) side_->set_now(core_.now);
  for (auto& completion : completions) settle(completion);
  touch();
}

void Runner::lost(std::uint64_t generation, const std::string& reason, const std::vector<std::uint64_t>& blamed) {
  if (generation != generation_) return;
  if (phase_ == Phase::starting) {  // before its start was heard of
    lost_early_ = reason;
    return;
  }
  if (phase_ != Phase::running) return;
  for (const auto id : blamed) {
    const auto number = pool_.find(id);
    if (!number || !pool_[*number].submitted) continue;
    const Pending& pending = pool_[*number];
    state::CrashRow crash;
    crash.stream = pending.stream;
    crash.offset = pending.offset;
    crash.attempt = pending.attempt;
    crash.crashes = pending.crashes + 1;
    crash.cause = reason;
    crash.at = core_.wall;
    count_crash(std::move(crash), [id = row_.id](const Result<std::uint32_t>& counted) {
      if (!counted) diagnose(Level::error, "delivery", "a crash was not counted: " + counted.error().message, {{"subscriber", id.value}});
    });
  }
  restart(reason);
}

void Runner::settle(Completion& completion) {
  const auto number = pool_.find(completion.id);
  if (!number || !pool_[*number].submitted) {
    ++counts_.misbehaved;
    return;
  }
  const Pending& pending = pool_[*number];
  Stream* stream = stream_of(pending.stream);
  const LaneNumber lane = pending.lane;
  const bool side = stream == side_.get();
  --in_flight_;
  if (side) {
    --side_out_;
    replay_->last_outcome = core_.now;
  }
  Outcome& outcome = completion.outcome;
  if (outcome.error.size() > kErrorMax) outcome.error.resize(kErrorMax);
  if (outcome.misbehaved) ++counts_.misbehaved;
  if (outcome.crashed) ++counts_.crashed;
  if (completion.called) {
    took_ = took_ == Duration::zero() ? completion.took : took_ + (completion.took - took_) / 16;
    ++changes_.outcomes;
    apply(*stream, *number, completion);
    changed();
  } else {
    availability_.taken_back(completion.id);
    stream->requeue(*number);
  }
  if (lane != kNoLane) {
    if (Stream* other = other_of(*stream)) other->poke(lane);
  }
}

void Runner::apply(Stream& stream, PendingNumber number, Completion& completion) {
  const Outcome& outcome = completion.outcome;
  const bool kv_missing = &stream == side_.get() && completion.kv_refused && !is_done(outcome.status);
  if (outcome.status != Status::unavailable || kv_missing) availability_.answered(completion.id);
  if (kv_missing) {
    note_error(kv_refusal(row_.id));
    replay_->failing = replay_->cancelling = true;
    return stream.requeue(number);
  }
  switch (outcome.status) {
    case Status::ok:
    case Status::ignored:
      succeeded(stream, number, completion);
      break;
    case Status::retry:
      ++counts_.retry;
      failed_attempt(stream, number, completion);
      break;
    case Status::reject:
      ++counts_.reject;
      note_error(outcome.error);
      note_attempt(pool_[number], "reject", outcome, completion.took);
      park(stream, number, "rejected", outcome.error, pool_[number].attempt);
      break;
    case Status::unavailable:
      ++counts_.unavailable;
      note_error(outcome.error);
      if (availability_.down(completion.id, core_.now, outcome.retry_after, core_.options, core_.jitter)) {
        down_because_ = last_error_;
        wake_at(availability_.until());
      }
      stream.requeue(number);
      break;
  }
}

void Runner::succeeded(Stream& stream, PendingNumber number, Completion& completion) {
  const Pending& pending = pool_[number];
  const bool ok = completion.outcome.status == Status::ok;
  ++(ok ? counts_.ok : counts_.ignored);
  start_failures_ = 0;
  if (pending.attempt > 1 || options_.keep_attempts) note_attempt(pending, to_string(completion.outcome.status), completion.outcome, completion.took);
  if (row_.failed_run != 0) end_run();
  if (recovering_) recovered();
  const bool side = &stream == side_.get();
  if (!completion.kv.empty() && (!side || replay_->kv)) {
    for (const auto& write : completion.kv) changes_.kv_bytes += write.key.size() + (write.value ? write.value->size() : 0);
    kv_->put(completion.kv, batch_number_);
    std::move(completion.kv.begin(), completion.kv.end(), std::back_inserter(changes_.batch.kv));
  }
  changes_.covered.push_back(pending.offset);
  if (side) {
    ++replay_->row.handled;
    changes_.replay = true;
  }
  if (pending.kind == Pending::Kind::prior) {
    unpark(pending.stream, pending.offset);
    uncount(pending);
  }
  forget_crash(pending.stream, pending.offset);
  stream.finish(number);
}

// Also what has not reached the store yet: a batch erases before it puts.
void Runner::unpark(state::StreamId stream, Offset offset) {
  std::erase_if(changes_.batch.parked, [&](const auto& row) { return row.stream == stream && row.offset == offset; });
  changes_.batch.parked_erased.emplace_back(stream, offset);
  recount_ = true;
}

// What the store still shows as parked may be under way again.
bool Runner::is_unparked(state::StreamId stream, Offset offset) const {
  const auto in = [&](const state::Batch& batch) {
    return std::find(batch.parked_erased.begin(), batch.parked_erased.end(), std::pair{stream, offset}) != batch.parked_erased.end();
  };
  return in(changes_.batch) || (!commit_idle() && in(batch_));
}

// A dead letter or a held event is one no more.
void Runner::uncount(const Pending& pending) {
  auto& count = pending.held ? held_ : dead_letters_;
  if (count > 0) --count;
}

void Runner::failed_attempt(Stream& stream, PendingNumber number, const Completion& completion) {
  Pending& pending = pool_[number];
  const Outcome& outcome = completion.outcome;
  note_error(outcome.error);
  note_attempt(pending, outcome.crashed ? "crashed" : "retry", outcome, completion.took);
  if (outcome.crashed) ++pending.crashes;
  if (probing_) return probe_failed(stream, number);
  if (outcome.gone) {
    gone_ = true;
    if (row_.condition == state::Condition::live) stop_myself("the receiver says that it is gone for good");  // Order: then this event is held
    return park(stream, number, "exhausted", outcome.error, pending.attempt);
  }
  if (pending.crashes >= kCrashesMax) return park(stream, number, "crashed", outcome.error, pending.attempt);
  const auto pause = retry_delay(options_.retry, pending.attempt, outcome.retry_after, outcome.wish, core_.jitter);
  if (!pause) return park(stream, number, "exhausted", outcome.error, pending.attempt);
  if (pending.kind == Pending::Kind::prior) {
    // Its copy is all there is when retention took the event: it stays a dead letter, for another retry by hand.
    if (pending.offset < core_.feed.begin()) return park(stream, number, "exhausted", outcome.error, pending.attempt);
  }
  const Pending was = pending;
  const bool waits_in_its_lane = stream.block(number, Setback{pending.attempt, pending.crashes, core_.wall + *pause, core_.now + *pause,
                                                              outcome.crashed ? "crashed" : "retry", outcome.error});
  if (waits_in_its_lane) forget_crash(was.stream, was.offset);  // its row says so; a prior has none that would
  if (was.kind != Pending::Kind::prior || !waits_in_its_lane) return;
  unpark(was.stream, was.offset);
  uncount(was);
}

// The event leaves the ordinary way as a dead letter, with a copy.
void Runner::park(Stream& stream, PendingNumber number, std::string_view reason, const std::string& error, std::uint32_t attempts) {
  const Pending& pending = pool_[number];
  state::ParkedRow row;
  row.kind = state::ParkedRow::Kind::dead;
  row.stream = pending.stream;
  row.offset = pending.offset;
  row.id = pending.event->id;
  row.type = pending.event->type;
  row.reason = reason;
  row.attempts = attempts;
  row.last_error = error;
  row.parked_at = core_.wall;
  row.event = core_.feed.encode(*pending.event);
  const bool verdict = reason == "rejected";
  row.run = verdict ? 0 : run_;
  // What was out when it stopped belongs to the run that stopped it.
  const bool hold = !verdict && row_.condition == state::Condition::stopped;
  if (hold) row.kind = state::ParkedRow::Kind::held;
  std::erase(changes_.batch.parked_erased, std::pair{row.stream, row.offset});
  changes_.batch.parked.push_back(std::move(row));
  if (pending.kind == Pending::Kind::prior) uncount(pending);
  ++(hold ? held_ : dead_letters_);
  recount_ = true;
  if (&stream == side_.get()) {
    ++replay_->row.failed;
    changes_.replay = true;
  }
  if (!verdict) {
    ++counts_.exhausted;
    if (!hold) count_failure(pending.offset);
    const bool is_dead = !hold && row_.condition != state::Condition::stopped;  // else it is held: `stopped` tells of it
    if (is_dead && !pending.event->type.starts_with(kOwnTypes)) {
      append_own("hookhost.subscriber.exhausted", "event " + std::to_string(pending.offset.value) + " became a dead letter: " + std::string(reason));
    }
  }
  forget_crash(pending.stream, pending.offset);
  stream.finish(number);
  changed();
}

void Runner::note_attempt(const Pending& pending, std::string_view name, const Outcome& outcome, Duration took) {
  changes_.batch.attempts.push_back({pending.stream, pending.offset, pending.event->id, pending.event->type, pending.attempt, core_.wall, took,
                                     std::string(name), outcome.error, outcome.http_status, outcome.answer});
  if (!options_.keep_attempts) return;
  const bool done = is_done(outcome.status);
  ++(done ? row_.tally.successes : row_.tally.failures);
  (done ? row_.tally.last_success : row_.tally.last_failure) = core_.wall;
  changes_.tally = true;
}

void Runner::append_own(std::string type, std::string detail) {
  boost::json::object body;
  body["subscriber"] = row_.id.value;
  body["kind"] = row_.kind;
  body["detail"] = detail;
  body["at"] = to_rfc3339(core_.wall);
  if (options_.team) body["team"] = *options_.team;
  core_.jobs.run([&feed = core_.feed, type = std::move(type), team = options_.team.value_or(""), json = boost::json::serialize(body)] {
    if (const auto appended = feed.append_own(type, team, json); !appended) {
      diagnose(Level::warn, "delivery", "an event of the host could not be appended: " + appended.error().message, {{"type", type}});
    }
  });
}

}  // namespace hookhost::delivery
