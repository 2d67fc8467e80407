#include "event_log/segment_scan.h"

#include <algorithm>

#include "event_log/record.h"

namespace hookhost::event_log {
namespace {

// Walks one batch into the scan: its place, its readable records, the offsets between that are not.
void add_batch(SegmentScan& scan, const Step& step, Offset limit, Offset known_durable) {
  const Offset first = step.batch.first_offset;
  if (first < known_durable && known_durable < first.plus(step.batch.count)) scan.known_end = first.plus(step.batch.count);
  const Offset end = std::min(first.plus(step.batch.count), limit);
  if (first > scan.end && end > first) scan.damaged.emplace_back(scan.end, first);
  RecordWalker walker(step.records);
  RecordView record;
  WallTime first_at{}, last_at{};
  Offset at = first;
  for (; at < end && walker.next(record); at = at.next()) {
    const auto head = record.intact ? peek(record.payload, at) : Result<EventHead>(fail(ErrorCode::corrupt, {}));
    if (!head) {
      scan.damaged.emplace_back(at, at.next());
      continue;
    }
    if (first_at == WallTime{}) first_at = head.value().received_at;
    last_at = std::max(last_at, head.value().received_at);
    scan.last_id = std::max(scan.last_id, EventId{std::string(head.value().id)});
  }
  if (at < end) scan.damaged.emplace_back(at, end);
  if (end > first) {
    scan.segment->add_batch({first, step.position, first_at}, end, step.records.size(), last_at);
    scan.end = std::max(scan.end, end);
  }
  scan.synced_up_to = std::max(scan.synced_up_to, step.batch.synced_up_to);
  scan.end_position = step.position + round_up_to_sector(kBatchHeaderBytes + step.records.size());
}

}  // namespace

Result<SegmentScan> scan_segment(os::FileSystem& files, const std::string& path, Offset name_offset, Offset limit,
                                 Offset known_durable) {
  SegmentScan scan;
  HOOKHOST_TRY(auto file, files.open(path, os::OpenMode::read));
  HOOKHOST_TRY(scan.file_size, file->size());
  std::string head(kSectorBytes, '\0');
  HOOKHOST_TRY(const auto got, file->read_at(0, head.data(), head.size()));
  scan.header = decode_segment_header(std::string_view(head).substr(0, got));
  if (scan.header && scan.header->first_offset != name_offset) scan.header.reset();
  Scanner scanner(*file, scan.header ? scan.header->segment_id : 0);
  scan.end = name_offset;
  scan.end_position = kSectorBytes;
  // The id must be known before the Segment is made: with a damaged header it is that of the first batch.
  if (!scan.header) {
    HOOKHOST_TRY(const Step first, scanner.step());
    if (first.kind != Step::Kind::batch) {
      HOOKHOST_TRY(const bool found, scanner.resync());
      if (found) {
        HOOKHOST_TRY(const Step later, scanner.step());
        static_cast<void>(later);
      }
    }
    scanner.seek(kSectorBytes);
    scanner.refresh();
  }
  scan.segment = std::make_shared<Segment>(path, name_offset, scanner.segment_id());
  bool past_bad = false;
  for (;;) {
    HOOKHOST_TRY(const Step step, scanner.step());
    if (step.kind == Step::Kind::batch) {
      past_bad = false;
      add_batch(scan, step, limit, known_durable);
      continue;
    }
    if (step.kind == Step::Kind::footer) {
      scan.footer = step.footer;
      past_bad = false;
      break;
    }
    if (step.kind == Step::Kind::end) break;
    // Zeroes or rubbish: only a valid batch behind it tells that something was lost here.
    past_bad = past_bad || step.kind == Step::Kind::bad;
    HOOKHOST_TRY(const bool found, scanner.resync());
    if (!found) break;
  }
  scan.bad_tail = past_bad;
  return scan;
}

Result<Tail> read_tail(os::FileSystem& files, const SegmentScan& scan, Offset from) {
  Tail tail;
  tail.position = scan.end_position;
  HOOKHOST_TRY(auto file, files.open(scan.segment->path(), os::OpenMode::read));
  Scanner scanner(*file, scan.segment->segment_id());
  scanner.seek(scan.segment->place_before(from).position);
  bool first_batch = true;
  while (true) {
    HOOKHOST_TRY(const Step step, scanner.step());
    if (step.kind != Step::Kind::batch) {
      if (step.kind == Step::Kind::end || step.kind == Step::Kind::footer || step.position >= scan.end_position) break;
      HOOKHOST_TRY(const bool found, scanner.resync());
      if (!found) break;
      continue;
    }
    if (step.batch.first_offset.plus(step.batch.count) <= from) continue;
    if (std::exchange(first_batch, false)) tail.position = step.position;
    tail.record_bytes += step.records.size();
    RecordWalker walker(step.records);
    RecordView record;
    for (Offset at = step.batch.first_offset; walker.next(record); at = at.next()) {
      if (at < from || at >= scan.end || !record.intact) continue;
      const auto head = peek(record.payload, at);
      if (!head) continue;
      std::string bytes;
      append_record_header(bytes, record.payload);
      bytes += record.payload;
      tail.records.push_back({at, std::move(bytes), head.value().received_at});
    }
  }
  return tail;
}

}  // namespace hookhost::event_log
