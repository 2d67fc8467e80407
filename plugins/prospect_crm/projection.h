// The projection: what the tables hold after each event, in SQLite. It knows nothing of plugins; prospect_crm.cpp feeds it.
//
// Everything since the last commit() is one open transaction; commit(token) writes the host's token in the same transaction, so that after
// a crash the tables and the token agree. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace prospect_crm {

// One Kakiyo event, as far as the tables need it. Every field but type and at is optional: Kakiyo documents few.
struct Change {
  std::string_view type;
  std::string_view team, agent, campaign, chat, prospect, message;
  // When it happened: data.timestamp, else the envelope's, else the time of receipt; nanoseconds since 1970.
  std::int64_t at_ns = 0;
  std::uint64_t offset = 0;  // breaks ties between events of the same moment
};

// The database failed. `unavailable`: busy, full or unwritable, so that waiting and trying again may help.
struct StorageError : std::runtime_error {
  StorageError(const std::string& what, bool try_again) : std::runtime_error(what), unavailable(try_again) {}
  bool unavailable;
};

class Projection {
 public:
  // Opens or makes the database. Throws StorageError.
  explicit Projection(const std::string& path);
  ~Projection();
  Projection(const Projection&) = delete;
  Projection& operator=(const Projection&) = delete;

  // The token of the last commit; 0 in a new database.
  [[nodiscard]] std::uint64_t token() const;
  // Empties every table, the token too, durably.
  void reset();

  // False when the event names neither a prospect nor a chat. An older event never overwrites a newer one, whatever the order of arrival;
  // applying an event twice changes nothing. Throws StorageError; when that took back what was applied before, no commit succeeds any more.
  bool apply(const Change& change);

  // Makes everything applied so far durable together with the token, or nothing: then it throws StorageError.
  void commit(std::uint64_t token);
  // Undoes everything since the last commit.
  void roll_back();

 private:
  using Value = std::variant<std::string_view, std::int64_t>;  // an empty text is NULL
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  struct Close {
    void operator()(sqlite3* database) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  void begin();
  void write(const Change& change);
  void execute(const char* sql);
  [[nodiscard]] Statement prepare(const char* sql) const;
  void run(const Statement& statement, std::initializer_list<Value> values);
  [[noreturn]] void fail(const char* doing) const;

  std::unique_ptr<sqlite3, Close> db_;  // before the statements: it is closed behind them
  Statement prospect_, state_, fill_prospect_, chat_, last_message_, fill_chat_, message_, set_token_;
  bool open_ = false;        // a transaction is open
  std::size_t applied_ = 0;  // changes in it
  bool lost_ = false;        // changes that were applied are gone
};

}  // namespace prospect_crm
