#include "event_log/scanner.h"

#include <algorithm>

#include "event_log/crc32c.h"

namespace hookhost::event_log {
namespace {

// Whoever reads on has what comes next read ahead, more with each read; one that follows the end would read the same in vain, and one that
// jumps wants little.
constexpr std::size_t kAheadBytesMin = 64 << 10;
constexpr std::size_t kAheadBytesMax = 1 << 20;

bool is_blank(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

}  // namespace

Scanner::Scanner(os::File& file, std::uint64_t segment_id) : file_(file), segment_id_(segment_id), ahead_bytes_(kAheadBytesMin) {}

void Scanner::seek(std::uint64_t position) {
  position_ = position;
  if (position < buffer_position_ || position >= buffer_position_ + filled_) ahead_bytes_ = kAheadBytesMin;
}

Result<std::string_view> Scanner::fetch(std::uint64_t position, std::size_t size) {
  if (position < buffer_position_ || position + size > buffer_position_ + filled_) {
    HOOKHOST_TRY(const std::uint64_t length, file_.size());
    const std::size_t wanted = std::min<std::uint64_t>(std::max(size, ahead_bytes_), length - std::min(length, position));
    if (buffer_.size() < wanted) buffer_.resize(std::max(wanted, ahead_bytes_));
    filled_ = 0;
    HOOKHOST_TRY(filled_, file_.read_at(position, buffer_.data(), wanted));
    buffer_position_ = position;
    ahead_bytes_ = std::min(2 * ahead_bytes_, kAheadBytesMax);
    ++reads_;
  }
  return std::string_view(buffer_).substr(0, filled_).substr(position - buffer_position_);
}

void Scanner::refresh() {
  filled_ = 0;
  ahead_bytes_ = kAheadBytesMin;
}

Result<Step> Scanner::step() {
  Step out;
  out.position = position_;
  HOOKHOST_TRY(std::string_view bytes, fetch(position_, kSectorBytes));
  if (bytes.empty()) return out;
  const std::string_view head = bytes.substr(0, kSectorBytes);
  out.kind = Step::Kind::bad;
  if (const auto footer = decode_footer(head); footer && (segment_id_ == 0 || footer->segment_id == segment_id_)) {
    out.kind = Step::Kind::footer;
    out.footer = *footer;
    return out;
  }
  const auto batch = decode_batch_header(head);
  if (!batch || (segment_id_ != 0 && batch->segment_id != segment_id_)) {
    if (!batch && is_blank(head)) out.kind = Step::Kind::blank;
    return out;
  }
  HOOKHOST_TRY(const std::uint64_t size, file_.size());
  const std::uint64_t whole = kBatchHeaderBytes + std::uint64_t{batch->length};
  if (whole > size - position_) return out;  // torn, or its length is damaged: nothing is allocated for it
  HOOKHOST_TRY(bytes, fetch(position_, whole));
  if (bytes.size() < whole) return out;
  segment_id_ = batch->segment_id;
  out.kind = Step::Kind::batch;
  out.batch = *batch;
  out.records = bytes.substr(kBatchHeaderBytes, batch->length);
  position_ += round_up_to_sector(whole);
  return out;
}

Result<bool> Scanner::resync() {
  for (;;) {
    position_ += kSectorBytes;
    HOOKHOST_TRY(const std::string_view bytes, fetch(position_, kSectorBytes));
    if (bytes.empty()) return false;
    const auto batch = decode_batch_header(bytes);
    if (batch && (segment_id_ == 0 || batch->segment_id == segment_id_)) return true;
    const auto footer = decode_footer(bytes);
    if (footer && (segment_id_ == 0 || footer->segment_id == segment_id_)) return true;
  }
}

bool RecordWalker::next(RecordView& out) {
  if (rest_.size() < kRecordHeaderBytes) return false;
  const RecordHeader header = decode_record_header(rest_);
  if (header.length == 0 || header.length > rest_.size() - kRecordHeaderBytes) return false;
  out.payload = rest_.substr(kRecordHeaderBytes, header.length);
  out.intact = crc32c(out.payload) == header.crc;
  rest_.remove_prefix(kRecordHeaderBytes + header.length);
  return true;
}

}  // namespace hookhost::event_log
