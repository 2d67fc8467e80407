// Everything recovery must know of one segment file, from one walk through it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "event_log/scanner.h"
#include "event_log/segment.h"

namespace hookhost::event_log {

struct ScannedRecord {
  Offset offset;
  std::string record;  // header and payload, as in the file
  WallTime received_at;
};

struct SegmentScan {
  SegmentPtr segment;              // its index holds every readable batch
  std::optional<SegmentHeader> header;
  std::optional<Footer> footer;
  Offset end;                      // behind the last readable record
  Offset synced_up_to;             // the highest that any batch says
  Offset known_end;                // the end of the batch in which `known_durable` lies: a batch is durable as a whole
  EventId last_id;
  std::uint64_t file_size = 0;
  std::uint64_t end_position = 0;  // behind the last valid batch
  bool bad_tail = false;           // something that is neither a batch nor blank stands behind end_position
  std::vector<std::pair<Offset, Offset>> damaged;   // offsets between readable ones that cannot be read
};

// `limit`: where the next segment begins; what stands at or beyond it is superseded and not counted.
[[nodiscard]] Result<SegmentScan> scan_segment(os::FileSystem& files, const std::string& path, Offset name_offset, Offset limit,
                                               Offset known_durable);

// The readable records from `from` on, which is where a batch begins, with the position of that batch.
struct Tail {
  std::vector<ScannedRecord> records;
  std::uint64_t record_bytes = 0;  // of all batches from `position` on
  std::uint64_t position = 0;  // of the first batch that holds something at or beyond `from`; the end of the batches when none does
};
[[nodiscard]] Result<Tail> read_tail(os::FileSystem& files, const SegmentScan& scan, Offset from);

}  // namespace hookhost::event_log
