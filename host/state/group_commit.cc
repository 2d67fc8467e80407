#include "state/group_commit.h"

#include <algorithm>

#include "base/failpoint.h"
#include "state/attempts.h"
#include "state/reads.h"

namespace hookhost::state {

std::vector<Result<>> GroupCommit::commit(const std::vector<Waiting>& group, Offset durable_end) {
  auto results = transact(group, durable_end);
  if (results) return std::move(results.value());
  return std::vector<Result<>>(group.size(), Result<>(fail(results.error())));
}

Result<std::vector<Result<>>> GroupCommit::transact(const std::vector<Waiting>& group, Offset durable_end) {
  const bool ahead = durable_end > written_end();
  if (group.empty() && !ahead) return std::vector<Result<>>{};
  if (failpoint_error("state.commit")) return fail(ErrorCode::io_error, "cannot commit to delivery.db (failpoint state.commit)");
  HOOKHOST_CHECK(set_synchronous(std::any_of(group.begin(), group.end(), [](const Waiting& one) { return one.batch.durable; })));
  HOOKHOST_TRY(auto transaction, Transaction::begin(database_));
  std::vector<Result<>> results;
  results.reserve(group.size());
  std::set<SubscriberId> broken;
  for (const Waiting& one : group) {
    results.push_back(apply(one, broken));
    // Order: ask before the next one. Without a transaction its savepoint would commit by itself.
    if (!database_.in_transaction()) return fail(results.back().error());
  }
  if (ahead) HOOKHOST_CHECK(writer_.set_meta(kDurableEndName, durable_end.value));
  HOOKHOST_FAILPOINT("state.before_commit");
  HOOKHOST_CHECK(transaction.commit());
  HOOKHOST_FAILPOINT("state.after_commit");
  if (ahead) written_end_.store(durable_end.value);
  return results;
}

// The pragma has no effect within a transaction, and costs nothing between two.
Result<> GroupCommit::set_synchronous(bool full) {
  if (full == full_) return success();
  HOOKHOST_CHECK(database_.execute(full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  full_ = full;
  return success();
}

Result<> GroupCommit::apply(const Waiting& one, std::set<SubscriberId>& broken) {
  if (one.prune_before) return prune_attempts(database_, *one.prune_before);
  if (one.settled_at) return writer_.set_meta(kPositionsLostName, static_cast<std::uint64_t>(to_unix_ns(*one.settled_at)));
  if (broken.contains(one.batch.subscriber)) {
    return fail(ErrorCode::io_error, "not applied: an earlier batch of " + one.batch.subscriber.value + " failed just before it");
  }
  auto applied = writer_.apply(one.batch);
  if (!applied) broken.insert(one.batch.subscriber);
  return applied;
}

}  // namespace hookhost::state
