// What the event log finds when it is opened, and what it does about it (FORMAT.md, "Recovery").
//
// A torn, never answered tail is copied to `.broken` and cut. Damage in what was answered is never cut: it is reported, and opening is refused
// unless the loss is accepted. What reads well but was never proven durable is written again into a new segment and synced before anybody
// relies on it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event_log/event.h"
#include "event_log/segment.h"
#include "os/file_system.h"

namespace hookhost::event_log {

struct RecoveryReport {
  bool clean = true;                           // the last stop was an orderly one
  std::uint64_t rewritten = 0;                 // events that read well and are proven durable only now
  std::uint64_t cut_bytes = 0;                 // of a torn tail, kept in `.broken`
  std::vector<std::pair<Offset, Offset>> lost;  // answered events that cannot be read, not accepted before
  std::uint64_t lost_events = 0;               // of these and those accepted before
  std::vector<std::string> broken_files;
  std::vector<std::string> notes;              // for people
};

struct Recovered {
  std::vector<SegmentPtr> segments;  // ascending; all sealed or complete
  Offset begin, end;
  EventId last_id;
  RecoveryReport report;
};

struct RecoveryOptions {
  std::string directory;
  Offset known_durable;  // a durable end that delivery.db has seen
  bool accept_loss = false;
};

// Error: corrupt, naming the lost offsets and the way on; io_error.
[[nodiscard]] Result<Recovered> recover(os::FileSystem& files, const RecoveryOptions& options, const Clock& clock);

// What recover() with these options would refuse, without a change to anything: files that are missing, cut short or of another kind, and what the
// records of the segments that a stop left open say. Damage inside a sealed one is not looked for: that would read everything. Not beside a running
// host. The end as recover() would find it. Error: as recover().
[[nodiscard]] Result<Offset> check(os::FileSystem& files, const RecoveryOptions& options, const Clock& clock);

// Whether `directory` holds an event log.
[[nodiscard]] bool has_segments(os::FileSystem& files, const std::string& directory);

// The same segments for reading only, beside a running host: nothing is changed, nothing is judged.
[[nodiscard]] Result<std::vector<SegmentPtr>> list_segments(os::FileSystem& files, const std::string& directory);

}  // namespace hookhost::event_log
