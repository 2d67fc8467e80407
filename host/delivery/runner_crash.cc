// Attempts that ended what they ran in: the instance, its worker, or the host itself. Nobody lived to tell their outcome.
#include "delivery/runner.h"

namespace hookhost::delivery {

// Durable at once, not with the next batch: what crashed may crash again before that.
void Runner::count_crash(state::CrashRow crash, std::function<void(Result<std::uint32_t>)> done) {
  state::CrashRow& known = crashes_[{crash.stream, crash.offset}];
  if (crash.life != 0 && known.life == crash.life) return done(known.crashes);
  ++counts_.crashed;
  known = std::move(crash);
  state::Batch batch;
  batch.subscriber = row_.id;
  batch.durable = true;
  batch.crashes = {known};
  core_.store.commit(std::move(batch), [done = std::move(done), crashes = known.crashes](const Result<>& counted) {
    done(counted ? Result<std::uint32_t>(crashes) : Result<std::uint32_t>(fail(counted.error())));
  });
}

// A crash is an outcome that nobody lived to tell: it counts when the event's turn comes. False: there is none to tell.
bool Runner::tell_crash(Stream& stream, PendingNumber number) {
  Pending& pending = pool_[number];
  const auto found = crashes_.find({pending.stream, pending.offset});
  if (found == crashes_.end() || found->second.attempt < pending.attempt) return false;
  const state::CrashRow& crash = found->second;
  pending.attempt = crash.attempt;
  pending.crashes = crash.crashes - 1;
  Completion told;
  told.outcome = {Status::retry, true, false, crash.cause, {}};
  failed_attempt(stream, number, told);
  changed();
  return true;
}

// With the batch that says what became of the event.
void Runner::forget_crash(state::StreamId stream, Offset offset) {
  if (!crashes_.empty() && crashes_.erase({stream, offset}) != 0) changes_.batch.crashes_erased.emplace_back(stream, offset);
}

// What was counted a moment ago may not stand in the store yet; what was forgotten by a batch that failed does again.
void Runner::recall_crashes(const std::vector<state::CrashRow>& stored) {
  for (const auto& row : stored) {
    auto& known = crashes_[{row.stream, row.offset}];
    if (known.attempt <= row.attempt) known = row;
  }
}

}  // namespace hookhost::delivery
