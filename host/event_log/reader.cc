#include "event_log/reader.h"

#include <algorithm>

namespace hookhost::event_log {
namespace {

void note_gap(std::vector<std::pair<Offset, Offset>>& gaps, Offset from, Offset until) {
  if (from >= until) return;
  if (!gaps.empty() && gaps.back().second == from) {
    gaps.back().second = until;
  } else {
    gaps.emplace_back(from, until);
  }
}

}  // namespace

struct Reader::Cursor {
  SegmentPtr segment;
  std::unique_ptr<os::File> file;
  Scanner scanner;
  RecordWalker records;
  Offset next;        // of the record that `records` gives next
  Offset batch_end;   // next == batch_end: the batch is used up
  Offset successor;   // where the next segment begins; the largest offset when there is none
  Offset trusted;     // the durable end when the scanner last read the file: what lies beyond may have been half written then

  Cursor(SegmentPtr s, std::unique_ptr<os::File> f, Offset after)
      : segment(std::move(s)), file(std::move(f)), scanner(*file, segment->segment_id()), next(segment->first_offset()), successor(after) {}

  [[nodiscard]] Offset end() const { return std::min(segment->end(), successor); }
  [[nodiscard]] bool holds(Offset at) const { return at >= segment->first_offset() && at < end(); }

  // Goes on at the batch that holds `at`, or as near before it as is known.
  void jump(Offset at) {
    const std::uint64_t known = segment->place_before(at).position;
    if (at < next || known > scanner.position()) scanner.seek(known);
    next = batch_end = at;
  }
};

Reader::Reader(os::FileSystem& files, std::shared_ptr<const SegmentView> view) : files_(&files), view_(std::move(view)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

Result<bool> Reader::enter_segment(Offset& at, Offset until, Gaps& gaps) {
  cursor_.reset();
  HOOKHOST_TRY(const SegmentAround around, view_->around(at));
  const auto& [segment, successor] = around;
  const auto skip_to_successor = [&] {
    const Offset to = std::min(around.successor, until);
    note_gap(gaps, at, to);
    at = to;
    return at < until;
  };
  if (segment == nullptr) return skip_to_successor();
  if (std::min(segment->end(), successor) <= at) return skip_to_successor();
  auto file = files_->open(segment->path(), os::OpenMode::read);
  if (!file) {
    if (file.error().code != ErrorCode::not_found) return fail(file.error());
    const Offset to = std::min({segment->end(), successor, until});  // retention removed it
    note_gap(gaps, at, to);
    at = to;
    return at < until;
  }
  cursor_ = std::make_unique<Cursor>(segment, std::move(file.value()), successor);
  cursor_->jump(at);
  return true;
}

Result<> Reader::enter_batch(Offset& at, Offset until, Gaps& gaps) {
  bool refreshed = false;
  while (at < std::min(until, cursor_->end())) {
    const Offset durable = view_->durable_end();  // Order: before the scanner reads
    const std::uint64_t reads = cursor_->scanner.reads();
    HOOKHOST_TRY(const Step step, cursor_->scanner.step());
    if (cursor_->scanner.reads() != reads) cursor_->trusted = durable;
    if (step.kind == Step::Kind::batch) {
      const Offset first = step.batch.first_offset;
      const Offset end = first.plus(step.batch.count);
      if (std::min(end, until) > cursor_->trusted) {  // read ahead while it was being written
        cursor_->scanner.seek(step.position);
        cursor_->scanner.refresh();
        continue;
      }
      if (end <= at) continue;
      if (first > at) {
        const Offset to = std::min({first, cursor_->end(), until});
        note_gap(gaps, at, to);
        at = to;
      }
      cursor_->records = RecordWalker(step.records);
      cursor_->next = first;
      cursor_->batch_end = std::min(end, cursor_->end());
      return success();
    }
    if (!refreshed) {  // what was read ahead may be older than what is durable by now
      refreshed = true;
      cursor_->scanner.refresh();
      continue;
    }
    HOOKHOST_TRY(const bool found, cursor_->scanner.resync());
    if (found) continue;
    const Offset to = std::min(cursor_->end(), until);
    note_gap(gaps, at, to);
    at = to;
  }
  return success();
}

Result<bool> Reader::next_record(Offset& at, Offset until, Gaps& gaps, RecordView& out) {
  while (at < until) {
    if (cursor_ && (at < cursor_->next || at > cursor_->batch_end) && cursor_->holds(at)) cursor_->jump(at);
    if (!cursor_ || at >= cursor_->end() || at < cursor_->next || at > cursor_->batch_end) {
      HOOKHOST_TRY(const bool entered, enter_segment(at, until, gaps));
      if (!entered) return false;
      if (!cursor_) continue;
    }
    if (cursor_->next >= cursor_->batch_end || at >= cursor_->batch_end) {
      HOOKHOST_CHECK(enter_batch(at, until, gaps));
      if (at >= until || at >= cursor_->end()) continue;
    }
    if (!cursor_->records.next(out)) {  // a length cannot be: the rest of the batch cannot be found
      const Offset to = std::min(cursor_->batch_end, until);
      note_gap(gaps, at, to);
      at = to;
      cursor_->next = cursor_->batch_end;
      continue;
    }
    const Offset here = cursor_->next;
    cursor_->next = here.next();
    if (here < at) continue;
    if (out.intact) return true;
    note_gap(gaps, at, at.next());
    at = at.next();
  }
  return false;
}

Result<ReadResult> Reader::read(Offset from, Offset until, const ReadLimits& limits, const Wants& wants) {
  ReadResult out;
  until = std::min(until, view_->durable_end());
  Offset at = from;
  std::size_t bytes = 0, looked = 0;
  RecordView record;
  while (at < until && out.events.size() < limits.events_max && bytes < limits.bytes_max && looked < limits.looked_max) {
    HOOKHOST_TRY(const bool found, next_record(at, until, out.gaps, record));
    if (!found) break;
    ++looked;
    if (wants) {
      const auto head = peek(record.payload, at);
      if (head && !wants(head.value())) {
        at = at.next();
        continue;
      }
    }
    auto event = decoder_.decode(record.payload, at);
    if (event) {
      bytes += record.payload.size();
      out.events.push_back(std::move(event.value()));
    } else {
      note_gap(out.gaps, at, at.next());
    }
    at = at.next();
  }
  out.next = std::max(at, from);
  return out;
}

Result<> Reader::each_head(Offset from, Offset until, const std::function<bool(const EventHead&)>& look) {
  until = std::min(until, view_->durable_end());
  Gaps gaps;
  RecordView record;
  for (Offset at = from; at < until; at = at.next()) {
    HOOKHOST_TRY(const bool found, next_record(at, until, gaps, record));
    if (!found) break;
    const auto head = peek(record.payload, at);
    if (head && !look(head.value())) break;
  }
  return success();
}

Result<Offset> Reader::find_time(WallTime time) {
  const Offset end = view_->durable_end();
  Offset found = end;
  HOOKHOST_TRY(const auto segments, view_->segments());
  for (const SegmentPtr& segment : segments) {
    if (segment->end() <= segment->first_offset() || segment->last_received_at() < time) continue;
    HOOKHOST_CHECK(each_head(segment->place_before(time).first, segment->end(), [&](const EventHead& head) {
      if (head.received_at < time) return true;
      found = head.offset;
      return false;
    }));
    if (found < end) return found;
  }
  return found;
}

}  // namespace hookhost::event_log
