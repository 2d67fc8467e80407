// One segment as readers see it: its file, its range of offsets, and a sparse index of where batches begin.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"

namespace hookhost::event_log {

struct BatchPlace {
  Offset first;
  std::uint64_t position = 0;
  WallTime received_at;  // of its first record
};

// Threads: from every thread.
class Segment {
 public:
  Segment(std::string path, Offset first_offset, std::uint64_t segment_id)
      : path_(std::move(path)), first_offset_(first_offset), segment_id_(segment_id), end_(first_offset) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Offset first_offset() const { return first_offset_; }
  [[nodiscard]] std::uint64_t segment_id() const { return segment_id_; }

  // A batch that is durable now. Places closer than 64 KiB to the last one are not kept.
  void add_batch(const BatchPlace& place, Offset end, std::uint64_t record_bytes, WallTime last_received_at);
  void set_end(Offset end);
  // What a footer says of a segment that was not walked through.
  void set_facts(Offset end, std::uint64_t record_bytes, WallTime last_received_at);
  // Recovery has cut the batches from `end` on, with `record_bytes` of records.
  void cut(Offset end, std::uint64_t record_bytes);

  [[nodiscard]] Offset end() const;
  [[nodiscard]] std::uint64_t record_bytes() const;
  [[nodiscard]] WallTime last_received_at() const;  // WallTime::max(): not known
  // A batch that begins at or before `offset`; the start of the segment when none is known.
  [[nodiscard]] BatchPlace place_before(Offset offset) const;
  // A batch from which a walk meets every record received at or after `time`.
  [[nodiscard]] BatchPlace place_before(WallTime time) const;

 private:
  [[nodiscard]] BatchPlace start() const;

  const std::string path_;
  const Offset first_offset_;
  const std::uint64_t segment_id_;
  mutable std::mutex mutex_;
  Offset end_;
  std::uint64_t record_bytes_ = 0;
  WallTime last_received_at_;
  std::vector<BatchPlace> places_;
};

using SegmentPtr = std::shared_ptr<Segment>;

// Where an offset belongs: the last segment that begins at or before it, nullptr when there is none, and where the next one begins, the
// largest offset when there is none.
struct SegmentAround {
  SegmentPtr segment;
  Offset successor;
};
[[nodiscard]] SegmentAround segment_around(const std::vector<SegmentPtr>& segments, Offset offset);

// The segments that a reader may read, ascending, and how far.
class SegmentView {
 public:
  virtual ~SegmentView() = default;
  // Error: io_error, of a view that looks at the directory.
  [[nodiscard]] virtual Result<std::vector<SegmentPtr>> segments() const = 0;
  [[nodiscard]] virtual Result<SegmentAround> around(Offset offset) const = 0;
  [[nodiscard]] virtual Offset durable_end() const = 0;
};

}  // namespace hookhost::event_log
