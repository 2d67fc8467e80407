#include "state/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "base/bytes.h"
#include "os/file_system.h"

namespace hookhost::state {
namespace {

constexpr int kBusyMs = 5000;

constexpr std::string_view kDamaged =
    " is not a database, or damaged; move it away together with its -wal and -shm files, or restore a copy of it";

auto failed(sqlite3* handle) {
  const char* name = sqlite3_db_filename(handle, "main");
  const std::string path = name == nullptr ? "the database" : name;
  const std::string text = sqlite3_errmsg(handle);
  const auto no_space = [&] { return fail(ErrorCode::no_space, path + " cannot grow; free some disk space (" + text + ")"); };
  switch (sqlite3_errcode(handle)) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return fail(ErrorCode::corrupt, path + std::string(kDamaged) + " (" + text + ")");
    case SQLITE_FULL: return no_space();
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return fail(ErrorCode::busy, path + " is in use by another process; end it (" + text + ")");
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: return fail(ErrorCode::permission, path + " may not be written; give it to the host's user, mode 0600 (" + text + ")");
    case SQLITE_IOERR:  // the -shm file cannot grow either
      if (const int error = sqlite3_system_errno(handle); error == ENOSPC || error == EDQUOT) return no_space();
      [[fallthrough]];
    default: return fail(ErrorCode::io_error, path + " failed; look at the disk's health and the system's messages (" + text + ")");
  }
}

// SQLite would make the file with the process's umask; its -wal and -shm files take the file's mode.
Result<> make_file(const std::string& path) {
  os::FileSystem& files = os::local_file_system();
  if (files.facts(path)) return success();
  HOOKHOST_CHECK(files.open(path, os::OpenMode::create));
  return files.sync_directory(os::parent(path));
}

std::string untouched_uri(const std::string& path) {
  std::string out = "file:";
  for (const char c : os::absolute(path)) {
    if (c == '%' || c == '?' || c == '#') {
      out += '%' + to_hex({&c, 1});
    } else {
      out += c;
    }
  }
  return out + "?immutable=1";
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
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) HOOKHOST_CHECK(os::check_is_file(path + beside));
  if (mode == Mode::read_write) HOOKHOST_CHECK(make_file(path));
  sqlite3* handle = nullptr;
  const int flags = mode == Mode::read_write  ? SQLITE_OPEN_READWRITE
                    : mode == Mode::read_only ? SQLITE_OPEN_READONLY
                                              : SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  const std::string name = mode == Mode::untouched ? untouched_uri(path) : path;
  if (sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    const std::string why = handle != nullptr ? sqlite3_errmsg(handle) : "out of memory";
    sqlite3_close(handle);
    return fail(ErrorCode::io_error, "cannot open " + path + ": " + why);
  }
  Database database(handle);
  sqlite3_busy_timeout(handle, kBusyMs);
  if (mode == Mode::read_write) HOOKHOST_CHECK(database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"));
  return database;
}

Result<Database> Database::open_to_look(const std::string& path) {
  auto& files = os::local_file_system();
  HOOKHOST_CHECK(files.facts(path));
  const bool is_in_use = files.facts(path + "-wal").has_value();
  return open(path, is_in_use ? Mode::read_only : Mode::untouched);
}

Result<Database> Database::open_empty() {
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle);
  if (opened != SQLITE_OK) return fail(ErrorCode::io_error, "cannot open a database in memory");
  return database;
}

Database::~Database() {
  cache_.clear();
  sqlite3_close_v2(handle_);
}

Result<Lease> Database::cached(std::string_view sql) {
  if (const auto found = cache_.find(sql); found != cache_.end()) return Lease(found->second);
  HOOKHOST_TRY(auto made, prepare(sql));
  return Lease(cache_.emplace(sql, std::move(made)).first->second);
}

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

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Result<Transaction> Transaction::begin(Database& database) {
  HOOKHOST_CHECK(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr && database_->in_transaction()) static_cast<void>(database_->execute("ROLLBACK"));
}

Result<> Transaction::commit() {
  HOOKHOST_CHECK(database_->execute("COMMIT"));
  database_ = nullptr;
  return success();
}

}  // namespace hookhost::state
