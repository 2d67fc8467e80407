// The questions that may be asked of delivery.db. One connection; the caller serialises.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "state/delivery_store.h"
#include "state/sqlite.h"

namespace hookhost::state::reads {

[[nodiscard]] Result<std::vector<SubscriberRow>> subscribers(Database& database);
// Of a file of any version. Error: a position that cannot be read, too.
[[nodiscard]] Result<std::map<SubscriberId, std::string>> kinds(Database& database);
[[nodiscard]] Result<std::optional<Loaded>> load(Database& database, const SubscriberId& subscriber);
[[nodiscard]] Result<std::vector<std::pair<SubscriberId, ParkedRow>>> parked(Database& database, const ParkedQuery& query);
[[nodiscard]] Result<std::optional<ParkedRow>> parked_one(Database& database, const SubscriberId& subscriber, StreamId stream, Offset offset);
[[nodiscard]] Result<std::uint64_t> count_parked(Database& database, const SubscriberId& subscriber, ParkedRow::Kind kind);
[[nodiscard]] Result<std::vector<ReplayRow>> replays(Database& database, const std::optional<SubscriberId>& subscriber);
[[nodiscard]] Result<std::vector<GapRow>> gaps(Database& database, const SubscriberId& subscriber);
[[nodiscard]] Result<std::optional<std::string>> kv_get(Database& database, const SubscriberId& subscriber, std::string_view key);
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> kv_scan(Database& database, const SubscriberId& subscriber,
                                                                              std::string_view prefix, std::string_view after,
                                                                              std::size_t limit);
[[nodiscard]] Result<std::uint64_t> meta(Database& database, std::string_view name);  // 0 when absent
[[nodiscard]] Result<std::uint64_t> highest_replay(Database& database);

}  // namespace hookhost::state::reads
