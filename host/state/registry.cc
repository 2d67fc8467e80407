#include "state/registry.h"

#include <algorithm>

#include "os/file_system.h"
#include "state/database_file.h"
#include "state/schema.h"
#include "state/sqlite.h"

namespace hookhost::state {
namespace {

constexpr char kBetweenEvents = '\n';  // no pattern holds one

std::string joined(const std::vector<std::string>& events) {
  std::string out;
  for (const std::string& one : events) out += (out.empty() ? "" : std::string(1, kBetweenEvents)) + one;
  return out;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(kBetweenEvents, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

void bind_time(Statement& to, int index, const std::optional<WallTime>& time) {
  if (time) {
    to.bind(index, to_unix_ns(*time));
  } else {
    to.bind_null(index);
  }
}

std::optional<WallTime> time_at(const Statement& from, int column) {
  return from.is_null(column) ? std::nullopt : std::optional(from_unix_ns(from.integer(column)));
}

// Each by a name of its own, so that a team may be called whatever YAML allows.
constexpr const char* kTakenOut = "SELECT substr(name, 11) FROM meta WHERE substr(name, 1, 10) = 'taken_out:'";

Result<std::set<std::string>> read_names(Database& database, const char* sql) {
  HOOKHOST_TRY(auto all, database.prepare(sql));
  std::set<std::string> out;
  for (;;) {
    HOOKHOST_TRY(const bool found, all.row());
    if (!found) return out;
    out.insert(all.text(0));
  }
}

}  // namespace

struct Registry::Connection {
  Database database;
};

Registry::Registry(std::unique_ptr<Connection> connection, bool created) : connection_(std::move(connection)), created_(created) {}
Registry::~Registry() = default;

Result<std::unique_ptr<Registry>> Registry::open(const std::string& path, bool may_create) {
  if (!may_create) HOOKHOST_CHECK(check_registry_is_kept(path));
  HOOKHOST_TRY(auto database, Database::open(path, Database::Mode::read_write));
  HOOKHOST_CHECK(database.execute("PRAGMA synchronous=FULL"));
  HOOKHOST_TRY(const bool created, migrate_registry(database));
  return std::unique_ptr<Registry>(new Registry(std::make_unique<Connection>(Connection{std::move(database)}), created));
}

Result<Registry::Teams> Registry::teams_in(const std::string& path) {
  HOOKHOST_TRY(auto database, Database::open_to_look(path));
  Teams out;
  HOOKHOST_TRY(out.all, read_names(database, "SELECT team FROM webhook WHERE team IS NOT NULL UNION SELECT team FROM team_key WHERE revoked_at IS NULL"));
  HOOKHOST_TRY(out.taken_out, read_names(database, kTakenOut));
  return out;
}

Result<> Registry::put(const WebhookRow& row) {
  const std::scoped_lock lock(mutex_);
  HOOKHOST_TRY(const auto put, connection_->database.cached("INSERT OR REPLACE INTO webhook VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  put->bind(1, row.id);
  if (row.team) {
    put->bind(2, *row.team);
  } else {
    put->bind_null(2);
  }
  put->bind(3, row.origin).bind(4, row.name).bind(5, row.url).bind(6, row.secret).bind(7, row.previous_secret);
  bind_time(*put, 8, row.previous_until);
  put->bind(9, joined(row.events)).bind(10, row.settings).bind(11, row.active ? 1 : 0);
  put->bind(12, to_unix_ns(row.created_at)).bind(13, to_unix_ns(row.changed_at));
  return put->run();
}

Result<std::vector<WebhookRow>> Registry::webhooks() {
  const std::scoped_lock lock(mutex_);
  HOOKHOST_TRY(const auto all, connection_->database.cached("SELECT * FROM webhook ORDER BY id"));
  std::vector<WebhookRow> out;
  for (;;) {
    HOOKHOST_TRY(const bool found, all->row());
    if (!found) return out;
    WebhookRow& row = out.emplace_back();
    row.id = all->text(0);
    if (!all->is_null(1)) row.team = all->text(1);
    row.origin = all->text(2);
    row.name = all->text(3);
    row.url = all->text(4);
    row.secret = all->text(5);
    row.previous_secret = all->text(6);
    row.previous_until = time_at(*all, 7);
    row.events = split(all->text(8));
    row.settings = all->text(9);
    row.active = all->integer(10) != 0;
    row.created_at = from_unix_ns(all->integer(11));
    row.changed_at = from_unix_ns(all->integer(12));
  }
}

Result<> Registry::put(const TeamKeyRow& row) {
  const std::scoped_lock lock(mutex_);
  HOOKHOST_TRY(const auto put, connection_->database.cached("INSERT INTO team_key VALUES (?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET team=excluded.team, "
                                                            "label=excluded.label, hash=excluded.hash, created_at=excluded.created_at, "
                                                            "revoked_at=excluded.revoked_at"));
  put->bind(1, row.id).bind(2, row.team).bind(3, row.label).bind_blob(4, row.hash).bind(5, to_unix_ns(row.created_at));
  bind_time(*put, 6, row.revoked_at);
  return put->run();
}

Result<std::vector<TeamKeyRow>> Registry::team_keys() {
  const std::scoped_lock lock(mutex_);
  HOOKHOST_TRY(const auto all, connection_->database.cached("SELECT * FROM team_key ORDER BY id"));
  std::vector<TeamKeyRow> out;
  for (;;) {
    HOOKHOST_TRY(const bool found, all->row());
    if (!found) return out;
    out.push_back({all->text(0), all->text(1), all->text(2), all->text(3), from_unix_ns(all->integer(4)), time_at(*all, 5)});
  }
}

Result<> Registry::put_taken_out(const std::set<std::string>& teams) {
  const std::scoped_lock lock(mutex_);
  Database& database = connection_->database;
  HOOKHOST_TRY(auto transaction, Transaction::begin(database));
  HOOKHOST_CHECK(database.execute("DELETE FROM meta WHERE substr(name, 1, 10) = 'taken_out:'"));
  for (const std::string& team : teams) {
    HOOKHOST_TRY(const auto put, database.cached("INSERT INTO meta VALUES ('taken_out:' || ?, '')"));
    HOOKHOST_CHECK(put->bind(1, team).run());
  }
  return transaction.commit();
}

Result<std::set<std::string>> Registry::taken_out() {
  const std::scoped_lock lock(mutex_);
  return read_names(connection_->database, kTakenOut);
}

Result<> Registry::erase_webhook(const std::string& id) { return erase("DELETE FROM webhook WHERE id=?", id); }
Result<> Registry::erase_team_key(const std::string& id) { return erase("DELETE FROM team_key WHERE id=?", id); }

Result<> Registry::erase(std::string_view sql, const std::string& id) {
  const std::scoped_lock lock(mutex_);
  HOOKHOST_TRY(const auto erase, connection_->database.cached(sql));
  erase->bind(1, id);
  return erase->run();
}

}  // namespace hookhost::state
