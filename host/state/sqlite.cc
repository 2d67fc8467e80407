#include "state/sqlite.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <utility>

namespace hookhost::state {
namespace {

constexpr int kBusyMs = 5000;

auto failed(sqlite3* handle) {
  const int code = sqlite3_errcode(handle);
  const std::string text = sqlite3_errmsg(handle);
  switch (code) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return fail(ErrorCode::corrupt, "the database is damaged: " + text);
    case SQLITE_FULL: return fail(ErrorCode::no_space, "the database cannot grow: " + text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return fail(ErrorCode::busy, "the database is in use: " + text);
    default: return fail(ErrorCode::io_error, "the database failed: " + text);
  }
}

}  // namespace

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  return *this;
}
Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}
Statement& Statement::bind(int index, double value) {
  sqlite3_bind_double(statement_, index, value);
  return *this;
}
Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement_, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}

Result<bool> Statement::row() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  sqlite3* handle = sqlite3_db_handle(statement_);
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = failed(handle);
  reset();
  return error;
}

Result<> Statement::run() {
  HOOKHOST_TRY(const bool more, row());
  if (more) reset();
  return success();
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::decimal(int column) const { return sqlite3_column_double(statement_, column); }
std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Result<Database> Database::open(const std::string& path, Mode mode) {
  sqlite3* handle = nullptr;
  const int flags = mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const mode_t before = ::umask(0077);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  ::umask(before);
  if (code != SQLITE_OK) {
    auto error = fail(ErrorCode::io_error, "cannot open " + path + ": " + (handle != nullptr ? sqlite3_errmsg(handle) : "out of memory"));
    sqlite3_close(handle);
    return error;
  }
  Database database(handle);
  sqlite3_busy_timeout(handle, kBusyMs);
  if (mode == Mode::read_write) {
    if (auto wal = database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"); !wal) {
      if (wal.error().code != ErrorCode::corrupt) return fail(wal.error());
      return fail(ErrorCode::corrupt, path + " is not a database, or damaged; move it away (with its -wal and -shm files) or restore a copy");
    }
    ::chmod(path.c_str(), 0600);
  }
  return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return failed(handle_);
  }
  return Statement(statement);
}

Result<> Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed(handle_);
  return success();
}

}  // namespace hookhost::state
