#include "state/attempts.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "state/attempt_code.h"

namespace hookhost::state {
namespace {

constexpr std::size_t kTogether = 256;
constexpr std::size_t kTakenOverTogether = 50'000;  // of all subscribers

// The oldest, where those of before ?1 are looked for: in the order in which they were written, so many that a few with a wrong time among them keep
// none from going.
constexpr std::string_view kOldest = "(SELECT rowid, at FROM attempts ORDER BY rowid LIMIT 1000) WHERE at<?1 ";

AttemptRow version_4_row(const Statement& row) {
  return {.stream = row.number(1),
          .offset = Offset{row.number(2)},
          .id = EventId{row.text(3)},
          .type = row.text(4),
          .attempt = static_cast<std::uint32_t>(row.integer(5)),
          .at = from_unix_ns(row.integer(6)),
          .took = Duration{row.integer(7)},
          .outcome = row.text(8),
          .error = row.text(9),
          .http_status = static_cast<int>(row.integer(10)),
          .answer = row.text(11)};
}

// Their places only: a subscriber may have a million attempts.
Result<std::vector<std::int64_t>> rows_of(Database& database, std::string_view subscriber, const std::optional<Offset>& offset) {
  std::string sql = "SELECT rowid FROM attempts WHERE subscriber=?1";
  if (offset) sql += " AND last>=?2 AND first<=?2";
  HOOKHOST_TRY(const auto rows, database.cached(sql));
  rows->bind(1, subscriber);
  if (offset) rows->bind(2, offset->value);
  std::vector<std::int64_t> out;
  for (;;) {
    HOOKHOST_TRY(const bool more, rows->row());
    if (!more) break;
    out.push_back(rows->integer(0));
  }
  std::ranges::sort(out, std::greater<>{});
  return out;
}

}  // namespace

Result<> put_attempts(Database& database, std::string_view subscriber, std::span<const AttemptRow> rows) {
  while (!rows.empty()) {
    const auto some = rows.first(std::min(kTogether, rows.size()));
    rows = rows.subspan(some.size());
    const auto [first, last] = std::ranges::minmax(some, {}, &AttemptRow::offset);
    const WallTime newest = std::ranges::max(some, {}, &AttemptRow::at).at;
    const std::string bytes = encode_attempts(some);
    HOOKHOST_TRY(const auto put, database.cached("INSERT INTO attempts (subscriber, first, last, at, rows) VALUES (?1,?2,?3,?4,?5)"));
    HOOKHOST_CHECK(put->bind(1, subscriber).bind(2, first.offset.value).bind(3, last.offset.value).bind(4, to_unix_ns(newest)).bind_blob(5, bytes).run());
  }
  return success();
}

Result<std::vector<AttemptRow>> read_attempts(Database& database, std::string_view subscriber, const AttemptQuery& query) {
  HOOKHOST_TRY(const auto places, rows_of(database, subscriber, query.offset));
  std::vector<AttemptRow> out;
  for (const std::int64_t place : places) {
    HOOKHOST_TRY(const auto row, database.cached("SELECT rows FROM attempts WHERE rowid=?1 AND subscriber=?2"));
    HOOKHOST_TRY(const bool found, row->bind(1, place).bind(2, subscriber).row());
    if (!found) continue;  // it went since, and its place may be another's
    auto attempts = decode_attempts(row->text(0));
    if (!attempts) return fail(ErrorCode::corrupt, "the attempts of " + std::string(subscriber) + " cannot be read from delivery.db; restore a copy of it");
    for (auto one = attempts->rbegin(); one != attempts->rend(); ++one) {
      if ((query.offset && one->offset != *query.offset) || (query.id && one->id != *query.id)) continue;
      out.push_back(std::move(*one));
      if (out.size() == query.limit) return out;
    }
  }
  return out;
}

Result<bool> are_attempts_before(Database& database, WallTime before) {
  HOOKHOST_TRY(const auto row, database.cached("SELECT 1 FROM " + std::string(kOldest) + "LIMIT 1"));
  return row->bind(1, to_unix_ns(before)).row();
}

Result<> prune_attempts(Database& database, WallTime before) {
  HOOKHOST_TRY(const auto erase, database.cached("DELETE FROM attempts WHERE rowid IN (SELECT rowid FROM " + std::string(kOldest) + "LIMIT 200)"));
  return erase->bind(1, to_unix_ns(before)).run();
}

Result<> take_over_attempts(Database& database) {
  std::map<std::string, std::vector<AttemptRow>> gathered;
  std::size_t waiting = 0;
  const auto put = [&](const std::string& subscriber, std::vector<AttemptRow>& rows) {
    waiting -= rows.size();
    return put_attempts(database, subscriber, std::exchange(rows, {}));
  };
  const auto put_all = [&]() -> Result<> {
    for (auto& [subscriber, rows] : gathered) HOOKHOST_CHECK(put(subscriber, rows));
    return success();
  };
  {
    HOOKHOST_TRY(auto row, database.prepare("SELECT subscriber, stream, offset, id, type, attempt, at, took, outcome, error, http_status, answer FROM attempt ORDER BY rowid"));
    for (;;) {
      HOOKHOST_TRY(const bool more, row.row());
      if (!more) break;
      const std::string subscriber = row.text(0);
      auto& rows = gathered[subscriber];
      rows.push_back(version_4_row(row));
      if (++waiting == kTakenOverTogether) HOOKHOST_CHECK(put_all());
      if (rows.size() == kTogether) HOOKHOST_CHECK(put(subscriber, rows));
    }
  }
  HOOKHOST_CHECK(put_all());
  return database.execute("DROP TABLE attempt");
}

}  // namespace hookhost::state
