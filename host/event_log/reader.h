// Reads events in order, up to the durable end, also while the host appends. A reader never blocks the writer and is never blocked by it.
//
// Damage and removed segments do not stop it: what cannot be read is reported as a gap, and reading goes on behind it.
// Threads: one reader belongs to one thread at a time. Blocks on reading files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event_log/event.h"
#include "event_log/record.h"
#include "event_log/scanner.h"
#include "event_log/segment.h"

namespace hookhost::event_log {

struct ReadLimits {
  std::size_t events_max = 256;             // matching ones
  std::size_t bytes_max = 4 << 20;          // of matching payloads; one always fits
  std::size_t looked_max = SIZE_MAX;        // events looked at
};

struct ReadResult {
  std::vector<EventPtr> events;                  // matching, ascending
  Offset next;                                   // everything below it was looked at
  std::vector<std::pair<Offset, Offset>> gaps;   // [from, until): removed or damaged
};

// Empty: every event.
using Wants = std::function<bool(const EventHead&)>;

class Reader {
 public:
  Reader(os::FileSystem& files, std::shared_ptr<const SegmentView> view);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  // Looks at events from `from` up to `until` (at most the durable end). Makes progress unless from is not below that end.
  [[nodiscard]] Result<ReadResult> read(Offset from, Offset until, const ReadLimits& limits, const Wants& wants = {});

  // Shows the head of each event in [from, until) without decoding it; false from `look` ends it. Gaps are passed over.
  [[nodiscard]] Result<> each_head(Offset from, Offset until, const std::function<bool(const EventHead&)>& look);

  // The first event received at or after `time`; the durable end when there is none.
  [[nodiscard]] Result<Offset> find_time(WallTime time);

 private:
  struct Cursor;
  using Gaps = std::vector<std::pair<Offset, Offset>>;

  // The record at `at`, moving `at` over gaps first. False: nothing is left below `until`.
  [[nodiscard]] Result<bool> next_record(Offset& at, Offset until, Gaps& gaps, RecordView& out);
  // Opens the segment that holds `at`, or moves `at` to where one begins. False: none does below `until`.
  [[nodiscard]] Result<bool> enter_segment(Offset& at, Offset until, Gaps& gaps);
  // Loads the batch that holds `at`, or moves `at` over what cannot be read. The cursor is gone at the segment's end.
  [[nodiscard]] Result<> enter_batch(Offset& at, Offset until, Gaps& gaps);

  os::FileSystem* files_;
  std::shared_ptr<const SegmentView> view_;
  std::unique_ptr<Cursor> cursor_;
  RecordDecoder decoder_;
};

}  // namespace hookhost::event_log
