#include "state/batch_writer.h"

#include "state/attempts.h"
#include "state/cut.h"
#include "state/position_code.h"

namespace hookhost::state {
namespace {

constexpr std::size_t kKvKeyBytesMax = 256;
constexpr std::size_t kKvValueBytesMax = 1024 * 1024;

void bind_offset(Statement& statement, int index, const std::optional<Offset>& offset) {
  if (offset) {
    statement.bind(index, offset->value);
  } else {
    statement.bind_null(index);
  }
}

constexpr const char* kPutRow =
    "INSERT INTO subscriber (id, kind, condition, reason, frontier, done, token, reset_pending, handled_any, failed_run, plan, created_at, "
    "changed_at, failed_since) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) ON CONFLICT (id) DO UPDATE SET kind=?2, condition=?3, "
    "reason=?4, frontier=?5, done=?6, token=?7, reset_pending=?8, handled_any=?9, failed_run=?10, plan=?11, created_at=?12, changed_at=?13, "
    "failed_since=?14";
constexpr const char* kPutCondition = "UPDATE subscriber SET condition=?2, reason=?3, changed_at=?4, failed_run=coalesce(?5, failed_run) WHERE id=?1";
constexpr const char* kPutPlan = "UPDATE subscriber SET plan=?2 WHERE id=?1";
constexpr const char* kPutTally = "UPDATE subscriber SET successes=?2, failures=?3, last_success=?4, last_failure=?5 WHERE id=?1";
constexpr const char* kPutPosition = "UPDATE subscriber SET frontier=?2, done=?3 WHERE id=?1";
constexpr const char* kPutToken = "UPDATE subscriber SET token=?2 WHERE id=?1";
constexpr const char* kPutPrepared = "UPDATE subscriber SET prepared=?2 WHERE id=?1";
constexpr const char* kPutLane =
    "INSERT OR REPLACE INTO lane (subscriber, stream, lane, head, attempts, crashes, due, last_outcome, last_error, first_skipped) "
    "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)";
constexpr const char* kEraseLane = "DELETE FROM lane WHERE subscriber=?1 AND stream=?2 AND lane=?3";
constexpr const char* kPutParked =
    "INSERT OR REPLACE INTO parked (subscriber, stream, offset, kind, id, type, reason, attempts, last_error, parked_at, run, event) "
    "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)";
constexpr const char* kEraseParked = "DELETE FROM parked WHERE subscriber=?1 AND stream=?2 AND offset=?3";
constexpr const char* kRunToHeld = "UPDATE parked SET kind=1 WHERE subscriber=?1 AND kind=0 AND run=?2";
constexpr const char* kPutKv = "INSERT OR REPLACE INTO kv (subscriber, key, value) VALUES (?1,?2,?3)";
constexpr const char* kEraseKv = "DELETE FROM kv WHERE subscriber=?1 AND key=?2";
constexpr const char* kPutCrash =
    "INSERT OR REPLACE INTO crash (subscriber, stream, offset, attempt, crashes, cause, at, life) VALUES (?1,?2,?3,?4,?5,?6,?7,?8)";
constexpr const char* kEraseCrash = "DELETE FROM crash WHERE subscriber=?1 AND stream=?2 AND offset=?3";
constexpr const char* kPutReplay =
    "INSERT OR REPLACE INTO replay (id, subscriber, mode, state, filter, from_offset, until_offset, frontier, done, rate, total, handled, "
    "failed, created_at, finished_at) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)";
constexpr const char* kPutGap =
    "INSERT OR REPLACE INTO gap (subscriber, from_offset, until_offset, at, acknowledged) VALUES (?1,?2,?3,?4,?5)";
constexpr const char* kPutMeta = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1,?2)";

}  // namespace

Result<> BatchWriter::set_meta(std::string_view name, std::uint64_t value) {
  HOOKHOST_TRY(const auto put, database_.cached(kPutMeta));
  return put->bind(1, name).bind(2, value).run();
}

Result<> BatchWriter::apply(const Batch& batch) {
  HOOKHOST_CHECK(database_.execute("SAVEPOINT batch"));
  auto written = write(batch);
  if (!written && !database_.in_transaction()) return written;
  if (!written) HOOKHOST_CHECK(database_.execute("ROLLBACK TO batch"));
  HOOKHOST_CHECK(database_.execute("RELEASE batch"));
  return written;
}

Result<> BatchWriter::write(const Batch& batch) {
  HOOKHOST_CHECK(clear(batch));
  if (batch.forget) return success();
  if (batch.row) HOOKHOST_CHECK(put_row(*batch.row));
  HOOKHOST_CHECK(put_position(batch));
  HOOKHOST_CHECK(put_lanes(batch));
  HOOKHOST_CHECK(put_parked(batch));
  HOOKHOST_CHECK(put_kv(batch));
  return put_history(batch);
}

Result<> BatchWriter::clear(const Batch& batch) {
  if (!batch.reset && !batch.skip && !batch.forget) return success();
  static constexpr const char* kSkip[] = {"DELETE FROM lane WHERE subscriber=?1", "DELETE FROM crash WHERE subscriber=?1",
                                          "DELETE FROM parked WHERE subscriber=?1 AND kind=1",
                                          "UPDATE subscriber SET prepared=x'' WHERE id=?1"};
  static constexpr const char* kReset = "DELETE FROM kv WHERE subscriber=?1";
  static constexpr const char* kForget[] = {"DELETE FROM parked WHERE subscriber=?1", "DELETE FROM attempts WHERE subscriber=?1",
                                            "DELETE FROM replay WHERE subscriber=?1", "DELETE FROM gap WHERE subscriber=?1",
                                            "DELETE FROM subscriber WHERE id=?1"};
  const auto run = [&](const char* sql) -> Result<> {
    HOOKHOST_TRY(const auto clear, database_.cached(sql));
    return clear->bind(1, batch.subscriber.value).run();
  };
  for (const char* sql : kSkip) HOOKHOST_CHECK(run(sql));
  if (batch.reset || batch.forget) HOOKHOST_CHECK(run(kReset));
  if (!batch.forget) return success();
  for (const char* sql : kForget) HOOKHOST_CHECK(run(sql));
  return success();
}

Result<> BatchWriter::put_row(const SubscriberRow& row) {
  HOOKHOST_TRY(const auto put, database_.cached(kPutRow));
  put->bind(1, row.id.value).bind(2, row.kind).bind(3, static_cast<int>(row.condition)).bind(4, cut(row.reason));
  put->bind(5, row.position.frontier.value).bind_blob(6, encode_offsets(row.position.done)).bind(7, row.token);
  put->bind(8, static_cast<int>(row.reset_pending)).bind(9, static_cast<int>(row.handled_any)).bind(10, row.failed_run);
  put->bind_blob(11, row.plan).bind(12, to_unix_ns(row.created_at)).bind(13, to_unix_ns(row.changed_at));
  put->bind(14, to_unix_ns(row.failed_since));
  return put->run();
}

Result<> BatchWriter::put_position(const Batch& batch) {
  const std::string& id = batch.subscriber.value;
  if (batch.condition) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutCondition));
    put->bind(1, id).bind(2, static_cast<int>(batch.condition->condition)).bind(3, cut(batch.condition->reason));
    put->bind(4, to_unix_ns(batch.condition->changed_at)).bind_null(5);
    if (batch.condition->failed_run) put->bind(5, *batch.condition->failed_run);
    HOOKHOST_CHECK(put->run());
  }
  if (batch.plan) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutPlan));
    HOOKHOST_CHECK(put->bind(1, id).bind_blob(2, *batch.plan).run());
  }
  if (batch.position) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutPosition));
    HOOKHOST_CHECK(put->bind(1, id).bind(2, batch.position->frontier.value).bind_blob(3, encode_offsets(batch.position->done)).run());
  }
  if (batch.token) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutToken));
    HOOKHOST_CHECK(put->bind(1, id).bind(2, *batch.token).run());
  }
  if (batch.tally) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutTally));
    const auto time = [&](int index, const std::optional<WallTime>& at) {
      if (at) {
        put->bind(index, to_unix_ns(*at));
      } else {
        put->bind_null(index);
      }
    };
    put->bind(1, id).bind(2, batch.tally->successes).bind(3, batch.tally->failures);
    time(4, batch.tally->last_success);
    time(5, batch.tally->last_failure);
    HOOKHOST_CHECK(put->run());
  }
  if (batch.prepared) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutPrepared));
    HOOKHOST_CHECK(put->bind(1, id).bind_blob(2, *batch.prepared).run());
  }
  return success();
}

Result<> BatchWriter::put_lanes(const Batch& batch) {
  for (const auto& [stream, lane] : batch.lanes_erased) {
    HOOKHOST_TRY(const auto erase, database_.cached(kEraseLane));
    HOOKHOST_CHECK(erase->bind(1, batch.subscriber.value).bind(2, stream).bind_blob(3, lane).run());
  }
  for (const LaneRow& lane : batch.lanes) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutLane));
    put->bind(1, batch.subscriber.value).bind(2, lane.stream).bind_blob(3, lane.lane);
    bind_offset(*put, 4, lane.head);
    put->bind(5, lane.attempts).bind(6, lane.crashes).bind(7, to_unix_ns(lane.due)).bind(8, lane.last_outcome).bind(9, cut(lane.last_error));
    bind_offset(*put, 10, lane.first_skipped);
    HOOKHOST_CHECK(put->run());
  }
  return success();
}

Result<> BatchWriter::put_parked(const Batch& batch) {
  const std::string& id = batch.subscriber.value;
  for (const auto& [stream, offset] : batch.parked_erased) {
    HOOKHOST_TRY(const auto erase, database_.cached(kEraseParked));
    HOOKHOST_CHECK(erase->bind(1, id).bind(2, stream).bind(3, offset.value).run());
  }
  for (const ParkedRow& row : batch.parked) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutParked));
    put->bind(1, id).bind(2, row.stream).bind(3, row.offset.value).bind(4, static_cast<int>(row.kind)).bind(5, row.id.value);
    put->bind_blob(6, row.type).bind(7, row.reason).bind(8, row.attempts).bind(9, cut(row.last_error)).bind(10, to_unix_ns(row.parked_at));
    HOOKHOST_CHECK(put->bind(11, row.run).bind_blob(12, row.event).run());
  }
  if (batch.run_to_held) {
    HOOKHOST_TRY(const auto hold, database_.cached(kRunToHeld));
    HOOKHOST_CHECK(hold->bind(1, id).bind(2, *batch.run_to_held).run());
  }
  return success();
}

Result<> BatchWriter::put_kv(const Batch& batch) {
  for (const KvWrite& write : batch.kv) {
    if (write.key.size() > kKvKeyBytesMax || (write.value && write.value->size() > kKvValueBytesMax)) {
      return fail(ErrorCode::usage, "a kv key may have 256 bytes and a value 1 MiB; keep larger things in files of the plugin's own");
    }
    HOOKHOST_TRY(const auto put, database_.cached(write.value ? kPutKv : kEraseKv));
    put->bind(1, batch.subscriber.value).bind_blob(2, write.key);
    if (write.value) put->bind_blob(3, *write.value);
    HOOKHOST_CHECK(put->run());
  }
  return success();
}

Result<> BatchWriter::put_history(const Batch& batch) {
  const std::string& id = batch.subscriber.value;
  HOOKHOST_CHECK(put_attempts(database_, id, batch.attempts));
  for (const auto& [stream, offset] : batch.crashes_erased) {
    HOOKHOST_TRY(const auto erase, database_.cached(kEraseCrash));
    HOOKHOST_CHECK(erase->bind(1, id).bind(2, stream).bind(3, offset.value).run());
  }
  for (const CrashRow& row : batch.crashes) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutCrash));
    put->bind(1, id).bind(2, row.stream).bind(3, row.offset.value).bind(4, row.attempt).bind(5, row.crashes).bind(6, cut(row.cause));
    HOOKHOST_CHECK(put->bind(7, to_unix_ns(row.at)).bind(8, row.life).run());
  }
  for (const ReplayRow& row : batch.replays) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutReplay));
    put->bind(1, row.id).bind(2, row.subscriber.value).bind(3, row.mode).bind(4, row.state).bind_blob(5, row.filter);
    put->bind(6, row.from.value).bind(7, row.until.value).bind(8, row.position.frontier.value);
    put->bind_blob(9, encode_offsets(row.position.done)).bind(10, row.rate).bind(11, row.total).bind(12, row.handled).bind(13, row.failed);
    HOOKHOST_CHECK(put->bind(14, to_unix_ns(row.created_at)).bind(15, to_unix_ns(row.finished_at)).run());
  }
  for (const GapRow& row : batch.gaps) {
    HOOKHOST_TRY(const auto put, database_.cached(kPutGap));
    put->bind(1, id).bind(2, row.from.value).bind(3, row.until.value).bind(4, to_unix_ns(row.at)).bind(5, static_cast<int>(row.acknowledged));
    HOOKHOST_CHECK(put->run());
  }
  return success();
}

}  // namespace hookhost::state
