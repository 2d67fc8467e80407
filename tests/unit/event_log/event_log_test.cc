#include "event_log/event_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>

#include "event_log/crc32c.h"
#include "support/poll.h"
#include "support/temp_dir.h"

namespace hookhost::event_log {
namespace {

TEST(Crc32c, KnowsTheCheckValueBothWays) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c_table("123456789"), 0xe3069283U);
  std::mt19937_64 random(7);
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(crc32c(bytes), crc32c_table(bytes));
    bytes += static_cast<char>(random());
  }
}

// Counts what is read.
class CountedFiles final : public os::FileSystem {
 public:
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (mode == os::OpenMode::read) ++opened;
    HOOKHOST_TRY(auto file, files_.open(path, mode));
    return std::unique_ptr<os::File>(std::make_unique<CountedFile>(std::move(file), bytes));
  }
  Result<> rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Result<> remove(const std::string& path) override { return files_.remove(path); }
  Result<> sync_directory(const std::string& path) override { return files_.sync_directory(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return files_.list(directory); }
  Result<> make_directories(const std::string& path) override { return files_.make_directories(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return files_.free_bytes(path); }
  Result<os::Facts> facts(const std::string& path) override { return files_.facts(path); }
  std::atomic<std::uint64_t> opened{0}, bytes{0};

 private:
  class CountedFile final : public os::File {
   public:
    CountedFile(std::unique_ptr<os::File> file, std::atomic<std::uint64_t>& bytes) : file_(std::move(file)), bytes_(bytes) {}
    Result<std::size_t> read_at(std::uint64_t position, char* into, std::size_t size) override {
      bytes_ += size;
      return file_->read_at(position, into, size);
    }
    Result<> write_at(std::uint64_t position, std::string_view bytes) override { return file_->write_at(position, bytes); }
    Result<> sync() override { return file_->sync(); }
    Result<> truncate(std::uint64_t length) override { return file_->truncate(length); }
    Result<std::uint64_t> size() override { return file_->size(); }

   private:
    std::unique_ptr<os::File> file_;
    std::atomic<std::uint64_t>& bytes_;
  };
  os::FileSystem& files_ = os::local_file_system();
};

class EventLogTest : public testing::Test {
 protected:
  void open(Options options = {}) {
    options.directory = directory_ / "events";
    options.disk_free_min = 0;
    auto opened = EventLog::open(files_, options, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(opened.value());
  }

  static Event make(std::uint64_t n, std::size_t body_bytes = 100) {
    Event event;
    char id[64];
    std::snprintf(id, sizeof id, "evt_%026llu", static_cast<unsigned long long>(n));
    event.id = EventId{id};
    event.source = "kakiyo";
    event.provider = "kakiyo";
    event.type = n % 2 == 0 ? "linkedin.message.sent" : "linkedin.message.received";
    event.team = "team_1";
    event.key = "chat_" + std::to_string(n % 5);
    event.received_at = from_unix_ns(1'700'000'000'000'000'000 + static_cast<std::int64_t>(n) * 1'000'000);
    event.headers = {{"Content-Type", "application/json"}, {"X-Raw", std::string("\x80\xff", 2)}};
    event.content_type = "application/json";
    event.verified = true;
    event.body = std::string(body_bytes, static_cast<char>('a' + n % 26));
    event.digest = "digest" + std::to_string(n);
    return event;
  }

  void append(std::uint64_t from, std::uint64_t until, std::size_t body_bytes = 100) {
    std::vector<std::future<Result<Offset>>> answers;
    for (std::uint64_t n = from; n < until; ++n) {
      auto promise = std::make_shared<std::promise<Result<Offset>>>();
      answers.push_back(promise->get_future());
      log_->append(make(n, body_bytes), [promise](Result<Offset> done) { promise->set_value(std::move(done)); });
    }
    for (std::uint64_t n = from; n < until; ++n) {
      const auto done = answers[n - from].get();
      ASSERT_TRUE(done) << done.error().message;
      ASSERT_EQ(done.value(), Offset{n});
    }
  }

  // Everything from `from` on is there, in order, exactly as appended.
  void expect_events(Reader reader, std::uint64_t from, std::uint64_t until, std::size_t body_bytes = 100) {
    Offset at{from};
    while (at < Offset{until}) {
      auto got = reader.read(at, Offset{until}, {.events_max = 37});
      ASSERT_TRUE(got) << got.error().message;
      ASSERT_TRUE(got.value().gaps.empty());
      ASSERT_FALSE(got.value().events.empty());
      for (const EventPtr& event : got.value().events) {
        Event expected = make(at.value, body_bytes);
        expected.offset = at;
        ASSERT_EQ(*event, expected);
        at = at.next();
      }
      ASSERT_EQ(got.value().next, at);
    }
  }

  test::TempDir directory_;
  CountedFiles files_;
  ManualClock clock_;
  std::unique_ptr<EventLog> log_;
};

// A view whose durable end is the test's.
class ViewUpTo final : public SegmentView {
 public:
  explicit ViewUpTo(std::shared_ptr<const SegmentView> whole) : whole_(std::move(whole)) {}
  [[nodiscard]] Result<std::vector<SegmentPtr>> segments() const override { return whole_->segments(); }
  [[nodiscard]] Result<SegmentAround> around(Offset offset) const override { return whole_->around(offset); }
  [[nodiscard]] Offset durable_end() const override { return end; }
  Offset end;

 private:
  std::shared_ptr<const SegmentView> whole_;
};

// Whoever wants single events, up or down, neither opens the file for each nor reads what lies between.
TEST_F(EventLogTest, AReaderThatJumpsReadsLittle) {
  constexpr std::uint64_t kEvents = 800;
  ASSERT_NO_FATAL_FAILURE(open());
  for (std::uint64_t n = 0; n < kEvents; n += 100) append(n, n + 100, 2'000);  // 1.6 MB in one segment, in batches of about 200 KB
  Reader reader = log_->reader();
  ASSERT_NO_FATAL_FAILURE(expect_events(log_->reader(), 0, 1, 2'000));
  files_.opened = files_.bytes = 0;
  std::mt19937_64 random{test::seed()};
  std::uint64_t jumps = 0;
  const auto see = [&](std::uint64_t n) {
    ++jumps;
    const auto got = reader.read(Offset{n}, Offset{n + 1}, {});
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(got.value().events.size(), 1U);
    Event expected = make(n, 2'000);
    expected.offset = Offset{n};
    EXPECT_EQ(*got.value().events[0], expected);
  };
  for (std::uint64_t n = 50; n < kEvents; n += 100) ASSERT_NO_FATAL_FAILURE(see(n));
  for (int i = 0; i < 50; ++i) ASSERT_NO_FATAL_FAILURE(see(random() % kEvents));
  EXPECT_EQ(files_.opened, 1U);
  EXPECT_LT(files_.bytes / jumps, 600'000U);  // the batch, what stands before it, and the read ahead
}

// A reader's look ahead meets a batch whose header is in the file already and whose records are not: it must look again once that is durable.
TEST_F(EventLogTest, ABatchReadAheadWhileItWasBeingWrittenIsReadAgain) {
  ASSERT_NO_FATAL_FAILURE(open());
  append(0, 1);
  for (int i = 1; i < 4; ++i) ASSERT_TRUE(log_->append_now(make(static_cast<std::uint64_t>(i), 2'000)));
  log_->close();
  const std::string path = directory_ / "events/00000000000000000000.events";
  std::ifstream in(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  std::string half = whole;
  const std::size_t records = whole.find(std::string(1'000, 'd'));  // of event 3
  ASSERT_NE(records, std::string::npos);
  std::fill(half.begin() + static_cast<std::ptrdiff_t>(records), half.begin() + static_cast<std::ptrdiff_t>(records) + 1'500, '\0');
  const auto write = [&](const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes; };

  auto whole_view = open_view(os::local_file_system(), directory_ / "events");
  ASSERT_TRUE(whole_view);
  auto view = std::make_shared<ViewUpTo>(whole_view.value());
  Reader reader(os::local_file_system(), view);
  write(half);
  view->end = Offset{3};
  ASSERT_EQ(reader.read(Offset{0}, Offset{3}, {}).value().events.size(), 3U);
  write(whole);
  view->end = Offset{4};
  const auto got = reader.read(Offset{3}, Offset{4}, {});
  ASSERT_TRUE(got);
  EXPECT_TRUE(got.value().gaps.empty());
  ASSERT_EQ(got.value().events.size(), 1U);
  EXPECT_EQ(*got.value().events[0], [&] { Event event = make(3, 2'000); event.offset = Offset{3}; return event; }());
}

TEST_F(EventLogTest, GivesBackWhatItWasGiven) {
  open();
  append(0, 500);
  EXPECT_EQ(log_->durable_end(), Offset{500});
  expect_events(log_->reader(), 0, 500);
  expect_events(log_->reader(), 321, 500);
}

TEST_F(EventLogTest, GoesOnAfterAnOrderlyStop) {
  open();
  append(0, 20);
  log_->close();
  open();
  EXPECT_TRUE(log_->recovery().clean);
  EXPECT_EQ(log_->durable_end(), Offset{20});
  EXPECT_EQ(log_->last_id_found(), make(19).id);
  append(20, 40);
  expect_events(log_->reader(), 0, 40);
}

TEST_F(EventLogTest, RollsAndKeepsEveryEventOverManySegments) {
  open({.segment_bytes = 8192});
  for (std::uint64_t n = 0; n < 200; n += 10) append(n, n + 10);
  EXPECT_GT(log_->sizes().segments, 5U);
  expect_events(log_->reader(), 0, 200);
  log_->close();
  open({.segment_bytes = 8192});
  expect_events(log_->reader(), 0, 200);
}

TEST_F(EventLogTest, AReaderFollowsTheEndWhileEventsArrive) {
  open({.segment_bytes = 64 << 10});
  constexpr std::uint64_t kEvents = 2000;
  std::thread writer([&] {
    for (std::uint64_t n = 0; n < kEvents; n += 50) append(n, n + 50);
  });
  Reader reader = log_->reader();
  Offset at{0};
  const bool all = test::poll_until([&] {
    auto got = reader.read(at, Offset{kEvents}, {});
    if (!got || !got.value().gaps.empty()) return true;
    for (const EventPtr& event : got.value().events) {
      if (event->offset != at || event->id != make(at.value).id) return true;
      at = at.next();
    }
    return at == Offset{kEvents};
  });
  writer.join();
  EXPECT_TRUE(all);
  EXPECT_EQ(at, Offset{kEvents});
}

TEST_F(EventLogTest, AnUncleanStopLosesNothingThatWasAnswered) {
  open();
  append(0, 30);
  // What a kill leaves: the files as they are, without the footer.
  test::TempDir other;
  std::filesystem::copy(directory_.path(), other.path(), std::filesystem::copy_options::recursive);
  Options options;
  options.directory = other / "events";
  options.disk_free_min = 0;
  for (int restart = 0; restart < 3; ++restart) {
    auto again = EventLog::open(os::local_file_system(), options, clock_);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again.value()->recovery().clean, restart != 0);
    EXPECT_EQ(again.value()->durable_end(), Offset{30});
    expect_events(again.value()->reader(), 0, 30);
  }
}

TEST_F(EventLogTest, FiltersByHeadAndFindsTimes) {
  open({.segment_bytes = 16 << 10});
  for (std::uint64_t n = 0; n < 300; n += 10) append(n, n + 10);
  Reader reader = log_->reader();
  const auto got = reader.read(Offset{0}, Offset{300}, {.events_max = 1000}, [](const EventHead& head) { return head.key == "chat_3"; });
  ASSERT_TRUE(got);
  EXPECT_EQ(got.value().events.size(), 60U);
  EXPECT_EQ(got.value().next, Offset{300});
  EXPECT_EQ(reader.find_time(make(123).received_at).value(), Offset{123});
  EXPECT_EQ(reader.find_time(make(0).received_at - std::chrono::hours{1}).value(), Offset{0});
  EXPECT_EQ(reader.find_time(make(299).received_at + Duration{1}).value(), Offset{300});
}

TEST_F(EventLogTest, ReadsBesideTheHost) {
  open({.segment_bytes = 16 << 10});
  for (std::uint64_t n = 0; n < 100; n += 10) append(n, n + 10);
  const auto view = open_view(os::local_file_system(), directory_ / "events");
  ASSERT_TRUE(view);
  EXPECT_EQ(view.value()->durable_end(), Offset{100});
  expect_events(Reader(os::local_file_system(), view.value()), 0, 100);
}

TEST_F(EventLogTest, RetentionRemovesWholeSegmentsAndReadersSeeAGap) {
  open({.segment_bytes = 8192});
  for (std::uint64_t n = 0; n < 200; n += 10) append(n, n + 10);
  Reader reader = log_->reader();
  const auto begin = log_->apply_retention(std::chrono::hours{24 * 365 * 100}, 0, Offset{100});
  ASSERT_TRUE(begin);
  EXPECT_GT(begin.value(), Offset{0});
  EXPECT_LE(begin.value(), Offset{100});
  const auto got = reader.read(Offset{0}, Offset{200}, {.events_max = 1000});
  ASSERT_TRUE(got);
  EXPECT_EQ(got.value().gaps, (std::vector<std::pair<Offset, Offset>>{{Offset{0}, begin.value()}}));
  EXPECT_EQ(got.value().events.front()->offset, begin.value());
  EXPECT_EQ(got.value().events.size(), 200 - begin.value().value);
}

TEST_F(EventLogTest, RefusesWhenTheDiskIsNearlyFullAndResumes) {
  Options options;
  options.directory = directory_ / "events";
  options.disk_free_min = UINT64_MAX;
  auto opened = EventLog::open(os::local_file_system(), options, clock_);
  ASSERT_TRUE(opened);
  const auto done = opened.value()->append_now(make(0));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::no_space);
}

TEST_F(EventLogTest, AnEventRoundTripsAsBytes) {
  const auto event = decode_event(encode_event(make(7)));
  ASSERT_TRUE(event);
  EXPECT_EQ(*event.value(), make(7));
  EXPECT_FALSE(decode_event("\xff\xff\xff"));
}

}  // namespace
}  // namespace hookhost::event_log
