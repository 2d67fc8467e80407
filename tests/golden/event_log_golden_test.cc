// Event logs that earlier versions wrote, committed and never edited: every later version reads them, to the byte. README.md says how they
// were made. A new format version adds a folder; it does not change one.
#include <gtest/gtest.h>

#include <filesystem>

#include "event_log/event_log.h"
#include "event_log/verify.h"
#include "support/temp_dir.h"

namespace hookhost::event_log {
namespace {

constexpr std::uint64_t kEvents = 24;

// Event `n` of the golden event logs.
Event golden(std::uint64_t n) {
  Event event;
  const std::string number = std::to_string(n);
  event.offset = Offset{n};
  event.id = EventId{"evt_" + std::string(26 - number.size(), '0') + number};
  event.source = n % 3 == 2 ? "github" : "kakiyo";
  event.provider = event.source;
  event.type = n % 3 == 0 ? "linkedin.message.received" : n % 3 == 1 ? "linkedin.message.sent" : "pull_request.opened";
  event.team = n % 3 == 2 ? "" : "team_12345abcde";
  event.key = n % 5 == 4 ? "" : "chat_" + std::to_string(n % 4);
  event.received_at = from_unix_ns(1'790'000'000'123'456'789 + static_cast<std::int64_t>(n) * 1'000'000'007);
  event.headers = {{"Content-Type", "application/json"}, {"x-raw", std::string("\x80\xff\tend", 6)}, {"Empty", ""}};
  event.content_type = "application/json";
  event.verified = n % 7 != 6;
  event.body = n == 11 ? std::string("\0not json\xff", 10) : R"({"event":)" + number + R"(,"text":")" + std::string(n * 40, 'x') + "\"}";
  event.digest = n % 2 == 0 ? std::string(32, static_cast<char>(n)) : "";
  return event;
}

class GoldenEventLog : public testing::Test {
 protected:
  static std::string source(const std::string& name) { return std::string(HOOKHOST_REPOSITORY "/tests/golden/") + name; }

  // The golden files stay as they are: a copy is opened.
  void open_copy_of(const std::string& name) {
    std::filesystem::copy(source(name), directory_ / "events");
    auto opened = EventLog::open(os::local_file_system(), {.directory = directory_ / "events", .disk_free_min = 0}, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(opened.value());
  }

  static void expect_golden(Reader reader) {
    Offset at{0};
    while (at < Offset{kEvents}) {
      const auto got = reader.read(at, Offset{kEvents}, {});
      ASSERT_TRUE(got) << got.error().message;
      ASSERT_TRUE(got.value().gaps.empty());
      ASSERT_FALSE(got.value().events.empty());
      for (const EventPtr& event : got.value().events) {
        EXPECT_EQ(*event, golden(at.value)) << "event " << at.value;
        at = at.next();
      }
    }
  }

  test::TempDir directory_;
  ManualClock clock_;
  std::unique_ptr<EventLog> log_;
};

TEST_F(GoldenEventLog, Version1ClosedIsReadAndGoesOn) {
  open_copy_of("event_log_v1_closed");
  EXPECT_TRUE(log_->recovery().clean);
  EXPECT_EQ(log_->durable_end(), Offset{kEvents});
  expect_golden(log_->reader());
  const auto appended = log_->append_now(golden(kEvents));
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(appended.value(), Offset{kEvents});
}

TEST_F(GoldenEventLog, Version1KilledIsRecovered) {
  open_copy_of("event_log_v1_killed");
  EXPECT_FALSE(log_->recovery().clean);
  EXPECT_TRUE(log_->recovery().lost.empty());
  EXPECT_EQ(log_->durable_end(), Offset{kEvents});
  expect_golden(log_->reader());
}

TEST_F(GoldenEventLog, Version1IsReadBesideAHostWithoutBeingChanged) {
  for (const char* name : {"event_log_v1_closed", "event_log_v1_killed"}) {
    const auto view = open_view(os::local_file_system(), source(name));
    ASSERT_TRUE(view) << view.error().message;
    EXPECT_EQ(view.value()->durable_end(), Offset{kEvents});
    expect_golden(Reader(os::local_file_system(), view.value()));
    const auto found = verify(os::local_file_system(), source(name), Offset{kEvents});
    ASSERT_TRUE(found) << found.error().message;
    std::uint64_t events = 0;
    for (const SegmentFindings& segment : found.value()) {
      EXPECT_TRUE(segment.damaged.empty()) << segment.file;
      events += segment.events;
    }
    EXPECT_EQ(events, kEvents);
  }
}

}  // namespace
}  // namespace hookhost::event_log
