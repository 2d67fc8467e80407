// Applies batches to the tables. One connection, one thread.
#pragma once

#include <string_view>

#include "state/delivery_store.h"
#include "state/sqlite.h"

namespace hookhost::state {

// The name of the highest durable end in the table `meta`.
inline constexpr std::string_view kDurableEndName = "durable_end";
inline constexpr std::string_view kPositionsLostName = "positions_lost";  // kPositionsLost, else when that was settled, in Unix nanoseconds
inline constexpr std::uint64_t kPositionsLost = 1;

class BatchWriter {
 public:
  explicit BatchWriter(Database& database) : database_(database) {}
  // Within the open transaction, under a savepoint: all of it or nothing. After an error the transaction may be gone as a whole
  // (Database::in_transaction says so). Error: usage for a kv write above the limits; no_space; io_error; corrupt.
  [[nodiscard]] Result<> apply(const Batch& batch);
  [[nodiscard]] Result<> set_meta(std::string_view name, std::uint64_t value);

 private:
  [[nodiscard]] Result<> write(const Batch& batch);
  [[nodiscard]] Result<> clear(const Batch& batch);
  [[nodiscard]] Result<> put_row(const SubscriberRow& row);
  [[nodiscard]] Result<> put_position(const Batch& batch);
  [[nodiscard]] Result<> put_lanes(const Batch& batch);
  [[nodiscard]] Result<> put_parked(const Batch& batch);
  [[nodiscard]] Result<> put_kv(const Batch& batch);
  [[nodiscard]] Result<> put_history(const Batch& batch);

  Database& database_;
};

}  // namespace hookhost::state
