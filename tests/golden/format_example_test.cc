// The worked example of host/event_log/FORMAT.md: its bytes are what the code writes, and what the code reads.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>
#include <fstream>

#include "event_log/format.h"
#include "event_log/record.h"
#include "event_log/segment_scan.h"
#include "support/temp_dir.h"

namespace hookhost::event_log {
namespace {

constexpr std::uint64_t kId = 0x1122334455667788;
constexpr WallTime kReceived = WallTime{std::chrono::seconds{1'700'000'000}};

Event the_event() {
  Event event;
  event.offset = Offset{7};
  event.id = EventId{"evt_01HF7YAT000000000000000007"};
  event.source = "shop";
  event.provider = "shop";
  event.type = "order.paid";
  event.key = "42";
  event.received_at = kReceived;
  event.headers = {{"X-Shop", "a"}};
  event.content_type = "application/json";
  event.verified = true;
  event.body = R"({"id":42})";
  return event;
}

std::string written() {
  const std::string record = encode_record(the_event());
  std::string out = encode(SegmentHeader{.first_offset = Offset{7}, .segment_id = kId, .file_length = 4096, .created_at_ns = to_unix_ns(kReceived)});
  append(out, BatchHeader{.length = static_cast<std::uint32_t>(record.size()),
                          .count = 1,
                          .first_offset = Offset{7},
                          .segment_id = kId,
                          .synced_up_to = Offset{7}});
  out += record;
  out.resize(round_up_to_sector(out.size()), '\0');
  append(out, BatchHeader{.length = 0, .count = 0, .first_offset = Offset{8}, .segment_id = kId, .synced_up_to = Offset{8}});
  out.resize(round_up_to_sector(out.size()), '\0');
  return out + encode(Footer{.segment_id = kId, .end_offset = Offset{8}, .record_bytes = record.size(), .last_received_at_ns = to_unix_ns(kReceived)});
}

// Lines of 16 bytes behind their position; lines of zeroes are left out.
std::string dump(const std::string& bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const std::string_view line = std::string_view(bytes).substr(at, 16);
    if (line.find_first_not_of('\0') == std::string_view::npos) continue;
    char text[24];
    std::snprintf(text, sizeof text, "%08zx ", at);
    out += text;
    for (const char byte : line) {
      std::snprintf(text, sizeof text, " %02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
      out += text;
    }
    out += '\n';
  }
  return out;
}

// What stands between ```hex and ```.
std::string documented() {
  std::ifstream in(HOOKHOST_REPOSITORY "/host/event_log/FORMAT.md");
  std::string out, line;
  bool inside = false;
  while (std::getline(in, line)) {
    if (line == "```hex") {
      inside = true;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      out += line.substr(0, line.find("  |")) + '\n';
    }
  }
  return out;
}

TEST(FormatExample, IsWhatTheCodeWrites) { EXPECT_EQ(documented(), dump(written())); }

TEST(FormatExample, IsWhatTheCodeReads) {
  const test::TempDir directory;
  const std::string path = directory / segment_name(Offset{7});
  std::ofstream(path, std::ios::binary) << written();
  const auto scan = scan_segment(os::local_file_system(), path, Offset{7}, Offset{UINT64_MAX}, Offset{0});
  ASSERT_TRUE(scan) << scan.error().message;
  ASSERT_TRUE(scan.value().header);
  ASSERT_TRUE(scan.value().footer);
  EXPECT_TRUE(scan.value().damaged.empty());
  EXPECT_EQ(scan.value().end, Offset{8});
  EXPECT_EQ(scan.value().synced_up_to, Offset{8});
  EXPECT_EQ(scan.value().last_id, the_event().id);
  const auto tail = read_tail(os::local_file_system(), scan.value(), Offset{7});
  ASSERT_TRUE(tail) << tail.error().message;
  ASSERT_EQ(tail.value().records.size(), 1U);
  const auto event = RecordDecoder().decode(std::string_view(tail.value().records[0].record).substr(kRecordHeaderBytes), Offset{7});
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(*event.value(), the_event());
}

}  // namespace
}  // namespace hookhost::event_log
