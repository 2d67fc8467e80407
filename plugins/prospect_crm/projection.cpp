#include "projection.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace prospect_crm {
namespace {

// Each group of columns stands beside the time and offset of the event that it was taken from, and only a newer event of that group replaces
// it: so the tables are the same in whatever order the events arrive.
constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS prospects (
  prospect_id TEXT PRIMARY KEY, team_id TEXT, campaign_id TEXT, agent_id TEXT, chat_id TEXT,
  state TEXT NOT NULL DEFAULT 'unknown', state_at_ns INTEGER, state_offset INTEGER,
  last_type TEXT NOT NULL, last_at_ns INTEGER NOT NULL, last_offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chats (
  chat_id TEXT PRIMARY KEY, prospect_id TEXT, team_id TEXT, campaign_id TEXT, agent_id TEXT,
  last_message TEXT, last_direction TEXT, message_at_ns INTEGER, message_offset INTEGER,
  last_at_ns INTEGER NOT NULL, last_offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
  event_offset INTEGER PRIMARY KEY, chat_id TEXT, prospect_id TEXT, direction TEXT NOT NULL, message TEXT, at_ns INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS messages_by_chat ON messages (chat_id, at_ns);
CREATE TABLE IF NOT EXISTS hookhost_state (id INTEGER PRIMARY KEY CHECK (id = 1), token INTEGER NOT NULL);
INSERT OR IGNORE INTO hookhost_state (id, token) VALUES (1, 0);
)sql";

// What an event leaves out is kept as it is.
constexpr const char* kProspect = R"sql(
INSERT INTO prospects (prospect_id, team_id, campaign_id, agent_id, chat_id, last_type, last_at_ns, last_offset)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (prospect_id) DO UPDATE SET
  team_id = coalesce(excluded.team_id, team_id), campaign_id = coalesce(excluded.campaign_id, campaign_id),
  agent_id = coalesce(excluded.agent_id, agent_id), chat_id = coalesce(excluded.chat_id, chat_id),
  last_type = excluded.last_type, last_at_ns = excluded.last_at_ns, last_offset = excluded.last_offset
WHERE (excluded.last_at_ns, excluded.last_offset) > (last_at_ns, last_offset)
)sql";
constexpr const char* kState = R"sql(
UPDATE prospects SET state = ?2, state_at_ns = ?3, state_offset = ?4
WHERE prospect_id = ?1 AND (state_at_ns IS NULL OR (?3, ?4) > (state_at_ns, state_offset))
)sql";
constexpr const char* kChat = R"sql(
INSERT INTO chats (chat_id, prospect_id, team_id, campaign_id, agent_id, last_at_ns, last_offset)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (chat_id) DO UPDATE SET
  prospect_id = coalesce(excluded.prospect_id, prospect_id), team_id = coalesce(excluded.team_id, team_id),
  campaign_id = coalesce(excluded.campaign_id, campaign_id), agent_id = coalesce(excluded.agent_id, agent_id),
  last_at_ns = excluded.last_at_ns, last_offset = excluded.last_offset
WHERE (excluded.last_at_ns, excluded.last_offset) > (last_at_ns, last_offset)
)sql";
constexpr const char* kLastMessage = R"sql(
UPDATE chats SET last_message = ?2, last_direction = ?3, message_at_ns = ?4, message_offset = ?5
WHERE chat_id = ?1 AND (message_at_ns IS NULL OR (?4, ?5) > (message_at_ns, message_offset))
)sql";
// An older event gives only what no event has given yet.
constexpr const char* kFillProspect = R"sql(
UPDATE prospects SET team_id = coalesce(team_id, ?2), campaign_id = coalesce(campaign_id, ?3), agent_id = coalesce(agent_id, ?4),
  chat_id = coalesce(chat_id, ?5) WHERE prospect_id = ?1
)sql";
constexpr const char* kFillChat = R"sql(
UPDATE chats SET prospect_id = coalesce(prospect_id, ?2), team_id = coalesce(team_id, ?3), campaign_id = coalesce(campaign_id, ?4),
  agent_id = coalesce(agent_id, ?5) WHERE chat_id = ?1
)sql";
constexpr const char* kMessage = R"sql(
INSERT OR IGNORE INTO messages (event_offset, chat_id, prospect_id, direction, message, at_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
)sql";

// The state of a prospect that an event of this type tells of; empty: none.
std::string_view state_of(std::string_view type) {
  if (type == "linkedin.message.received") return "replied";
  if (type == "linkedin.message.sent") return "contacted";
  if (type == "linkedin.invitation.sent") return "invited";
  if (type == "linkedin.invitation.accepted") return "connected";
  if (type == "prospect.qualification.manual") return "needs_review";
  if (type == "prospect.unqualified") return "unqualified";
  return {};
}

std::string_view direction_of(std::string_view type) {
  if (type == "linkedin.message.received") return "in";
  if (type == "linkedin.message.sent") return "out";
  return {};
}

}  // namespace

void Projection::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Projection::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Projection::Projection(const std::string& path) {
  // A new database belongs to the host's user alone, its companions with it; SQLite would let everybody read it.
  if (const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600); made >= 0) ::close(made);
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  db_.reset(opened);
  if (!db_) throw StorageError("cannot open the database: out of memory", true);
  if (result != SQLITE_OK) throw StorageError(std::string("cannot open the database: ") + sqlite3_errmsg(db_.get()), false);
  sqlite3_busy_timeout(db_.get(), 2000);
  execute("PRAGMA journal_mode=WAL");
  execute("PRAGMA synchronous=FULL");
  execute(kSchema);
  prospect_ = prepare(kProspect);
  state_ = prepare(kState);
  fill_prospect_ = prepare(kFillProspect);
  chat_ = prepare(kChat);
  last_message_ = prepare(kLastMessage);
  fill_chat_ = prepare(kFillChat);
  message_ = prepare(kMessage);
  set_token_ = prepare("UPDATE hookhost_state SET token = ?1 WHERE id = 1");
}

Projection::~Projection() { roll_back(); }

std::uint64_t Projection::token() const {
  const Statement statement = prepare("SELECT token FROM hookhost_state WHERE id = 1");
  if (sqlite3_step(statement.get()) != SQLITE_ROW) fail("reading the token of");
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 0));
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
  try {
    write(change);
  } catch (const StorageError&) {
    // Out of space or memory SQLite takes the whole transaction back, with what was applied before.
    if (sqlite3_get_autocommit(db_.get()) != 0) {
      lost_ = applied_ > 0;
      open_ = false;
    }
    throw;
  }
  ++applied_;
  return true;
}

void Projection::write(const Change& change) {
  const auto& [type, team, agent, campaign, chat, prospect, message, at_ns, offset] = change;
  const auto place = static_cast<std::int64_t>(offset);
  if (!prospect.empty()) {
    run(prospect_, {prospect, team, campaign, agent, chat, type, at_ns, place});
    run(fill_prospect_, {prospect, team, campaign, agent, chat});
    if (const auto state = state_of(type); !state.empty()) run(state_, {prospect, state, at_ns, place});
  }
  const auto direction = direction_of(type);
  if (!chat.empty()) {
    run(chat_, {chat, prospect, team, campaign, agent, at_ns, place});
    run(fill_chat_, {chat, prospect, team, campaign, agent});
    if (!direction.empty()) run(last_message_, {chat, message, direction, at_ns, place});
  }
  if (!direction.empty()) run(message_, {place, chat, prospect, direction, message, at_ns});
}

void Projection::commit(std::uint64_t token) {
  begin();
  run(set_token_, {static_cast<std::int64_t>(token)});
  execute("COMMIT");
  open_ = false;
}

void Projection::roll_back() {
  if (!open_) return;
  sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  open_ = false;
}

void Projection::begin() {
  if (lost_) throw StorageError("a failed write took back changes that no checkpoint had confirmed; they come again after a new start", true);
  if (open_) return;
  execute("BEGIN IMMEDIATE");
  open_ = true;
  applied_ = 0;
}

void Projection::execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("writing");
}

Projection::Statement Projection::prepare(const char* sql) const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) fail("reading");
  return Statement(statement);
}

void Projection::run(const Statement& statement, std::initializer_list<Value> values) {
  int index = 0;
  for (const Value& value : values) {
    ++index;
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(statement.get(), index, *number);
    } else if (const auto text = std::get<std::string_view>(value); text.empty()) {
      sqlite3_bind_null(statement.get(), index);
    } else {
      sqlite3_bind_text64(statement.get(), index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
  }
  const int result = sqlite3_step(statement.get());
  sqlite3_reset(statement.get());
  if (result != SQLITE_DONE) fail("writing");
}

void Projection::fail(const char* doing) const {
  const int code = sqlite3_errcode(db_.get());
  const bool wait = code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  throw StorageError(std::string(doing) + " the database failed: " + sqlite3_errmsg(db_.get()), wait);
}

}  // namespace prospect_crm
