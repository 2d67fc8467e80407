// Walks through the batches of one segment file with large reads, trusting nothing: every length is bounded by what the file holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event_log/format.h"
#include "os/file_system.h"

namespace hookhost::event_log {

struct Step {
  enum class Kind : std::uint8_t {
    batch,   // `batch` and `records`
    footer,  // `footer`: the segment ends here, sealed
    blank,   // zeroes: nothing was written here yet
    end,     // the end of the file
    bad,     // something that is none of these
  } kind = Kind::end;
  std::uint64_t position = 0;
  BatchHeader batch;
  std::string_view records;  // valid until the next call
  Footer footer;
};

class Scanner {
 public:
  // `segment_id`: what batches must carry; 0: take the first one found. `file` must outlive the scanner.
  Scanner(os::File& file, std::uint64_t segment_id);

  // Continues at a sector.
  void seek(std::uint64_t position);
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // What stands at the present position; moves behind it when it is a batch.
  [[nodiscard]] Result<Step> step();
  // After a bad step: moves to the next sector at which a batch or a footer of this segment begins, or to the end. True when there is one.
  [[nodiscard]] Result<bool> resync();
  // Forgets what was read ahead: the file has grown.
  void refresh();
  // How often the file was read: what a step shows was read no earlier than the last time.
  [[nodiscard]] std::uint64_t reads() const { return reads_; }
  [[nodiscard]] std::uint64_t segment_id() const { return segment_id_; }

 private:
  // At least `size` bytes at `position`, fewer only at the end of the file.
  [[nodiscard]] Result<std::string_view> fetch(std::uint64_t position, std::size_t size);

  os::File& file_;
  std::uint64_t segment_id_;
  std::uint64_t position_ = kSectorBytes;
  std::string buffer_;
  std::size_t filled_ = 0;             // of the buffer
  std::size_t ahead_bytes_;            // how much the next read asks for
  std::uint64_t buffer_position_ = 0;
  std::uint64_t reads_ = 0;
};

// One record of a batch, in order.
struct RecordView {
  std::string_view payload;
  bool intact = false;
};

// Splits a batch's records. Stops early, with fewer than `count`, where a length cannot be: the rest cannot be found.
class RecordWalker {
 public:
  explicit RecordWalker(std::string_view records = {}) : rest_(records) {}
  // False at the end, or where a length cannot be.
  bool next(RecordView& out);

 private:
  std::string_view rest_;
};

}  // namespace hookhost::event_log
