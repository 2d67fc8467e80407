// The batches that waited together, in one transaction. One connection, the writer thread's.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "state/batch_writer.h"
#include "state/delivery_store.h"

namespace hookhost::state {

struct Waiting {
  Batch batch;
  std::function<void(Result<>)> done;
  std::optional<WallTime> prune_before;  // not a batch: drop some of the attempts older than this
  std::optional<WallTime> settled_at;    // not a batch: positions are no longer lost, since then
};

class GroupCommit {
 public:
  GroupCommit(Database& database, Offset durable_end) : database_(database), writer_(database), written_end_(durable_end.value) {}

  // One result for each, in their order. A batch that fails takes only itself back, and with it the later ones of its subscriber: they were
  // made on top of it. When the transaction as a whole fails, all do. FULL when one of them is durable. Of an empty group only the durable end is
  // written, if the file does not have it.
  [[nodiscard]] std::vector<Result<>> commit(const std::vector<Waiting>& group, Offset durable_end);
  [[nodiscard]] Offset written_end() const { return Offset{written_end_.load()}; }  // from every thread

 private:
  [[nodiscard]] Result<> set_synchronous(bool full);
  [[nodiscard]] Result<std::vector<Result<>>> transact(const std::vector<Waiting>& group, Offset durable_end);
  [[nodiscard]] Result<> apply(const Waiting& one, std::set<SubscriberId>& broken);

  Database& database_;
  BatchWriter writer_;
  std::atomic<std::uint64_t> written_end_;  // the durable end in the file
  bool full_ = false;                       // synchronous=FULL is set
};

}  // namespace hookhost::state
