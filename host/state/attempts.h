// The history of attempts in delivery.db: those of one batch lie together in one row, or in a few.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "state/delivery_store.h"
#include "state/sqlite.h"

namespace hookhost::state {

[[nodiscard]] Result<> put_attempts(Database& database, std::string_view subscriber, std::span<const AttemptRow> rows);
// The newest first. Error: corrupt.
[[nodiscard]] Result<std::vector<AttemptRow>> read_attempts(Database& database, std::string_view subscriber, const AttemptQuery& query);
// Whether there are rows that prune_attempts() would drop.
[[nodiscard]] Result<bool> are_attempts_before(Database& database, WallTime before);
// Some hundred of the rows whose newest attempt is older.
[[nodiscard]] Result<> prune_attempts(Database& database, WallTime before);
// Those of a file of version 4, which had a row for each. Within a transaction.
[[nodiscard]] Result<> take_over_attempts(Database& database);

}  // namespace hookhost::state
