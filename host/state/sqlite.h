// SQLite with destructors and Results, for this room only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hookhost::state {

class Database;

// One prepared statement. Bind, step, read, reset. Not for two threads.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept : statement_(other.statement_) { other.statement_ = nullptr; }
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::uint64_t value) { return bind(index, static_cast<std::int64_t>(value)); }
  Statement& bind(int index, int value) { return bind(index, static_cast<std::int64_t>(value)); }
  Statement& bind(int index, std::uint32_t value) { return bind(index, static_cast<std::int64_t>(value)); }
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);  // copied, as blobs are
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);

  // True: a row is there. False: done. Resets itself when done or failed.
  [[nodiscard]] Result<bool> row();
  // Runs a statement without rows, then resets it and its bindings.
  [[nodiscard]] Result<> run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  [[nodiscard]] double decimal(int column) const;
  [[nodiscard]] std::string text(int column) const;  // bytes too
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
};

// A statement lent by Database::cached(). Giving it back resets it: a statement left on a row would hold a read transaction open, and with it
// the view of the past and the write-ahead log's length.
class Lease {
 public:
  explicit Lease(Statement& statement) : statement_(&statement) {}
  Lease(Lease&& other) noexcept : statement_(other.statement_) { other.statement_ = nullptr; }
  Lease& operator=(Lease&&) = delete;
  ~Lease() {
    if (statement_ != nullptr) statement_->reset();
  }
  Statement* operator->() const { return statement_; }
  Statement& operator*() const { return *statement_; }

 private:
  Statement* statement_;
};

// One connection. Not for two threads at a time.
class Database {
 public:
  // untouched: read only, and nothing is made beside the file, nor a lock taken. For one that nobody writes: what stands in a -wal file is not seen.
  enum class Mode : std::uint8_t { untouched, read_only, read_write };
  // Makes the file (0600, its name synced) when it is missing and `mode` allows it. WAL, synchronous=NORMAL, waits 5 s for another writer.
  // Error: corrupt when it is no database (says what to do), which `untouched` and read_only find out at the first question; permission; busy; io_error.
  [[nodiscard]] static Result<Database> open(const std::string& path, Mode mode);
  // Of a file of which this process has nothing open: `untouched` where no host runs or was killed, else read_only. Error: not_found, as open().
  [[nodiscard]] static Result<Database> open_to_look(const std::string& path);
  // In memory, empty.
  [[nodiscard]] static Result<Database> open_empty();
  Database(Database&& other) noexcept : handle_(other.handle_), cache_(std::move(other.cache_)) { other.handle_ = nullptr; }
  Database& operator=(Database&&) = delete;
  ~Database();

  // A statement prepared at its first use and kept. The set of texts must be small; one text is lent once at a time.
  [[nodiscard]] Result<Lease> cached(std::string_view sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  [[nodiscard]] Result<> execute(const char* sql);
  // False after COMMIT or ROLLBACK, and after an error (disk full, I/O) for which SQLite took the whole transaction back by itself.
  [[nodiscard]] bool in_transaction() const;

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
  std::map<std::string, Statement, std::less<>> cache_;
};

// BEGIN IMMEDIATE; rolled back unless committed.
class Transaction {
 public:
  [[nodiscard]] static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(other.database_) { other.database_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  // Error: nothing of it is applied.
  [[nodiscard]] Result<> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace hookhost::state
