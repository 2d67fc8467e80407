// The tables of delivery.db and registry.db, and how older files become new ones. PRAGMA user_version counts the versions.
#pragma once

#include "base/result.h"
#include "state/sqlite.h"

namespace hookhost::state {

// True when the file was new. Error: not_supported, for a file that a newer hookhost made.
[[nodiscard]] Result<bool> migrate_delivery(Database& database);
[[nodiscard]] Result<bool> migrate_registry(Database& database);

}  // namespace hookhost::state
