// The tables of delivery.db and registry.db, and how older files become new ones. PRAGMA user_version counts the versions.
#pragma once

#include "base/result.h"
#include "state/sqlite.h"

namespace hookhost::state {

// Whether migrate_*() would take the file as it is. Error: as theirs.
[[nodiscard]] Result<> check_delivery(Database& database);
[[nodiscard]] Result<> check_registry(Database& database);

// In one transaction. True when the file was empty; then `if_made` is executed in it too. Error: not_supported for a file that a newer hookhost
// made; corrupt for a database of something else, and for one that lacks a table or a column.
[[nodiscard]] Result<bool> migrate_delivery(Database& database, const char* if_made = "");
[[nodiscard]] Result<bool> migrate_registry(Database& database);

}  // namespace hookhost::state
