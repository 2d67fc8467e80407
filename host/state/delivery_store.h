// delivery.db: how far every subscriber has come, what it still owes, and what plugins keep in kv/1. SQLite in WAL mode behind one writer
// thread, which gathers the batches that wait into one transaction, so that the state of all subscribers rolls back as one.
//
// A batch is applied whole or not at all. synchronous=NORMAL: a power cut may roll the last transactions back (events are then delivered
// again, together with the kv that goes with them); `durable` asks for FULL. Losing the file means redelivery, never lost events.
//
// Threads: every function may be called from every thread. commit() does not block; the reads block on SQLite (their own connection) and see
// what is committed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"

namespace hookhost::state {

// Which stream of a subscriber a row belongs to: 0 is its own (live and catch-up), else the id of a replay that runs beside it.
using StreamId = std::uint64_t;
inline constexpr StreamId kMainStream = 0;
// Attempts that a person asked for, of no event of the event log.
inline constexpr StreamId kTestStream = INT64_MAX;
inline constexpr Offset kNoOffset{INT64_MAX};

// The condition in which a subscriber's position moves (live) or stands.
enum class Condition : std::uint8_t {
  live,      // follows the event log, or is catching up with it
  held,      // start_at: hold; fed nothing until a replay or a resume
  paused,    // the operator said so
  stopped,   // stop_after: too many events in a row were exhausted or crashed
  detached,  // no longer in the configuration
};
[[nodiscard]] std::string_view to_string(Condition condition);

// How far a stream has come. Every matching event below `frontier` is done, or stands in a lane row or in a parked row. `done` are the
// offsets above the frontier that are done too (ascending, bounded by delivery).
struct Position {
  Offset frontier;
  std::vector<Offset> done;
};

// What became of its attempts since it exists: for those that keep count (endpoints).
struct Tally {
  std::uint64_t successes = 0, failures = 0;
  std::optional<WallTime> last_success, last_failure;
};

struct SubscriberRow {
  SubscriberId id;
  std::string kind;  // "plugin", later "endpoint"
  Condition condition = Condition::live;
  std::string reason;  // for people: why it is paused or stopped
  Position position;
  std::uint64_t token = 0;       // the last committed checkpoint token, 0: none yet
  bool reset_pending = false;    // --reset was asked; the plugin has not committed anything since
  bool handled_any = false;      // some event was handed to it since it was made or reset
  std::uint32_t failed_run = 0;  // different events exhausted or crashed in a row without one ok (stop_after)
  WallTime failed_since;         // when that run began
  Tally tally;                   // read with the row; written by Batch::tally alone
  std::string plan;              // delivery's own notes about the subscriber (text, opaque here)
  WallTime created_at;
  WallTime changed_at;  // when the condition changed last
};

// An order of the operator, written on its own: what a batch of outcomes waits for must not hold it up.
struct ConditionChange {
  Condition condition = Condition::live;
  std::string reason;
  WallTime changed_at;
  std::optional<std::uint32_t> failed_run = {};  // absent: as it is
};

// One blocked lane: an event that waits for its next attempt, and from where the later events of the same lane were skipped.
struct LaneRow {
  StreamId stream = kMainStream;
  std::string lane;                // delivery's name of the lane (source, team, key), any bytes
  std::optional<Offset> head;      // the event that waits; nullopt: only draining what was skipped
  std::uint32_t attempts = 0;      // how many it had
  std::uint32_t crashes = 0;       // how many of them ended the worker or the instance
  WallTime due;                    // next attempt, wall time
  std::string last_outcome;
  std::string last_error;
  std::optional<Offset> first_skipped;  // the lane's later events from here on were not handed over yet
};

// An event that left the ordinary way: a dead letter, or held for a resume.
struct ParkedRow {
  enum class Kind : std::uint8_t { dead, held };
  Kind kind = Kind::dead;
  StreamId stream = kMainStream;
  Offset offset;
  EventId id;
  std::string type;
  std::string reason;  // rejected, exhausted, crashed
  std::uint32_t attempts = 0;
  std::string last_error;
  WallTime parked_at;
  std::uint32_t run = 0;  // which failed run it belongs to; a stop turns the dead letters of its run into held ones
  std::string event;      // a copy of the event, encoded by event_log
};

struct KvWrite {
  std::string key;
  std::optional<std::string> value;  // nullopt: erase
};

// One attempt that was not ok at the first try, or any of a subscriber that keeps them all.
struct AttemptRow {
  StreamId stream = kMainStream;
  Offset offset;
  EventId id;
  std::string type;
  std::uint32_t attempt = 1;
  WallTime at;
  Duration took{};
  std::string outcome;
  std::string error;
  int http_status = 0;  // of an endpoint's answer; 0: there was none
  std::string answer;   // its beginning
};

// An attempt that ended the process it ran in, so that nobody was left to say what became of it. It stands here until delivery has drawn its
// consequences.
struct CrashRow {
  StreamId stream = kMainStream;
  Offset offset;
  std::uint32_t attempt = 1;  // the one that crashed
  std::uint32_t crashes = 1;  // of the event, with this one
  std::string cause;          // for people
  WallTime at;
  std::uint64_t life = 0;  // names the process that crashed, so that it is counted once; 0: whoever counts does so once
};

struct ReplayRow {
  StreamId id = 0;
  SubscriberId subscriber;
  std::string mode;    // wait, continue, reset
  std::string state;   // running, done, cancelled
  std::string filter;  // delivery's own text
  Offset from, until;
  Position position;  // for `continue`; `wait` moves the subscriber's own position
  double rate = 0;    // events per second, 0: no limit
  std::uint64_t total = 0, handled = 0, failed = 0;
  WallTime created_at, finished_at;
};

// Events that retention removed before a subscriber had them; shown until acknowledged.
struct GapRow {
  Offset from, until;
  WallTime at;
  bool acknowledged = false;
};

// Changes of one subscriber, applied whole or not at all. Rows are put by their key: lanes by (stream, lane), parked by (stream, offset).
struct Batch {
  SubscriberId subscriber;
  bool durable = false;  // fsync before `done` is called
  bool patient = false;  // nobody waits for it: it may wait some milliseconds for others, with which it costs less
  std::optional<SubscriberRow> row;
  std::optional<ConditionChange> condition;  // over the row's
  std::optional<std::string> plan;           // as well
  std::optional<Position> position;  // of the main stream
  std::optional<std::uint64_t> token;
  std::optional<Tally> tally;
  std::vector<LaneRow> lanes;
  std::vector<std::pair<StreamId, std::string>> lanes_erased;
  std::vector<ParkedRow> parked;
  std::vector<std::pair<StreamId, Offset>> parked_erased;
  std::optional<std::uint32_t> run_to_held;  // turn the dead letters of this run into held ones
  std::vector<KvWrite> kv;
  std::vector<AttemptRow> attempts;
  std::vector<std::pair<StreamId, Offset>> crashes_erased;
  std::vector<CrashRow> crashes;
  std::vector<ReplayRow> replays;
  std::vector<GapRow> gaps;
  std::optional<std::string> prepared;  // what the checkpoint now being asked for covers (delivery's own bytes); empty: forget it
  bool reset = false;                   // first clear kv, lanes, crashes, parked held rows, prepared: one commit with the rest
  bool skip = false;                    // the same but for kv: what it owed is no longer asked for
  bool forget = false;                  // delete every row of the subscriber
};

// Everything a subscriber needs to go on after a restart.
struct Loaded {
  SubscriberRow row;
  std::vector<LaneRow> lanes;
  std::vector<ParkedRow> held;       // without the copies of events: fetch one by parked()
  std::vector<CrashRow> crashes;
  std::vector<ReplayRow> replays;    // running ones
  std::string prepared;
};

struct ParkedQuery {
  std::optional<SubscriberId> subscriber;
  std::optional<ParkedRow::Kind> kind;
  std::string type;                 // a pattern's text is resolved by the caller; empty: all
  std::optional<WallTime> since;
  std::size_t limit = 0;            // 0: all
  std::optional<std::pair<SubscriberId, Offset>> after;  // paging
};

// Which attempts of a subscriber.
struct AttemptQuery {
  std::optional<Offset> offset;  // of this event
  std::optional<EventId> id;     // the same, by its id; finds tests too
  std::size_t limit = 0;         // 0: all
};

class DeliveryStore {
 public:
  virtual ~DeliveryStore() = default;

  // Makes the file (0600) when it is missing; `beside_events`: an event log is there already, so that the positions are lost. Error: corrupt
  // (says how to go on), not_supported for a newer hookhost's file, permission, io_error, busy while another process writes to it. One process
  // at a time opens it: the data directory's lock sees to that. `gathering`: how long patient batches wait for others.
  [[nodiscard]] static Result<std::unique_ptr<DeliveryStore>> open(const std::string& path, bool beside_events = false,
                                                                   std::chrono::milliseconds gathering = std::chrono::milliseconds{2});

  // The file was made beside an event log, and not every subscriber has a position since: one that is not here may have had one. It stays so over
  // restarts until settle_positions(), which waits for its commit. Never from `done`.
  [[nodiscard]] virtual bool positions_lost() const = 0;
  [[nodiscard]] virtual Result<> settle_positions(WallTime now) = 0;
  // When that was; nullopt: never, none were lost. Who was known then and is named later has lost its position, too.
  [[nodiscard]] virtual std::optional<WallTime> positions_settled_at() const = 0;

  // Queues a batch. `done` is called once, on the writer thread, after the transaction's end: with an error none of it is applied, and the
  // caller must treat the subscriber's memory as ahead of its state. Batches of one subscriber are applied in the order of the calls; one that
  // fails takes those of its subscriber with it that waited for the same transaction. The destructor commits what waits. The queue is as
  // long as its callers make it: they bound what they have in the air.
  virtual void commit(Batch batch, std::function<void(Result<>)> done) = 0;
  // The same, waiting for the end. Never from `done`.
  [[nodiscard]] Result<> commit_now(Batch batch);

  [[nodiscard]] virtual Result<std::vector<SubscriberRow>> subscribers() = 0;
  [[nodiscard]] virtual Result<std::optional<Loaded>> load(const SubscriberId& subscriber) = 0;
  [[nodiscard]] virtual Result<std::vector<std::pair<SubscriberId, ParkedRow>>> parked(const ParkedQuery& query) = 0;  // copies left out
  [[nodiscard]] virtual Result<std::optional<ParkedRow>> parked_one(const SubscriberId& subscriber, StreamId stream, Offset offset) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> count_parked(const SubscriberId& subscriber, ParkedRow::Kind kind) = 0;
  // The newest first.
  [[nodiscard]] virtual Result<std::vector<AttemptRow>> attempts(const SubscriberId& subscriber, const AttemptQuery& query) = 0;
  [[nodiscard]] virtual Result<std::vector<ReplayRow>> replays(std::optional<SubscriberId> subscriber) = 0;
  [[nodiscard]] virtual Result<std::vector<GapRow>> gaps(const SubscriberId& subscriber) = 0;
  [[nodiscard]] virtual Result<StreamId> next_replay_id() = 0;

  [[nodiscard]] virtual Result<std::optional<std::string>> kv_get(const SubscriberId& subscriber, std::string_view key) = 0;
  // Keys that begin with `prefix` and come after `after` (empty: from the first), ascending, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<std::pair<std::string, std::string>>> kv_scan(const SubscriberId& subscriber, std::string_view prefix,
                                                                                        std::string_view after, std::size_t limit) = 0;

  // The highest durable end of the event log that anybody has seen: recovery compares it with what it finds. Does not block: what the file does not
  // have yet goes there with the batches that wait, or in a small transaction of its own. Where that fails, the next call or batch tries again.
  virtual void note_durable_end(Offset end) = 0;
  [[nodiscard]] virtual Offset durable_end_seen() = 0;

  // Drops some of the attempts older than `before`, those of a batch with the newest of them, and waits for it. False: there are no more. Never from
  // `done`.
  [[nodiscard]] virtual Result<bool> prune_attempts(WallTime before) = 0;
};

}  // namespace hookhost::state
