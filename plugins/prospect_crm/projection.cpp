#include "projection.h"

#include <sqlite3.h>

#include <string>

namespace prospect_crm {
namespace {

// last_at_ns and last_offset order what happened: the newest event wins.
constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS prospects (
  prospect_id TEXT PRIMARY KEY, team_id TEXT, campaign_id TEXT, agent_id TEXT, chat_id TEXT,
  state TEXT NOT NULL, last_type TEXT NOT NULL, last_at_ns INTEGER NOT NULL, last_offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chats (
  chat_id TEXT PRIMARY KEY, prospect_id TEXT, team_id TEXT, campaign_id TEXT, agent_id TEXT,
  last_message TEXT, last_direction TEXT, last_at_ns INTEGER NOT NULL, last_offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
  event_offset INTEGER PRIMARY KEY, chat_id TEXT, prospect_id TEXT, direction TEXT NOT NULL, message TEXT, at_ns INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS messages_by_chat ON messages (chat_id, at_ns);
CREATE TABLE IF NOT EXISTS hookhost_state (id INTEGER PRIMARY KEY CHECK (id = 1), token INTEGER NOT NULL);
INSERT OR IGNORE INTO hookhost_state (id, token) VALUES (1, 0);
)sql";

constexpr const char* kProspect = R"sql(
INSERT INTO prospects (prospect_id, team_id, campaign_id, agent_id, chat_id, state, last_type, last_at_ns, last_offset)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (prospect_id) DO UPDATE SET
  team_id = coalesce(excluded.team_id, team_id), campaign_id = coalesce(excluded.campaign_id, campaign_id),
  agent_id = coalesce(excluded.agent_id, agent_id), chat_id = coalesce(excluded.chat_id, chat_id),
  state = excluded.state, last_type = excluded.last_type, last_at_ns = excluded.last_at_ns, last_offset = excluded.last_offset
WHERE (excluded.last_at_ns, excluded.last_offset) > (last_at_ns, last_offset)
)sql";

constexpr const char* kChat = R"sql(
INSERT INTO chats (chat_id, prospect_id, team_id, campaign_id, agent_id, last_message, last_direction, last_at_ns, last_offset)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (chat_id) DO UPDATE SET
  prospect_id = coalesce(excluded.prospect_id, prospect_id), team_id = coalesce(excluded.team_id, team_id),
  campaign_id = coalesce(excluded.campaign_id, campaign_id), agent_id = coalesce(excluded.agent_id, agent_id),
  last_message = coalesce(excluded.last_message, last_message), last_direction = coalesce(excluded.last_direction, last_direction),
  last_at_ns = excluded.last_at_ns, last_offset = excluded.last_offset
WHERE (excluded.last_at_ns, excluded.last_offset) > (last_at_ns, last_offset)
)sql";

constexpr const char* kMessage = R"sql(
INSERT OR IGNORE INTO messages (event_offset, chat_id, prospect_id, direction, message, at_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
)sql";

// The state of a prospect that an event of this type tells of.
const char* state_of(std::string_view type) {
  if (type == "linkedin.message.received") return "replied";
  if (type == "linkedin.message.sent") return "contacted";
  if (type == "linkedin.invitation.sent") return "invited";
  if (type == "linkedin.invitation.accepted") return "connected";
  if (type == "prospect.qualification.manual") return "needs_review";
  if (type == "prospect.unqualified") return "unqualified";
  return "active";
}

std::string_view direction_of(std::string_view type) {
  if (type == "linkedin.message.received") return "in";
  if (type == "linkedin.message.sent") return "out";
  return {};
}

void bind(sqlite3_stmt* statement, int index, std::string_view text) {
  if (text.empty()) {
    sqlite3_bind_null(statement, index);
  } else {
    sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
}

void bind(sqlite3_stmt* statement, int index, std::int64_t number) { sqlite3_bind_int64(statement, index, number); }

}  // namespace

Projection::Projection(const std::string& path) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
    const std::string why = db_ != nullptr ? sqlite3_errmsg(db_) : "out of memory";
    sqlite3_close(db_);
    throw StorageError("cannot open the database: " + why, false);
  }
  try {
    sqlite3_busy_timeout(db_, 2000);
    execute("PRAGMA journal_mode=WAL");
    execute("PRAGMA synchronous=FULL");
    execute(kSchema);
    prospect_ = prepare(kProspect);
    chat_ = prepare(kChat);
    message_ = prepare(kMessage);
    set_token_ = prepare("UPDATE hookhost_state SET token = ?1 WHERE id = 1");
  } catch (...) {
    for (auto* statement : {prospect_, chat_, message_, set_token_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
    throw;
  }
}

Projection::~Projection() {
  if (open_) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  for (auto* statement : {prospect_, chat_, message_, set_token_}) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

std::uint64_t Projection::token() const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, "SELECT token FROM hookhost_state WHERE id = 1", -1, &statement, nullptr) != SQLITE_OK) fail("reading the token");
  const int result = sqlite3_step(statement);
  const auto token = result == SQLITE_ROW ? static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0)) : 0;
  sqlite3_finalize(statement);
  if (result != SQLITE_ROW) fail("reading the token");
  return token;
}

void Projection::reset() {
  roll_back();
  begin();
  execute("DELETE FROM prospects; DELETE FROM chats; DELETE FROM messages; UPDATE hookhost_state SET token = 0");
  execute("COMMIT");
  open_ = false;
}

bool Projection::apply(const Change& change) {
  if (change.prospect.empty() && change.chat.empty()) return false;
  begin();
  const auto offset = static_cast<std::int64_t>(change.offset);
  const std::string_view direction = direction_of(change.type);
  if (!change.prospect.empty()) {
    bind(prospect_, 1, change.prospect);
    bind(prospect_, 2, change.team);
    bind(prospect_, 3, change.campaign);
    bind(prospect_, 4, change.agent);
    bind(prospect_, 5, change.chat);
    bind(prospect_, 6, std::string_view(state_of(change.type)));
    bind(prospect_, 7, change.type);
    bind(prospect_, 8, change.at_ns);
    bind(prospect_, 9, offset);
    step(prospect_);
  }
  if (!change.chat.empty()) {
    bind(chat_, 1, change.chat);
    bind(chat_, 2, change.prospect);
    bind(chat_, 3, change.team);
    bind(chat_, 4, change.campaign);
    bind(chat_, 5, change.agent);
    bind(chat_, 6, direction.empty() ? std::string_view{} : change.message);
    bind(chat_, 7, direction);
    bind(chat_, 8, change.at_ns);
    bind(chat_, 9, offset);
    step(chat_);
  }
  if (!direction.empty()) {
    bind(message_, 1, offset);
    bind(message_, 2, change.chat);
    bind(message_, 3, change.prospect);
    bind(message_, 4, direction);
    bind(message_, 5, change.message);
    bind(message_, 6, change.at_ns);
    step(message_);
  }
  return true;
}

void Projection::commit(std::uint64_t token) {
  begin();
  bind(set_token_, 1, static_cast<std::int64_t>(token));
  step(set_token_);
  execute("COMMIT");
  open_ = false;
}

void Projection::roll_back() {
  if (!open_) return;
  sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  open_ = false;
}

void Projection::begin() {
  if (open_) return;
  execute("BEGIN IMMEDIATE");
  open_ = true;
}

void Projection::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("writing");
}

sqlite3_stmt* Projection::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) fail("preparing");
  return statement;
}

void Projection::step(sqlite3_stmt* statement) {
  const int result = sqlite3_step(statement);
  sqlite3_reset(statement);
  if (result != SQLITE_DONE) fail("writing");
}

void Projection::fail(const char* doing) const {
  const int code = sqlite3_errcode(db_);
  const bool wait = code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  throw StorageError(std::string(doing) + " the database failed: " + sqlite3_errmsg(db_), wait);
}

}  // namespace prospect_crm
