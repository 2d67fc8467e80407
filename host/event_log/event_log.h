// The event log: an append-only, checksummed, durable sequence of events in segment files.
//
// Promises: when an append is answered with an offset, the event survives a power cut (fdatasync returned). Offsets are dense and never used
// twice. What was answered is never cut without being reported. After a failed write or sync the log is poisoned: nothing is answered any
// more, and only a restart, which reads what is really on the disk, helps.
//
// Threads: every function may be called from every thread, but open() and close(). append() encodes on the caller's thread and does not block.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/result.h"
#include "event_log/commit_queue.h"
#include "event_log/event.h"
#include "event_log/reader.h"
#include "event_log/recovery.h"
#include "os/file_system.h"

namespace hookhost::event_log {

struct Options {
  std::string directory;  // data_dir/events
  std::uint64_t segment_bytes = 64ULL << 20;
  std::uint64_t disk_free_min = 1ULL << 30;
  Offset known_durable;  // a durable end that delivery.db has seen
  bool accept_loss = false;
  std::size_t waiting_records_max = 65'536;
  std::size_t waiting_bytes_max = 256ULL << 20;
  Duration idle_mark = std::chrono::seconds{1};  // so long without appends, and the last batch gets the successor that proves it
  bool make_ahead = true;                        // the next segment, on a thread of its own; without it each roll waits for its zeroes
};

struct Stats {
  Histogram commit_seconds;
  Histogram batch_records;
  Counter records{0};
  Counter bytes{0};
  Counter batches{0};
  Counter refused_full{0};   // the queue was full
  Counter refused_space{0};  // below disk_free_min
  Stats();
};

struct Sizes {
  std::size_t segments = 0;
  std::uint64_t record_bytes = 0;  // of what is kept, without zeroes ahead
  std::uint64_t free_bytes = 0;    // of the disk, as last looked at
};

class EventLog {
 public:
  // Recovers, then accepts appends. Error: corrupt (answered events are lost and accept_loss is not given), io_error, no_space.
  [[nodiscard]] static Result<std::unique_ptr<EventLog>> open(os::FileSystem& files, Options options, const Clock& clock);
  ~EventLog();  // close()

  [[nodiscard]] const RecoveryReport& recovery() const;
  [[nodiscard]] EventId last_id_found() const;  // at open

  // The offset of `event` is set by the log. `done` is called once, on a thread of the event log (or at once, when refused): with the offset when the
  // event is durable; with unavailable (queue full, closing), no_space or poisoned. It must not block.
  void append(const Event& event, AppendDone done);
  // The same, waiting. Never from `done`.
  [[nodiscard]] Result<Offset> append_now(const Event& event);

  [[nodiscard]] Offset begin() const;
  [[nodiscard]] Offset durable_end() const;
  // Called on the commit thread after the durable end has moved; must not block. An empty one ends it: no call runs afterwards.
  void on_durable(std::function<void()> wake);
  // Called once, on the commit thread, when the log becomes poisoned.
  void on_poisoned(std::function<void()> wake);
  [[nodiscard]] bool is_poisoned() const;
  // Would append() be accepted now? The error says why not.
  [[nodiscard]] Result<> accepting() const;

  [[nodiscard]] Reader reader() const;

  // Removes whole segments from the front that are older than `age` (by their last event) or above `bytes` in sum, but nothing at or above
  // `keep_from`. Returns the new begin().
  [[nodiscard]] Result<Offset> apply_retention(Duration age, std::uint64_t bytes, Offset keep_from);

  [[nodiscard]] const Stats& stats() const;
  [[nodiscard]] Sizes sizes() const;

  // Commits what waits, marks the end, seals. Idempotent. Appends are refused from now on.
  void close();

 private:
  class Impl;
  explicit EventLog(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // readers share it
};

// For commands beside a running host, or without one: reads up to the published durable end (the file END); changes nothing.
[[nodiscard]] Result<std::shared_ptr<const SegmentView>> open_view(os::FileSystem& files, const std::string& directory);

}  // namespace hookhost::event_log
