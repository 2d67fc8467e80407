// What recovery, sealing and retention leave in the directory: copies of what was cut, no zero tails, nothing that grows with each crash.
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "fault/event_log_model.h"
#include "support/poll.h"

namespace hookhost::event_log {
namespace {

class EventLogFiles : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> named(const std::string& end) const {
    std::vector<std::string> out;
    for (const std::string& path : machine_.files.paths()) {
      if (path.ends_with(end)) out.push_back(path);
    }
    return out;
  }
  // Random bytes behind the last batch, as a crash in the middle of a write leaves them.
  std::string tear(std::size_t bytes) {
    std::mt19937_64 random(bytes);
    std::string torn;
    while (torn.size() < bytes) torn += static_cast<char>(1 + random() % 255);
    std::string& file = machine_.files.poke(named(".events").back());
    const std::size_t end = round_up_to_sector(file.find_last_not_of('\0') + 1);
    file.replace(end, torn.size(), torn);
    return torn;
  }

  Machine machine_{1, small_log()};
};

TEST_F(EventLogFiles, WhatIsCutIsKeptByteForByteAndCounted) {
  ASSERT_TRUE(machine_.open());
  ASSERT_TRUE(machine_.append(2));
  machine_.kill();
  const std::string torn = tear(700);
  ASSERT_TRUE(machine_.open()) << machine_.open_error.message;
  const RecoveryReport& report = machine_.log->recovery();
  EXPECT_FALSE(report.clean);
  EXPECT_TRUE(report.lost.empty());
  ASSERT_EQ(report.broken_files.size(), 1U);
  const std::string& kept = machine_.files.poke(os::join(kEventsDirectory, report.broken_files[0]));
  EXPECT_TRUE(kept.ends_with(torn)) << "with what was not proven before it";
  EXPECT_EQ(report.cut_bytes, kept.size());
  ASSERT_NO_FATAL_FAILURE(machine_.expect_promise());
}

TEST_F(EventLogFiles, WhatWasCutGoesWithItsSegment) {
  for (int life = 0; life < 3; ++life) {
    ASSERT_TRUE(machine_.open());
    ASSERT_TRUE(machine_.append(2));
    machine_.kill();
    tear(100);
  }
  ASSERT_TRUE(machine_.open());
  ASSERT_TRUE(machine_.append(2));
  const std::size_t before = named(kBrokenSuffix.data()).size();
  ASSERT_GE(before, 3U);
  machine_.allow_removal_below(Offset{2});
  ASSERT_TRUE(machine_.log->apply_retention(std::chrono::hours{1}, 0, Offset{2}));
  EXPECT_LT(named(kBrokenSuffix.data()).size(), before);
  EXPECT_FALSE(named(kBrokenSuffix.data()).empty()) << "those of what is kept stay";
  ASSERT_TRUE(machine_.log->apply_retention(std::chrono::hours{1}, 0, machine_.log->durable_end()));
  EXPECT_THAT(named(kBrokenSuffix.data()), testing::IsEmpty());
}

TEST_F(EventLogFiles, OfManyCopiesTheNewestStay) {
  std::string last;
  for (std::size_t life = 0; life < kBrokenFilesMax + 5; ++life) {
    ASSERT_TRUE(machine_.open()) << machine_.open_error.message;
    ASSERT_TRUE(machine_.append(1));
    machine_.kill();
    last = tear(100 + life);
  }
  ASSERT_TRUE(machine_.open()) << machine_.open_error.message;
  const auto kept = named(kBrokenSuffix.data());
  EXPECT_EQ(kept.size(), kBrokenFilesMax);
  EXPECT_TRUE(std::any_of(kept.begin(), kept.end(), [&](const auto& path) { return machine_.files.poke(path).ends_with(last); }));
  ASSERT_NO_FATAL_FAILURE(machine_.expect_promise());
}

TEST_F(EventLogFiles, ASealedSegmentHasNoZeroTail) {
  ASSERT_TRUE(machine_.open());
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(machine_.append(3));
  machine_.log->close();
  const auto paths = named(".events");
  ASSERT_GE(paths.size(), 3U);
  for (const std::string& path : paths) {
    const std::string& bytes = machine_.files.poke(path);
    EXPECT_TRUE(decode_footer(std::string_view(bytes).substr(bytes.size() - kSectorBytes))) << path << " does not end with its footer";
  }
}

TEST_F(EventLogFiles, CrashLoopsDoNotFillTheDisk) {
  Options options = small_log(64 << 10);
  options.make_ahead = true;
  Machine machine(1, options);
  // Without events: a start leaves nothing that the next one does not take away.
  for (int crash = 0; crash < 5; ++crash) {
    ASSERT_TRUE(machine.open());
    machine.kill();
  }
  EXPECT_LE(machine.files.used_bytes(), 2 * options.segment_bytes);
  for (int crash = 0; crash < 50; ++crash) {
    ASSERT_TRUE(machine.open());
    ASSERT_TRUE(machine.append(1));
    machine.kill();
  }
  ASSERT_TRUE(machine.open());
  ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
  EXPECT_LE(machine.files.used_bytes(), 2 * options.segment_bytes + 55 * 4096) << "some sectors a crash, no segment";
}

// END is for readers beside a host; what it says does not count at a start.
TEST_F(EventLogFiles, AnEndThatIsWrongCutOrGoneChangesNothing) {
  ASSERT_TRUE(machine_.open());
  ASSERT_TRUE(machine_.append(4));
  machine_.kill();
  const std::string end = os::join(kEventsDirectory, kEndName);
  for (std::size_t at = 0; at <= 16; ++at) {
    SCOPED_TRACE(at);
    const bool flips = at < 8, cuts = at >= 8 && at < 16;
    std::string& bytes = machine_.files.poke(end);
    ASSERT_EQ(bytes.size(), 8U);
    if (flips) bytes[at] = static_cast<char>(bytes[at] ^ 0xff);
    if (cuts) bytes.resize(at - 8);
    if (!flips && !cuts) {
      ASSERT_TRUE(machine_.files.remove(end));
    }
    ASSERT_TRUE(machine_.open()) << machine_.open_error.message;
    ASSERT_NO_FATAL_FAILURE(machine_.expect_promise());
    EXPECT_EQ(machine_.log->durable_end(), Offset{4});
    EXPECT_EQ(open_view(machine_.files, kEventsDirectory).value()->durable_end(), Offset{4}) << "it is right again";
    machine_.kill();
  }
}

// A reader beside no host believes END at most as far as there are events.
TEST_F(EventLogFiles, AnEndThatIsTooFarShowsAGapAndEnds) {
  ASSERT_TRUE(machine_.open());
  ASSERT_TRUE(machine_.append(4));
  machine_.kill();
  machine_.files.poke(os::join(kEventsDirectory, kEndName))[7] = 0x7f;
  const auto view = open_view(machine_.files, kEventsDirectory);
  ASSERT_TRUE(view);
  Reader reader(machine_.files, view.value());
  std::size_t events = 0, gaps = 0;
  for (Offset at{0}; at < view.value()->durable_end();) {
    const auto got = reader.read(at, view.value()->durable_end(), {});
    ASSERT_TRUE(got);
    ASSERT_GT(got.value().next, at);
    at = got.value().next;
    events += got.value().events.size();
    gaps += got.value().gaps.size();
    ASSERT_LE(gaps, 1U);
  }
  EXPECT_EQ(events, 4U);
}

// A reader beside a host says what it could not read; it never shows less as if that were all.
TEST_F(EventLogFiles, AReadErrorBesideAHostIsAnErrorAndNoGap) {
  ASSERT_TRUE(machine_.open());
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(machine_.append(3));
  machine_.kill();
  ASSERT_GE(named(".events").size(), 2U);
  std::size_t errors = 0;
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    const auto view = open_view(machine_.files, kEventsDirectory).value();
    Reader reader(machine_.files, view);
    machine_.files.fail_at(n, test::Fault::read_error);
    const auto got = reader.read(Offset{0}, Offset{18}, {});
    if (!machine_.files.fired()) break;
    machine_.files.no_faults();
    if (!got) {
      EXPECT_EQ(got.error().code, ErrorCode::io_error);
      ++errors;
      continue;
    }
    EXPECT_EQ(got.value().events.size(), 18U);
    EXPECT_TRUE(got.value().gaps.empty());
  }
  EXPECT_GT(errors, 5U);
}

}  // namespace
}  // namespace hookhost::event_log
