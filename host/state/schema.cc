#include "state/schema.h"

#include <array>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "state/attempts.h"

namespace hookhost::state {
namespace {

// Version 1. Offsets and times are integers; times in nanoseconds since 1970.
constexpr const char* kDelivery1 = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE subscriber (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, condition INTEGER NOT NULL, reason TEXT NOT NULL, frontier INTEGER NOT NULL, done BLOB NOT NULL,
  token INTEGER NOT NULL, reset_pending INTEGER NOT NULL, handled_any INTEGER NOT NULL, failed_run INTEGER NOT NULL, plan BLOB NOT NULL,
  created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, prepared BLOB NOT NULL DEFAULT x'') WITHOUT ROWID;
CREATE TABLE lane (
  subscriber TEXT NOT NULL, stream INTEGER NOT NULL, lane BLOB NOT NULL, head INTEGER, attempts INTEGER NOT NULL, crashes INTEGER NOT NULL,
  due INTEGER NOT NULL, last_outcome TEXT NOT NULL, last_error TEXT NOT NULL, first_skipped INTEGER,
  PRIMARY KEY (subscriber, stream, lane)) WITHOUT ROWID;
CREATE TABLE parked (
  subscriber TEXT NOT NULL, stream INTEGER NOT NULL, offset INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
  reason TEXT NOT NULL, attempts INTEGER NOT NULL, last_error TEXT NOT NULL, parked_at INTEGER NOT NULL, run INTEGER NOT NULL,
  event BLOB NOT NULL, PRIMARY KEY (subscriber, stream, offset));
CREATE INDEX parked_kind ON parked (subscriber, kind, run);
CREATE TABLE kv (subscriber TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (subscriber, key)) WITHOUT ROWID;
CREATE TABLE attempt (
  subscriber TEXT NOT NULL, stream INTEGER NOT NULL, offset INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, attempt INTEGER NOT NULL,
  at INTEGER NOT NULL, took INTEGER NOT NULL, outcome TEXT NOT NULL, error TEXT NOT NULL);
CREATE INDEX attempt_place ON attempt (subscriber, offset);
CREATE INDEX attempt_time ON attempt (at);
CREATE TABLE replay (
  id INTEGER PRIMARY KEY, subscriber TEXT NOT NULL, mode TEXT NOT NULL, state TEXT NOT NULL, filter BLOB NOT NULL, from_offset INTEGER NOT NULL,
  until_offset INTEGER NOT NULL, frontier INTEGER NOT NULL, done BLOB NOT NULL, rate REAL NOT NULL, total INTEGER NOT NULL,
  handled INTEGER NOT NULL, failed INTEGER NOT NULL, created_at INTEGER NOT NULL, finished_at INTEGER NOT NULL);
CREATE TABLE gap (
  subscriber TEXT NOT NULL, from_offset INTEGER NOT NULL, until_offset INTEGER NOT NULL, at INTEGER NOT NULL, acknowledged INTEGER NOT NULL,
  PRIMARY KEY (subscriber, from_offset)) WITHOUT ROWID;
)sql";

// Version 2: crashes outlive the process.
constexpr const char* kDelivery2 = R"sql(
CREATE TABLE crash (
  subscriber TEXT NOT NULL, stream INTEGER NOT NULL, offset INTEGER NOT NULL, attempt INTEGER NOT NULL, crashes INTEGER NOT NULL,
  cause TEXT NOT NULL, at INTEGER NOT NULL, life INTEGER NOT NULL, PRIMARY KEY (subscriber, stream, offset)) WITHOUT ROWID;
)sql";

// Version 3: what endpoints keep.
constexpr const char* kDelivery3 = R"sql(
ALTER TABLE attempt ADD COLUMN http_status INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN answer BLOB NOT NULL DEFAULT x'';
ALTER TABLE subscriber ADD COLUMN failed_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscriber ADD COLUMN successes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscriber ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscriber ADD COLUMN last_success INTEGER;
ALTER TABLE subscriber ADD COLUMN last_failure INTEGER;
)sql";

// Version 4: attempts stand in the order of their time; an index of it cost each of them more than it saved.
constexpr const char* kDelivery4 = "DROP INDEX attempt_time;";

// Version 5: those of a batch lie together (attempts.h). `at`: of the newest, `first` and `last`: offsets that all of them lie between.
constexpr const char* kDelivery5 = R"sql(
CREATE TABLE attempts (subscriber TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, at INTEGER NOT NULL, rows BLOB NOT NULL);
CREATE INDEX attempts_place ON attempts (subscriber, last, first);
)sql";

constexpr const char* kRegistry1 = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)sql";

// Version 2. `hash`: the key's SHA-256; the key itself is known to nobody but its owner.
constexpr const char* kRegistry2 = R"sql(
CREATE TABLE webhook (
  id TEXT PRIMARY KEY, team TEXT, origin TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL, previous_secret TEXT NOT NULL,
  previous_until INTEGER, events TEXT NOT NULL, settings TEXT NOT NULL, active INTEGER NOT NULL, created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE team_key (
  id TEXT PRIMARY KEY, team TEXT NOT NULL, label TEXT NOT NULL, hash BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL, revoked_at INTEGER)
  WITHOUT ROWID;
)sql";

// What makes a version of the one before.
struct Version {
  const char* sql;
  Result<> (*then)(Database&) = nullptr;
};
struct Kind {
  const char* name;
  std::int64_t application_id;        // whose file it is, in SQLite's header
  std::span<const Version> versions;
};
constexpr std::array kDeliveryVersions{Version{kDelivery1}, Version{kDelivery2}, Version{kDelivery3}, Version{kDelivery4}, Version{kDelivery5, take_over_attempts}};
constexpr std::array kRegistryVersions{Version{kRegistry1}, Version{kRegistry2}};
constexpr Kind kDelivery{"delivery.db", 0x686b646c, kDeliveryVersions};  // "hkdl"
constexpr Kind kRegistry{"registry.db", 0x686b7267, kRegistryVersions};  // "hkrg"

Result<> make(Database& database, std::span<const Version> versions) {
  for (const Version& one : versions) {
    HOOKHOST_CHECK(database.execute(one.sql));
    if (one.then != nullptr) HOOKHOST_CHECK(one.then(database));
  }
  return success();
}

Result<std::int64_t> ask(Database& database, const char* question) {
  HOOKHOST_TRY(auto answer, database.prepare(question));
  HOOKHOST_TRY(const bool found, answer.row());
  return found ? answer.integer(0) : 0;
}

// "table.column" of all, and the names of indexes.
Result<std::set<std::string>> parts_of(Database& database) {
  HOOKHOST_TRY(auto all, database.prepare("SELECT one.name || '.' || its.name FROM sqlite_schema AS one, pragma_table_info(one.name) AS its "
                                          "WHERE one.type='table' UNION ALL SELECT name FROM sqlite_schema WHERE type='index' AND sql IS NOT NULL"));
  std::set<std::string> out;
  for (;;) {
    HOOKHOST_TRY(const bool found, all.row());
    if (!found) return out;
    out.insert(all.text(0));
  }
}

// Everything that this version's files have, compared with a new one in memory; and nothing that a later version makes.
Result<> check_parts(Database& database, const Kind& kind, std::size_t version) {
  HOOKHOST_TRY(auto pattern, Database::open_empty());
  HOOKHOST_CHECK(make(pattern, kind.versions.first(version)));
  HOOKHOST_TRY(const auto wanted, parts_of(pattern));
  HOOKHOST_TRY(const auto there, parts_of(database));
  HOOKHOST_CHECK(make(pattern, kind.versions.subspan(version)));
  HOOKHOST_TRY(const auto later, parts_of(pattern));
  for (const std::string& part : later) {
    if (wanted.contains(part) || !there.contains(part)) continue;
    return fail(ErrorCode::corrupt, std::string(kind.name) + " says that it is of version " + std::to_string(version) + ", and has " + part +
                                        " of a later one; restore a copy of it");
  }
  for (const std::string& part : wanted) {
    if (!there.contains(part)) return fail(ErrorCode::corrupt, std::string(kind.name) + " lacks " + part + "; restore a copy of it");
  }
  return success();
}

// nullopt: the file is empty.
Result<std::optional<std::size_t>> version_of(Database& database, const Kind& kind) {
  HOOKHOST_TRY(const std::int64_t version, ask(database, "PRAGMA user_version"));
  HOOKHOST_TRY(const std::int64_t owner, ask(database, "PRAGMA application_id"));
  HOOKHOST_TRY(const std::int64_t objects, ask(database, "SELECT count(*) FROM sqlite_schema"));
  if (version == 0 && owner == 0 && objects == 0) return std::optional<std::size_t>{};
  if (owner == kind.application_id && version <= 0) {
    return fail(ErrorCode::corrupt, std::string(kind.name) + " says that it is of version " + std::to_string(version) +
                                        ", which no hookhost has made; restore a copy of it");
  }
  if (owner != kind.application_id) {
    return fail(ErrorCode::corrupt, std::string("the file in the place of ") + kind.name + " is a database of something else; move it away, or name another data_dir");
  }
  const auto known = static_cast<std::size_t>(version);
  if (known > kind.versions.size()) {
    return fail(ErrorCode::not_supported, std::string(kind.name) + " was made by a newer hookhost; run that one, or restore a copy from before");
  }
  HOOKHOST_CHECK(check_parts(database, kind, known));
  return std::optional(known);
}

// Order: the version is read inside the transaction, so that two processes cannot both find an old one.
Result<bool> migrate(Database& database, const Kind& kind, const char* if_made = "") {
  HOOKHOST_TRY(auto transaction, Transaction::begin(database));
  HOOKHOST_TRY(const auto version, version_of(database, kind));
  if (version == kind.versions.size()) return false;
  HOOKHOST_CHECK(make(database, kind.versions.subspan(version.value_or(0))));
  const std::string mark =
      "PRAGMA application_id=" + std::to_string(kind.application_id) + "; PRAGMA user_version=" + std::to_string(kind.versions.size());
  HOOKHOST_CHECK(database.execute(mark.c_str()));
  if (!version) HOOKHOST_CHECK(database.execute(if_made));
  HOOKHOST_CHECK(transaction.commit());
  return !version;
}

Result<> check(Database& database, const Kind& kind) {
  HOOKHOST_CHECK(version_of(database, kind));
  return success();
}

}  // namespace

Result<> check_delivery(Database& database) { return check(database, kDelivery); }
Result<> check_registry(Database& database) { return check(database, kRegistry); }
Result<bool> migrate_delivery(Database& database, const char* if_made) { return migrate(database, kDelivery, if_made); }
Result<bool> migrate_registry(Database& database) { return migrate(database, kRegistry); }

}  // namespace hookhost::state
