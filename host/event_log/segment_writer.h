// Writes batches into the active segment, rolls to the next one, seals. Never called by two threads at once; blocks on the disk.
//
// append() is in the page cache, sync() is on the disk. After an error of either the writer must not be used again: the event log is
// poisoned.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "event_log/format.h"
#include "event_log/segment.h"
#include "os/file_system.h"

namespace hookhost::event_log {

// A zeroed, synced file without a header that waits to become a segment.
struct Spare {
  std::unique_ptr<os::File> file;
  std::uint64_t length = 0;
  std::string path;
};

struct WriterOptions {
  std::string directory;
  std::uint64_t segment_bytes = 64ULL << 20;
};

class SegmentWriter {
 public:
  SegmentWriter(os::FileSystem& files, WriterOptions options, const Clock& clock) : files_(files), options_(std::move(options)), clock_(clock) {}

  [[nodiscard]] bool has_segment() const { return segment_ != nullptr; }
  // Whether a batch with `bytes` of records wants a new segment first: it must lie in what was zeroed ahead, with a mark and the footer.
  [[nodiscard]] bool wants_roll(std::uint64_t bytes) const;
  // Seals the active segment, if there is one, and begins one at `first_offset` that has room for `bytes` of records: in `spare`, or in a
  // small one made now. After an error nothing is active. no_space: nothing was begun, the same call may succeed later.
  [[nodiscard]] Result<SegmentPtr> roll(Offset first_offset, std::uint64_t bytes, std::optional<Spare> spare);

  // A new segment with one batch already in it, synced as a whole before it gets its name: what recovery writes again.
  [[nodiscard]] Result<SegmentPtr> roll_with(Offset first_offset, std::string_view records, std::uint32_t count, WallTime first_received_at,
                                             WallTime last_received_at);

  // One batch: `records` are encoded records (record.h), `count` of them, the first at `first_offset`.
  [[nodiscard]] Result<BatchPlace> append(std::string_view records, std::uint32_t count, Offset first_offset, Offset synced_up_to,
                                          WallTime first_received_at);
  [[nodiscard]] Result<> sync();
  // Footer, cut, sync. Nothing is active afterwards.
  [[nodiscard]] Result<> seal();

 private:
  [[nodiscard]] Result<> begin(Spare spare, Offset first_offset);
  [[nodiscard]] Result<> take_name(const std::string& from);

  os::FileSystem& files_;
  const WriterOptions options_;
  const Clock& clock_;
  SegmentPtr segment_;
  std::unique_ptr<os::File> file_;
  std::uint64_t position_ = 0;
  std::uint64_t capacity_ = 0;  // of the file, zeroed ahead
  std::string buffer_;
};

// Zeroes `path` ahead in small synced steps, so that the commits beside it do not wait for one large one. Error: no_space, io_error;
// nothing is left then.
[[nodiscard]] Result<Spare> make_spare(os::FileSystem& files, std::string path, std::uint64_t bytes);

}  // namespace hookhost::event_log
