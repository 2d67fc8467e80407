// Looking at the databases of this room before they are opened. Where no host runs or was killed, nothing is made beside the file, written or locked.
//
// Precondition of each: this process has the file open nowhere. Closing any descriptor of a file lets go of all locks that the process has on it.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/types.h"

namespace hookhost::state {

// Whether what is at `path`, if anything, can be opened: a sound first page, of a version that this hookhost knows, with its tables. Error: as the opening
// would say it. `may_create`: as Registry::open() takes it.
[[nodiscard]] Result<> check_delivery_file(const std::string& path);
[[nodiscard]] Result<> check_registry_file(const std::string& path, bool may_create);

// Whether registry.db is there and holds something: an empty one, as a crash at the first start leaves it or somebody's touch(1) makes it, registers nothing either.
// Error: not_found (the message names the way out).
[[nodiscard]] Result<> check_registry_is_kept(const std::string& path);

// What of delivery.db a start judges the event log and the configuration by.
struct Kept {
  Offset durable_end;                         // DeliveryStore::durable_end_seen()
  bool positions_lost = false;                // as DeliveryStore has it
  std::map<SubscriberId, std::string> kinds;  // of everyone who has a position
};
// Error: not_found; as the opening would say it.
[[nodiscard]] Result<Kept> kept_in(const std::string& path);

}  // namespace hookhost::state
