#include "state/reads.h"

#include "state/position_code.h"

namespace hookhost::state::reads {
namespace {

constexpr std::string_view kSubscriberColumns =
    "SELECT id, kind, condition, reason, frontier, done, token, reset_pending, handled_any, failed_run, plan, created_at, changed_at, prepared, "
    "failed_since, successes, failures, last_success, last_failure FROM subscriber ";
constexpr std::string_view kParkedColumns =
    "SELECT subscriber, stream, offset, kind, id, type, reason, attempts, last_error, parked_at, run";
constexpr std::string_view kReplayColumns =
    "SELECT id, subscriber, mode, state, filter, from_offset, until_offset, frontier, done, rate, total, handled, failed, created_at, "
    "finished_at FROM replay ";

auto damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, "delivery.db holds a damaged " + std::string(what) + "; restore a copy, or move it away (events are then delivered again)");
}

std::optional<Offset> offset_or_none(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return Offset{row.number(column)};
}

std::optional<WallTime> time_or_none(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_unix_ns(row.integer(column));
}

Result<SubscriberRow> subscriber_of(const Statement& row) {
  SubscriberRow out;
  out.id = SubscriberId{row.text(0)};
  out.kind = row.text(1);
  out.condition = static_cast<Condition>(row.integer(2));
  out.reason = row.text(3);
  out.position.frontier = Offset{row.number(4)};
  auto done = decode_offsets(row.text(5));
  if (!done) return damaged("position");
  out.position.done = std::move(*done);
  out.token = row.number(6);
  out.reset_pending = row.integer(7) != 0;
  out.handled_any = row.integer(8) != 0;
  out.failed_run = static_cast<std::uint32_t>(row.integer(9));
  out.plan = row.text(10);
  out.created_at = from_unix_ns(row.integer(11));
  out.changed_at = from_unix_ns(row.integer(12));
  out.failed_since = from_unix_ns(row.integer(14));
  out.tally = {row.number(15), row.number(16), time_or_none(row, 17), time_or_none(row, 18)};
  return out;
}

ParkedRow parked_of(const Statement& row) {
  ParkedRow out;
  out.stream = row.number(1);
  out.offset = Offset{row.number(2)};
  out.kind = static_cast<ParkedRow::Kind>(row.integer(3));
  out.id = EventId{row.text(4)};
  out.type = row.text(5);
  out.reason = row.text(6);
  out.attempts = static_cast<std::uint32_t>(row.integer(7));
  out.last_error = row.text(8);
  out.parked_at = from_unix_ns(row.integer(9));
  out.run = static_cast<std::uint32_t>(row.integer(10));
  return out;
}

Result<ReplayRow> replay_of(const Statement& row) {
  ReplayRow out;
  out.id = row.number(0);
  out.subscriber = SubscriberId{row.text(1)};
  out.mode = row.text(2);
  out.state = row.text(3);
  out.filter = row.text(4);
  out.from = Offset{row.number(5)};
  out.until = Offset{row.number(6)};
  out.position.frontier = Offset{row.number(7)};
  auto done = decode_offsets(row.text(8));
  if (!done) return damaged("position of a replay");
  out.position.done = std::move(*done);
  out.rate = row.decimal(9);
  out.total = row.number(10);
  out.handled = row.number(11);
  out.failed = row.number(12);
  out.created_at = from_unix_ns(row.integer(13));
  out.finished_at = from_unix_ns(row.integer(14));
  return out;
}

// The smallest text above every text that begins with `prefix`; empty: there is none.
std::string after_prefix(std::string_view prefix) {
  std::string out(prefix);
  while (!out.empty() && out.back() == '\xff') out.pop_back();
  if (!out.empty()) ++out.back();
  return out;
}

}  // namespace

Result<std::vector<SubscriberRow>> subscribers(Database& database) {
  std::vector<SubscriberRow> out;
  HOOKHOST_TRY(const auto rows, database.cached(std::string(kSubscriberColumns) + "ORDER BY id"));
  for (;;) {
    HOOKHOST_TRY(const bool more, rows->row());
    if (!more) return out;
    HOOKHOST_TRY(auto row, subscriber_of(*rows));
    out.push_back(std::move(row));
  }
}

Result<std::map<SubscriberId, std::string>> kinds(Database& database) {
  std::map<SubscriberId, std::string> out;
  HOOKHOST_TRY(const auto rows, database.cached("SELECT id, kind, done FROM subscriber"));
  for (;;) {
    HOOKHOST_TRY(const bool more, rows->row());
    if (!more) return out;
    if (!decode_offsets(rows->text(2))) return damaged("position");
    out[SubscriberId{rows->text(0)}] = rows->text(1);
  }
}

Result<std::optional<Loaded>> load(Database& database, const SubscriberId& subscriber) {
  Loaded out;
  HOOKHOST_TRY(const auto row, database.cached(std::string(kSubscriberColumns) + "WHERE id=?1"));
  HOOKHOST_TRY(const bool found, row->bind(1, subscriber.value).row());
  if (!found) return std::optional<Loaded>{};
  HOOKHOST_TRY(out.row, subscriber_of(*row));
  out.prepared = row->text(13);
  HOOKHOST_TRY(const auto lanes, database.cached("SELECT stream, lane, head, attempts, crashes, due, last_outcome, last_error, first_skipped FROM lane "
                                            "WHERE subscriber=?1 ORDER BY stream, lane"));
  lanes->bind(1, subscriber.value);
  for (;;) {
    HOOKHOST_TRY(const bool more, lanes->row());
    if (!more) break;
    out.lanes.push_back({.stream = lanes->number(0),
                         .lane = lanes->text(1),
                         .head = offset_or_none(*lanes, 2),
                         .attempts = static_cast<std::uint32_t>(lanes->integer(3)),
                         .crashes = static_cast<std::uint32_t>(lanes->integer(4)),
                         .due = from_unix_ns(lanes->integer(5)),
                         .last_outcome = lanes->text(6),
                         .last_error = lanes->text(7),
                         .first_skipped = offset_or_none(*lanes, 8)});
  }
  HOOKHOST_TRY(const auto crashes, database.cached("SELECT stream, offset, attempt, crashes, cause, at, life FROM crash WHERE subscriber=?1"));
  crashes->bind(1, subscriber.value);
  for (;;) {
    HOOKHOST_TRY(const bool more, crashes->row());
    if (!more) break;
    out.crashes.push_back({.stream = crashes->number(0),
                           .offset = Offset{crashes->number(1)},
                           .attempt = static_cast<std::uint32_t>(crashes->integer(2)),
                           .crashes = static_cast<std::uint32_t>(crashes->integer(3)),
                           .cause = crashes->text(4),
                           .at = from_unix_ns(crashes->integer(5)),
                           .life = crashes->number(6)});
  }
  HOOKHOST_TRY(auto held, parked(database, {.subscriber = subscriber, .kind = ParkedRow::Kind::held}));
  for (auto& [id, parked_row] : held) out.held.push_back(std::move(parked_row));
  HOOKHOST_TRY(auto all, replays(database, subscriber));
  for (ReplayRow& replay : all) {
    if (replay.state == "running") out.replays.push_back(std::move(replay));
  }
  return std::optional<Loaded>(std::move(out));
}

Result<std::vector<std::pair<SubscriberId, ParkedRow>>> parked(Database& database, const ParkedQuery& query) {
  std::string sql = std::string(kParkedColumns) + " FROM parked WHERE 1";
  if (query.subscriber) sql += " AND subscriber=?1";
  if (query.kind) sql += " AND kind=?2";
  if (!query.type.empty()) sql += " AND type=?3";
  if (query.since) sql += " AND parked_at>=?4";
  if (query.after) sql += " AND (subscriber, offset)>(?5,?6)";
  sql += " ORDER BY subscriber, offset, stream LIMIT ?7";
  HOOKHOST_TRY(const auto rows, database.cached(sql));
  if (query.subscriber) rows->bind(1, query.subscriber->value);
  if (query.kind) rows->bind(2, static_cast<int>(*query.kind));
  if (!query.type.empty()) rows->bind_blob(3, query.type);
  if (query.since) rows->bind(4, to_unix_ns(*query.since));
  if (query.after) rows->bind(5, query.after->first.value).bind(6, query.after->second.value);
  rows->bind(7, query.limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(query.limit));
  std::vector<std::pair<SubscriberId, ParkedRow>> out;
  for (;;) {
    HOOKHOST_TRY(const bool more, rows->row());
    if (!more) return out;
    out.emplace_back(SubscriberId{rows->text(0)}, parked_of(*rows));
  }
}

Result<std::optional<ParkedRow>> parked_one(Database& database, const SubscriberId& subscriber, StreamId stream, Offset offset) {
  HOOKHOST_TRY(const auto row, database.cached(std::string(kParkedColumns) + ", event FROM parked WHERE subscriber=?1 AND stream=?2 AND offset=?3"));
  HOOKHOST_TRY(const bool found, row->bind(1, subscriber.value).bind(2, stream).bind(3, offset.value).row());
  if (!found) return std::optional<ParkedRow>{};
  ParkedRow out = parked_of(*row);
  out.event = row->text(11);
  return std::optional<ParkedRow>(std::move(out));
}

Result<std::uint64_t> count_parked(Database& database, const SubscriberId& subscriber, ParkedRow::Kind kind) {
  HOOKHOST_TRY(const auto row, database.cached("SELECT count(*) FROM parked WHERE subscriber=?1 AND kind=?2"));
  HOOKHOST_TRY(const bool found, row->bind(1, subscriber.value).bind(2, static_cast<int>(kind)).row());
  return found ? row->number(0) : 0;
}

Result<std::vector<ReplayRow>> replays(Database& database, const std::optional<SubscriberId>& subscriber) {
  HOOKHOST_TRY(const auto rows, database.cached(std::string(kReplayColumns) + (subscriber ? "WHERE subscriber=?1 " : "") + "ORDER BY id DESC"));
  if (subscriber) rows->bind(1, subscriber->value);
  std::vector<ReplayRow> out;
  for (;;) {
    HOOKHOST_TRY(const bool more, rows->row());
    if (!more) return out;
    HOOKHOST_TRY(auto row, replay_of(*rows));
    out.push_back(std::move(row));
  }
}

Result<std::vector<GapRow>> gaps(Database& database, const SubscriberId& subscriber) {
  HOOKHOST_TRY(const auto rows, database.cached("SELECT from_offset, until_offset, at, acknowledged FROM gap WHERE subscriber=?1 ORDER BY 1"));
  rows->bind(1, subscriber.value);
  std::vector<GapRow> out;
  for (;;) {
    HOOKHOST_TRY(const bool more, rows->row());
    if (!more) return out;
    out.push_back({Offset{rows->number(0)}, Offset{rows->number(1)}, from_unix_ns(rows->integer(2)), rows->integer(3) != 0});
  }
}

Result<std::optional<std::string>> kv_get(Database& database, const SubscriberId& subscriber, std::string_view key) {
  HOOKHOST_TRY(const auto row, database.cached("SELECT value FROM kv WHERE subscriber=?1 AND key=?2"));
  HOOKHOST_TRY(const bool found, row->bind(1, subscriber.value).bind_blob(2, key).row());
  return found ? std::optional<std::string>(row->text(0)) : std::nullopt;
}

Result<std::vector<std::pair<std::string, std::string>>> kv_scan(Database& database, const SubscriberId& subscriber, std::string_view prefix,
                                                                 std::string_view after, std::size_t limit) {
  const std::string end = after_prefix(prefix);
  std::string sql = "SELECT key, value FROM kv WHERE subscriber=?1 AND key>=?2 AND key>?3";
  if (!end.empty()) sql += " AND key<?4";
  HOOKHOST_TRY(const auto rows, database.cached(sql + " ORDER BY key LIMIT ?5"));
  rows->bind(1, subscriber.value).bind_blob(2, prefix).bind_blob(3, after).bind(5, static_cast<std::int64_t>(limit));
  if (!end.empty()) rows->bind_blob(4, end);
  std::vector<std::pair<std::string, std::string>> out;
  for (;;) {
    HOOKHOST_TRY(const bool more, rows->row());
    if (!more) return out;
    out.emplace_back(rows->text(0), rows->text(1));
  }
}

Result<std::uint64_t> meta(Database& database, std::string_view name) {
  HOOKHOST_TRY(const auto row, database.cached("SELECT value FROM meta WHERE name=?1"));
  HOOKHOST_TRY(const bool found, row->bind(1, name).row());
  return found ? row->number(0) : 0;
}

Result<std::uint64_t> highest_replay(Database& database) {
  HOOKHOST_TRY(const auto row, database.cached("SELECT coalesce(max(id), 0) FROM replay"));
  HOOKHOST_TRY(const bool found, row->row());
  return found ? row->number(0) : 0;
}

}  // namespace hookhost::state::reads
