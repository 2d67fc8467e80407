// Reads a whole event log and says what can be read (`hookhost events verify`). Changes nothing; may run beside a host.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "os/file_system.h"

namespace hookhost::event_log {

struct SegmentFindings {
  std::string file;  // its name in the directory
  Offset first;
  Offset end;                                     // behind the last offset that this segment holds or should hold
  std::uint64_t events = 0;                       // that read well
  std::uint64_t record_bytes = 0;
  bool sealed = false;                            // false: being written, or left by an unclean stop
  bool header_damaged = false;
  std::vector<std::pair<Offset, Offset>> damaged;  // [from, until): cannot be read
};

// One entry a segment, ascending. `until`: the durable end (open_view()); what stands beyond it is not judged. Blocks for as long as reading
// everything takes. Error: not_found, io_error.
[[nodiscard]] Result<std::vector<SegmentFindings>> verify(os::FileSystem& files, const std::string& directory, Offset until);

}  // namespace hookhost::event_log
