#include "event_log/recovery.h"

#include <algorithm>
#include <sstream>
#include <tuple>

#include "base/bytes.h"
#include "base/failpoint.h"
#include "event_log/published_end.h"
#include "event_log/segment_scan.h"
#include "event_log/segment_writer.h"

namespace hookhost::event_log {
namespace {

using Range = std::pair<Offset, Offset>;

// What a segment's first and last sector say.
struct Ends {
  std::optional<SegmentHeader> header;
  std::optional<Footer> footer;
  std::uint64_t file_size = 0;
  [[nodiscard]] bool sealed() const { return header && footer && footer->segment_id == header->segment_id; }
};

Result<Ends> read_ends(os::File& file) {
  Ends out;
  HOOKHOST_TRY(out.file_size, file.size());
  std::string sector(kSectorBytes, '\0');
  HOOKHOST_TRY(const auto head, file.read_at(0, sector.data(), sector.size()));
  out.header = decode_segment_header(std::string_view(sector).substr(0, head));
  HOOKHOST_TRY(const auto foot, file.read_at(out.file_size - std::min<std::uint64_t>(out.file_size, kSectorBytes), sector.data(), sector.size()));
  out.footer = decode_footer(std::string_view(sector).substr(0, foot));
  return out;
}

constexpr std::string_view kLostName = "LOST";  // accepted losses: "from until" a line

std::string text_of(const std::vector<Range>& ranges) {
  std::string out;
  for (const auto& [from, until] : ranges) {
    if (!out.empty()) out += ", ";
    out += std::to_string(from.value);
    if (until.value - from.value > 1) out += "-" + std::to_string(until.value - 1);
  }
  return out;
}

Result<std::vector<Range>> read_accepted(os::FileSystem& files, const std::string& directory) {
  std::vector<Range> out;
  const auto text = os::read_file(files, os::join(directory, kLostName), 1 << 20);
  if (!text) {
    if (text.error().code == ErrorCode::not_found) return out;
    return fail(text.error());
  }
  std::istringstream lines(text.value());
  for (std::uint64_t from = 0, until = 0; lines >> from >> until;) out.emplace_back(Offset{from}, Offset{until});
  return out;
}

// Ascending, each with a distance to the next.
std::vector<Range> merged(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<Range> out;
  for (const Range& range : ranges) {
    if (!out.empty() && range.first <= out.back().second) {
      out.back().second = std::max(out.back().second, range.second);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

// What of `lost` no accepted range covers.
std::vector<Range> subtract(const std::vector<Range>& lost, const std::vector<Range>& accepted) {
  std::vector<Range> left = lost;
  for (const auto& [from, until] : accepted) {
    std::vector<Range> next;
    for (const auto& [a, b] : left) {
      if (a < std::min(b, from)) next.emplace_back(a, std::min(b, from));
      if (std::max(a, until) < b) next.emplace_back(std::max(a, until), b);
    }
    left = std::move(next);
  }
  return left;
}

std::uint64_t count_of(const std::vector<Range>& ranges) {
  std::uint64_t out = 0;
  for (const auto& [from, until] : ranges) out += until.distance_from(from);
  return out;
}

// A sealed segment by its first and last sector, another one as a whole.
Result<SegmentScan> glance_at(os::FileSystem& files, const std::string& path, Offset name_offset, Offset limit, Offset known_durable) {
  HOOKHOST_TRY(auto file, files.open(path, os::OpenMode::read));
  HOOKHOST_TRY(const Ends ends, read_ends(*file));
  if (!ends.sealed()) return scan_segment(files, path, name_offset, limit, known_durable);
  SegmentScan out{.segment = std::make_shared<Segment>(path, name_offset, ends.header->segment_id), .header = ends.header, .footer = ends.footer, .file_size = ends.file_size};
  out.end = std::min(ends.footer->end_offset, limit);
  return out;
}

// One recovery, step by step; the steps are in the order of run().
class Recovery {
 public:
  Recovery(os::FileSystem& files, const RecoveryOptions& options, const Clock& clock) : files_(files), options_(options), clock_(clock) {}

  Result<Recovered> run() {
    HOOKHOST_TRY(const auto names, files_.list(options_.directory));
    for (const auto name : {kSpareName, kFreshName}) static_cast<void>(files_.remove(os::join(options_.directory, name)));
    HOOKHOST_CHECK(scan_all(names, scan_segment));
    HOOKHOST_CHECK(find_what_is_lost());
    if (scans_.empty()) {
      out_.begin = out_.end = options_.known_durable;
      return std::move(out_);
    }
    HOOKHOST_CHECK(settle_last());
    HOOKHOST_CHECK(settle_superseded());
    if (!out_.report.broken_files.empty()) bound_broken();
    for (const SegmentScan& scan : scans_) out_.segments.push_back(scan.segment);
    if (rewritten_) out_.segments.push_back(rewritten_);
    out_.end = out_.segments.empty() ? proven_ : std::max(out_.segments.back()->end(), proven_);
    out_.begin = out_.segments.empty() ? out_.end : out_.segments.front()->first_offset();
    return std::move(out_);
  }

  // The steps that change nothing, as long as a loss is not accepted.
  Result<Offset> check() {
    const auto end = read_published_end(files_, options_.directory);
    if (!end && end.error().code != ErrorCode::not_found) return fail(end.error());
    const auto names = files_.list(options_.directory);
    if (!names && names.error().code != ErrorCode::not_found) return fail(names.error());
    if (names) HOOKHOST_CHECK(scan_all(names.value(), glance_at));
    HOOKHOST_CHECK(find_what_is_lost());
    return scans_.empty() ? options_.known_durable : std::max(scans_.back().end, proven_);
  }

 private:
  template <class Scan>
  Result<> scan_all(const std::vector<std::string>& names, Scan scan_one) {
    std::vector<Offset> offsets;
    for (const std::string& name : names) {
      if (const auto offset = parse_segment_name(name)) offsets.push_back(*offset);
    }
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      const Offset limit = i + 1 < offsets.size() ? offsets[i + 1] : Offset{UINT64_MAX};
      const std::string path = os::join(options_.directory, segment_name(offsets[i]));
      HOOKHOST_TRY(auto scan, scan_one(files_, path, offsets[i], limit, options_.known_durable));
      if (!scan.header) out_.report.notes.push_back(os::file_name(path) + " has a damaged header; its events are read without it");
      out_.last_id = std::max(out_.last_id, scan.last_id);
      scans_.push_back(std::move(scan));
    }
    return success();
  }

  Result<> find_what_is_lost() {
    if (scans_.empty()) {
      if (options_.known_durable.value > 0) lost_.emplace_back(Offset{0}, options_.known_durable);
    } else {
      find_proven();
      find_losses();
    }
    return judge();
  }

  // The offset below which everything was durable before the stop.
  void find_proven() {
    proven_ = options_.known_durable;
    for (std::size_t i = 0; i < scans_.size(); ++i) {
      proven_ = std::max({proven_, scans_[i].synced_up_to, scans_[i].known_end});
      if (scans_[i].footer) proven_ = std::max(proven_, scans_[i].footer->end_offset);
      proven_ = std::max(proven_, scans_[i].segment->first_offset());
    }
  }

  void find_losses() {
    for (std::size_t i = 0; i < scans_.size(); ++i) {
      SegmentScan& scan = scans_[i];
      const bool last = i + 1 == scans_.size();
      for (const auto& [from, until] : scan.damaged) add_loss(from, until);
      const Offset sealed_end = scan.footer ? scan.footer->end_offset : scan.end;
      const Offset next = last ? proven_ : scans_[i + 1].segment->first_offset();
      add_loss(scan.end, std::min(std::max(sealed_end, next), proven_));
    }
  }

  // Damage at or beyond what was proven is a torn batch that nobody was answered for.
  void add_loss(Offset from, Offset until) {
    until = std::min(until, proven_);
    if (from < until) lost_.emplace_back(from, until);
  }

  // A file has its name only after its header and its zeroes were synced.
  static bool is_shortened(const SegmentScan& scan) {
    if (scan.footer) return false;
    return scan.header ? scan.file_size < scan.header->file_length : scan.file_size < kSectorBytes;
  }

  Result<> judge() {
    HOOKHOST_TRY(const auto accepted, read_accepted(files_, options_.directory));
    out_.report.lost = subtract(merged(lost_), accepted);
    out_.report.lost_events = count_of(accepted) + count_of(out_.report.lost);
    if (!scans_.empty() && is_shortened(scans_.back())) {
      const std::string what = os::file_name(scans_.back().segment->path()) + " is shorter than it was made; events after offset " +
                               std::to_string(scans_.back().end.value) + " may have been answered with 2xx and be lost";
      if (!options_.accept_loss) {
        return fail(ErrorCode::corrupt, what + ". Restore events/ from a copy, or go on without them: hookhost serve --accept-loss");
      }
      out_.report.notes.push_back(what);
    }
    if (out_.report.lost.empty()) return success();
    if (!options_.accept_loss) {
      return fail(ErrorCode::corrupt, "the event log has lost events that were answered with 2xx: offsets " + text_of(out_.report.lost) +
                                          ". Restore events/ from a copy, or go on without them: hookhost serve --accept-loss");
    }
    std::string text;
    for (const auto& [from, until] : accepted) text += std::to_string(from.value) + ' ' + std::to_string(until.value) + '\n';
    for (const auto& [from, until] : out_.report.lost) text += std::to_string(from.value) + ' ' + std::to_string(until.value) + '\n';
    return os::write_file_atomically(files_, os::join(options_.directory, kLostName), text);
  }

  // A crash of an earlier recovery, between its two steps, leaves a segment whose successor holds a copy of its tail: the copy wins.
  // Invariant: nothing below the successor's first offset is cut, readable or not.
  // Order: after settle_last(), which makes the last copy durable; and the names of the copies before anything is cut.
  Result<> settle_superseded() {
    for (std::size_t i = 0; i + 1 < scans_.size(); ++i) {
      const Offset next = scans_[i + 1].segment->first_offset();
      if (scans_[i].footer || scans_[i].end < next) continue;
      out_.report.clean = false;
      HOOKHOST_CHECK(files_.sync_directory(options_.directory));
      HOOKHOST_TRY(const Tail tail, read_tail(files_, scans_[i], next));
      HOOKHOST_CHECK(cut_and_seal(scans_[i], tail.position));
    }
    return success();
  }

  // Nothing is appended to the last segment again. What it holds beyond the proven end moves into a new segment that is synced before the
  // old one is cut; after a crash between the two steps the new one's copy wins.
  Result<> settle_last() {
    SegmentScan& last = scans_.back();
    if (last.footer) return success();
    out_.report.clean = false;
    const Offset from = std::max(proven_, last.segment->first_offset());
    HOOKHOST_TRY(const Tail tail, read_tail(files_, last, from));
    if (!tail.records.empty()) HOOKHOST_CHECK(rewrite(tail, from));
    HOOKHOST_FAILPOINT("event_log.recovery_rewritten");
    if (replaced_) return success();
    last.segment->cut(from, tail.record_bytes);
    HOOKHOST_CHECK(cut_and_seal(last, tail.position));
    HOOKHOST_FAILPOINT("event_log.recovery_sealed");
    return success();
  }

  Result<> rewrite(const Tail& tail, Offset from) {
    std::string records;
    Offset at = from;
    for (const ScannedRecord& record : tail.records) {
      if (record.offset != at) break;  // behind a torn record: nobody was answered for these
      records += record.record;
      at = at.next();
    }
    const auto count = static_cast<std::uint32_t>(at.distance_from(from));
    if (count == 0) return success();
    out_.report.rewritten = count;
    const Offset first = scans_.back().segment->first_offset();
    if (from == first) {  // the whole segment is unproven: its copy takes its name
      HOOKHOST_CHECK(keep_broken(scans_.back().segment->path(), 0));
    }
    SegmentWriter writer(files_, {.directory = options_.directory}, clock_);
    HOOKHOST_TRY(auto segment, writer.roll_with(from, records, count, tail.records.front().received_at, tail.records[count - 1].received_at));
    HOOKHOST_CHECK(writer.seal());
    if (from == first) {
      scans_.back().segment = std::move(segment);
      replaced_ = true;
    } else {
      rewritten_ = std::move(segment);
    }
    return success();
  }

  // An empty segment stays as well, sealed: its name says where the offsets go on.
  Result<> cut_and_seal(const SegmentScan& scan, std::uint64_t position) {
    const Segment& segment = *scan.segment;
    HOOKHOST_CHECK(keep_broken(segment.path(), position));
    HOOKHOST_TRY(auto file, files_.open(segment.path(), os::OpenMode::read_write));
    HOOKHOST_CHECK(file->write_at(position, encode(Footer{.segment_id = segment.segment_id(),
                                                          .end_offset = segment.end(),
                                                          .record_bytes = segment.record_bytes(),
                                                          .last_received_at_ns = to_unix_ns(segment.last_received_at())})));
    HOOKHOST_CHECK(file->sync());  // Order: as in SegmentWriter::seal()
    HOOKHOST_CHECK(file->truncate(position + kSectorBytes));
    return file->sync();
  }

  // A copy of what is cut, without the zeroes behind it.
  Result<> keep_broken(const std::string& path, std::uint64_t position) {
    HOOKHOST_TRY(auto file, files_.open(path, os::OpenMode::read));
    HOOKHOST_TRY(const auto size, file->size());
    std::string bytes(size > position ? size - position : 0, '\0');
    HOOKHOST_TRY(const auto got, file->read_at(position, bytes.data(), bytes.size()));
    bytes.resize(got);
    bytes.resize(bytes.find_last_not_of('\0') + 1);
    if (bytes.empty()) return success();
    const std::string target = path + "." + std::to_string(position) + std::string(kBrokenSuffix);
    HOOKHOST_CHECK(os::write_file_atomically(files_, target, bytes));
    out_.report.cut_bytes += bytes.size();
    out_.report.broken_files.push_back(os::file_name(target));
    return success();
  }

  // Each kill leaves a copy; of many the newest are enough to look at. One that cannot be removed now is so after the next kill.
  void bound_broken() {
    auto listed = files_.list(options_.directory);
    if (!listed) return;
    std::vector<std::string> names = std::move(listed.value());
    std::erase_if(names, [](const auto& name) { return !name.ends_with(kBrokenSuffix); });
    const auto age = [segment = segment_name(Offset{}).size()](const std::string& name) { return std::tuple(name.substr(0, segment), name.size(), name); };
    std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return age(a) < age(b); });
    for (std::size_t i = 0; i + kBrokenFilesMax < names.size(); ++i) static_cast<void>(files_.remove(os::join(options_.directory, names[i])));
  }

  os::FileSystem& files_;
  const RecoveryOptions& options_;
  const Clock& clock_;
  std::vector<SegmentScan> scans_;
  std::vector<Range> lost_;
  Offset proven_;
  SegmentPtr rewritten_;
  bool replaced_ = false;
  Recovered out_;
};

}  // namespace

Result<Recovered> recover(os::FileSystem& files, const RecoveryOptions& options, const Clock& clock) {
  return Recovery(files, options, clock).run();
}

Result<Offset> check(os::FileSystem& files, const RecoveryOptions& options, const Clock& clock) {
  HOOKHOST_ASSERT(!options.accept_loss);
  return Recovery(files, options, clock).check();
}

bool has_segments(os::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  return names && std::ranges::any_of(names.value(), [](const std::string& name) { return parse_segment_name(name).has_value(); });
}

Result<std::vector<SegmentPtr>> list_segments(os::FileSystem& files, const std::string& directory) {
  HOOKHOST_TRY(const auto names, files.list(directory));
  std::vector<SegmentPtr> out;
  for (const std::string& name : names) {
    const auto offset = parse_segment_name(name);
    if (!offset) continue;
    const std::string path = os::join(directory, name);
    auto file = files.open(path, os::OpenMode::read);
    if (!file) {
      if (file.error().code == ErrorCode::not_found) continue;  // removed by retention meanwhile
      return fail(file.error());
    }
    HOOKHOST_TRY(const Ends ends, read_ends(*file.value()));
    auto segment = std::make_shared<Segment>(path, *offset, ends.header ? ends.header->segment_id : 0);
    if (ends.sealed()) {
      segment->set_facts(ends.footer->end_offset, ends.footer->record_bytes, from_unix_ns(ends.footer->last_received_at_ns));
    } else {
      segment->set_facts(*offset, 0, WallTime::max());
    }
    if (!out.empty()) out.back()->set_end(*offset);
    out.push_back(std::move(segment));
  }
  return out;
}

}  // namespace hookhost::event_log
