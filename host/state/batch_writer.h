// Applies batches to the tables. One connection, one thread.
#pragma once

#include <map>
#include <string>

#include "state/delivery_store.h"
#include "state/sqlite.h"

namespace hookhost::state {

class BatchWriter {
 public:
  explicit BatchWriter(Database& database) : database_(database) {}
  // Within the open transaction, under a savepoint: all of it or nothing.
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
  // Prepared once, kept.
  [[nodiscard]] Result<Statement*> statement(const char* sql);

  Database& database_;
  std::map<const char*, Statement> statements_;
};

}  // namespace hookhost::state
