#include "event_log/verify.h"

#include <algorithm>

#include "event_log/segment_scan.h"

namespace hookhost::event_log {

Result<std::vector<SegmentFindings>> verify(os::FileSystem& files, const std::string& directory, Offset until) {
  HOOKHOST_TRY(const auto names, files.list(directory));
  std::vector<Offset> firsts;
  for (const std::string& name : names) {
    if (const auto offset = parse_segment_name(name)) firsts.push_back(*offset);
  }
  std::vector<SegmentFindings> out;
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    SegmentFindings found;
    found.file = segment_name(firsts[i]);
    found.first = firsts[i];
    found.end = std::max(firsts[i], i + 1 < firsts.size() ? firsts[i + 1] : until);
    auto scan = scan_segment(files, os::join(directory, found.file), firsts[i], found.end, Offset{});
    if (!scan) {
      if (scan.error().code == ErrorCode::not_found) continue;  // removed by retention meanwhile
      return fail(scan.error());
    }
    found.damaged = std::move(scan.value().damaged);
    if (scan.value().end < found.end) found.damaged.emplace_back(scan.value().end, found.end);
    found.events = found.end.distance_from(found.first);
    for (const auto& [from, to] : found.damaged) found.events -= to.distance_from(from);
    found.record_bytes = scan.value().segment->record_bytes();
    found.sealed = scan.value().footer.has_value();
    found.header_damaged = !scan.value().header;
    out.push_back(std::move(found));
  }
  return out;
}

}  // namespace hookhost::event_log
