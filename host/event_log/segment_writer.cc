#include "event_log/segment_writer.h"

#include <algorithm>
#include <random>

#include "base/failpoint.h"

namespace hookhost::event_log {
namespace {

constexpr std::uint64_t kZeroStepBytes = 1 << 20;
constexpr std::uint64_t kSmallSegmentBytes = 2 << 20;  // what is zeroed while an event waits for it, when no spare is ready

// A file that holds the header, one batch, a mark and the footer.
constexpr std::uint64_t length_for(std::uint64_t record_bytes) {
  return kSectorBytes + round_up_to_sector(kBatchHeaderBytes + record_bytes) + 2 * kSectorBytes;
}

std::uint64_t random_id() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) | 1;  // never 0
}

}  // namespace

Result<Spare> make_spare(os::FileSystem& files, std::string path, std::uint64_t bytes) {
  static_cast<void>(files.remove(path));
  HOOKHOST_TRY(auto file, files.open(path, os::OpenMode::create));
  const std::string zeros(std::min(kZeroStepBytes, bytes), '\0');
  const auto zero = [&]() -> Result<> {
    for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
      HOOKHOST_CHECK(file->write_at(at, std::string_view(zeros).substr(0, std::min<std::uint64_t>(zeros.size(), bytes - at))));
      HOOKHOST_CHECK(file->sync());
    }
    return success();
  };
  if (auto done = zero(); !done) {
    file.reset();
    static_cast<void>(files.remove(path));
    return fail(done.error());
  }
  return Spare{std::move(file), bytes, std::move(path)};
}

bool SegmentWriter::wants_roll(std::uint64_t bytes) const {
  if (!segment_) return true;
  return position_ - kSectorBytes + length_for(bytes) > capacity_;
}

Result<SegmentPtr> SegmentWriter::roll(Offset first_offset, std::uint64_t bytes, std::optional<Spare> spare) {
  if (segment_) HOOKHOST_CHECK(seal());
  HOOKHOST_FAILPOINT("event_log.roll_sealed");
  const std::uint64_t length = length_for(bytes);
  if (!spare || spare->length < length) {
    const std::uint64_t small = std::min(kSmallSegmentBytes, options_.segment_bytes);
    HOOKHOST_TRY(auto made, make_spare(files_, os::join(options_.directory, kFreshName), round_up_to_sector(std::max(length, small))));
    spare = std::move(made);
  }
  const std::string from = spare->path;
  const auto begun = [&]() -> Result<> {
    HOOKHOST_CHECK(begin(std::move(*spare), first_offset));
    HOOKHOST_CHECK(file_->sync());
    return take_name(from);
  }();
  if (!begun) {
    segment_ = nullptr;
    file_ = nullptr;
    return fail(begun.error());
  }
  return segment_;
}

Result<SegmentPtr> SegmentWriter::roll_with(Offset first_offset, std::string_view records, std::uint32_t count, WallTime first_received_at,
                                            WallTime last_received_at) {
  HOOKHOST_TRY(auto spare, make_spare(files_, os::join(options_.directory, kFreshName), length_for(records.size())));
  const std::string from = spare.path;
  HOOKHOST_CHECK(begin(std::move(spare), first_offset));
  HOOKHOST_TRY(const BatchPlace place, append(records, count, first_offset, first_offset, first_received_at));
  HOOKHOST_CHECK(file_->sync());
  segment_->add_batch(place, first_offset.plus(count), records.size(), last_received_at);
  HOOKHOST_CHECK(take_name(from));
  return segment_;
}

Result<> SegmentWriter::begin(Spare spare, Offset first_offset) {
  const SegmentHeader header{
      .first_offset = first_offset, .segment_id = random_id(), .file_length = spare.length, .created_at_ns = to_unix_ns(clock_.wall())};
  file_ = std::move(spare.file);
  position_ = kSectorBytes;
  capacity_ = spare.length;
  segment_ = std::make_shared<Segment>(os::join(options_.directory, segment_name(first_offset)), first_offset, header.segment_id);
  return file_->write_at(0, encode(header));
}

Result<> SegmentWriter::take_name(const std::string& from) {
  HOOKHOST_FAILPOINT("event_log.roll_before_rename");
  HOOKHOST_CHECK(files_.rename(from, segment_->path()));
  // Whatever the reason, the name may be there and may be gone after a power cut: never no_space, which would be tried again.
  if (auto synced = files_.sync_directory(options_.directory); !synced) return fail(ErrorCode::io_error, synced.error().message);
  HOOKHOST_FAILPOINT("event_log.roll_renamed");
  return success();
}

Result<BatchPlace> SegmentWriter::append(std::string_view records, std::uint32_t count, Offset first_offset, Offset synced_up_to,
                                         WallTime first_received_at) {
  HOOKHOST_ASSERT(segment_ != nullptr);
  buffer_.clear();
  event_log::append(buffer_, BatchHeader{.length = static_cast<std::uint32_t>(records.size()),
                                         .count = count,
                                         .first_offset = first_offset,
                                         .segment_id = segment_->segment_id(),
                                         .synced_up_to = synced_up_to});
  buffer_ += records;
  buffer_.resize(round_up_to_sector(buffer_.size()), '\0');
  HOOKHOST_FAILPOINT("event_log.before_write");
  HOOKHOST_CHECK(file_->write_at(position_, buffer_));
  const BatchPlace place{first_offset, position_, first_received_at};
  position_ += buffer_.size();
  return place;
}

Result<> SegmentWriter::sync() {
  HOOKHOST_FAILPOINT("event_log.before_sync");
  if (failpoint_error("event_log.sync_fails")) return fail(ErrorCode::io_error, "cannot sync the event log (failpoint)");
  HOOKHOST_CHECK(file_->sync());
  HOOKHOST_FAILPOINT("event_log.after_sync");
  return success();
}

Result<> SegmentWriter::seal() {
  if (!segment_) return success();
  const auto segment = std::exchange(segment_, nullptr);
  const auto file = std::exchange(file_, nullptr);
  const Footer footer{.segment_id = segment->segment_id(),
                      .end_offset = segment->end(),
                      .record_bytes = segment->record_bytes(),
                      .last_received_at_ns = to_unix_ns(segment->last_received_at())};
  HOOKHOST_CHECK(file->write_at(position_, encode(footer)));
  HOOKHOST_CHECK(file->sync());  // Order: a file shorter than its header says, without a footer, is damage
  HOOKHOST_CHECK(file->truncate(position_ + kSectorBytes));
  return file->sync();
}

}  // namespace hookhost::event_log
