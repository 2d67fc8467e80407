// Faults at every call and power cuts at every call (the fault model stands in support/fake_file_system.h): an event log that was opened,
// filled, killed, recovered, thinned out and closed keeps its promise whatever fails, and always opens again without --accept-loss.
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "event_log/verify.h"
#include "fault/event_log_model.h"
#include "support/poll.h"

namespace hookhost::event_log {
namespace {

using test::Fault;

class EventLogFault : public testing::Test {
 protected:
  enum class Stop : std::uint8_t { kill, power_cut };

  static void stop(Machine& machine, Stop how, std::ostream& story) {
    story << (how == Stop::kill ? " kill" : " power cut");
    stop(machine, how);
  }
  static void stop(Machine& machine, Stop how) { how == Stop::kill ? machine.kill() : machine.cut_power(); }

  // Opens; a fault of this moment costs a restart, as its supervisor would do it. Twice in a row is no fault of the test any more.
  static void open(Machine& machine, Stop how) {
    if (machine.open()) return;
    EXPECT_NE(machine.open_error.code, ErrorCode::corrupt) << machine.open_error.message;
    stop(machine, how);
    ASSERT_TRUE(machine.open()) << machine.open_error.message;
  }
  static void append(Machine& machine, Stop how, std::size_t count) {
    if (machine.append(count)) return;
    if (machine.log->is_poisoned()) {
      stop(machine, how);
      open(machine, how);
    }
  }

  // A life with every kind of step.
  static void live(Machine& machine, Stop how) {
    ASSERT_NO_FATAL_FAILURE(open(machine, how));
    for (const std::size_t count : {1, 3, 2, 4, 3}) ASSERT_NO_FATAL_FAILURE(append(machine, how, count));
    stop(machine, how);
    ASSERT_NO_FATAL_FAILURE(open(machine, how));
    for (const std::size_t count : {2, 1, 5}) ASSERT_NO_FATAL_FAILURE(append(machine, how, count));
    machine.log->close();
    machine.log.reset();
    if (how == Stop::power_cut) machine.cut_power();
    ASSERT_NO_FATAL_FAILURE(open(machine, how));
    ASSERT_NO_FATAL_FAILURE(append(machine, how, 3));
    machine.allow_removal_below(Offset{5});
    static_cast<void>(machine.log->apply_retention(std::chrono::hours{24 * 365 * 100}, 0, Offset{5}));
    ASSERT_NO_FATAL_FAILURE(append(machine, how, 2));
    stop(machine, how);
  }

  static void sweep(Fault fault, Stop how, std::uint64_t seed) {
    std::uint64_t n = 1;
    const std::uint64_t step = test::quick() ? 3 : 1;
    for (;; n += step) {
      SCOPED_TRACE("fault at call " + std::to_string(n));
      Machine machine(seed + n);
      machine.files.fail_at(n, fault);
      ASSERT_NO_FATAL_FAILURE(live(machine, how));
      const bool fired = machine.files.fired();
      EXPECT_EQ(machine.files.uses_after_a_failed_sync(), 0U);
      machine.files.no_faults();
      for (int restart = 0; restart < 3; ++restart) {
        ASSERT_TRUE(machine.log || machine.open()) << machine.open_error.message;
        ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
        if (testing::Test::HasFailure()) FAIL();
        EXPECT_TRUE(machine.append(2));
        machine.cut_power();
      }
      if (!fired) break;
    }
    EXPECT_GT(n, 20U) << "the sweep met hardly any call";
  }
};

TEST_F(EventLogFault, IoErrorAtEveryCall) {
  const auto seed = test::seed();
  sweep(Fault::io_error, Stop::kill, seed);
  sweep(Fault::io_error, Stop::power_cut, seed);
}
TEST_F(EventLogFault, FullDiskAtEveryCall) {
  const auto seed = test::seed();
  sweep(Fault::no_space, Stop::kill, seed);
  sweep(Fault::no_space, Stop::power_cut, seed);
}
TEST_F(EventLogFault, ShortWriteAtEveryCall) {
  const auto seed = test::seed();
  sweep(Fault::short_write, Stop::kill, seed);
  sweep(Fault::short_write, Stop::power_cut, seed);
}
TEST_F(EventLogFault, SyncErrorAtEveryCall) {
  const auto seed = test::seed();
  sweep(Fault::sync_error, Stop::kill, seed);
  sweep(Fault::sync_error, Stop::power_cut, seed);
}
// What could not be read is neither damage nor a torn tail: the start fails, and the next one finds everything.
TEST_F(EventLogFault, ReadErrorAtEveryCall) {
  sweep(Fault::read_error, Stop::kill, test::seed());
}
TEST_F(EventLogFault, PowerCutAtEveryCall) {
  const auto seed = test::seed();
  for (std::uint64_t round = 0; round < (test::quick() ? 1U : 5U); ++round) sweep(Fault::power_cut, Stop::power_cut, seed + round * 1000);
}

// Many lives with several faults each, also while recovering from the one before, with the next segment made by its own thread.
TEST_F(EventLogFault, RandomLives) {
  const auto seed = test::seed();
  for (std::uint64_t life = 0; life < (test::quick() ? 50U : 300U); ++life) {
    SCOPED_TRACE("life " + std::to_string(life));
    std::mt19937_64 random(seed + life);
    Options options = small_log(2048 + random() % 4 * 2048);
    options.make_ahead = random() % 2 == 0;
    options.idle_mark = random() % 2 == 0 ? Duration{0} : Duration{std::chrono::hours{1}};
    Machine machine(seed + life, options);
    std::ostringstream story;
    story << "ahead " << options.make_ahead << " idle mark " << options.idle_mark.count() << " segments of " << options.segment_bytes;
    const auto tell = [&] { ADD_FAILURE() << story.str(); };
    for (int round = 0; round < 12; ++round) {
      constexpr Fault kFaults[] = {Fault::none, Fault::io_error, Fault::no_space, Fault::short_write, Fault::sync_error, Fault::power_cut, Fault::read_error};
      const std::uint64_t n = 1 + random() % 40;
      const Fault fault = kFaults[random() % std::size(kFaults)];
      machine.files.fail_at(n, fault);
      story << "\n  fault " << static_cast<int>(fault) << " at " << n;
      if (machine.open()) {
        for (std::uint64_t bursts = random() % 6; bursts > 0 && !machine.log->is_poisoned(); --bursts) {
          story << (machine.append(1 + random() % 6) ? " append" : " failed") << machine.log->durable_end().value;
        }
        if (random() % 3 == 0) {
          machine.log->close();
          story << " close";
        }
      } else {
        story << " not opened: " << machine.open_error.message;
        if (machine.open_error.code == ErrorCode::corrupt) return tell();
      }
      stop(machine, random() % 2 == 0 ? Stop::kill : Stop::power_cut, story);
      machine.files.no_faults();
      if (random() % 2 == 0) continue;  // the next life begins with what this one left
      if (!machine.open()) return tell();
      machine.expect_promise();
      if (HasFailure()) return tell();
      story << " checked " << machine.log->durable_end().value;
      stop(machine, random() % 2 == 0 ? Stop::kill : Stop::power_cut, story);
    }
    if (!machine.open()) return tell();
    machine.expect_promise();
    if (HasFailure()) return tell();
  }
}

// The kernel forgets what a failed fdatasync had pending and shows it all the same: the restarted host reads the events, answers `duplicate`
// for them, and the power goes.
TEST_F(EventLogFault, WhatAFailedSyncLeftInTheCacheIsMadeDurableBeforeItIsTrusted) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.open());
    ASSERT_TRUE(machine.append(3));
    machine.files.fail_at(1, Fault::sync_error);
    EXPECT_FALSE(machine.append(2));
    EXPECT_TRUE(machine.log->is_poisoned());
    EXPECT_FALSE(machine.append(1));
    machine.kill();
    ASSERT_TRUE(machine.open());
    ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
    EXPECT_EQ(machine.log->durable_end(), Offset{4});  // at least once: the one that was written and answered 503 is there
    machine.cut_power();
    ASSERT_TRUE(machine.open());
    ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
    EXPECT_EQ(machine.log->durable_end(), Offset{4});
  }
}

// Recovery dies after it has written the unproven events again and before it has cut the old copy.
TEST_F(EventLogFault, TheNewerCopyWinsAfterACrashBetweenTheStepsOfRecovery) {
  std::size_t superseded = 0;
  for (std::uint64_t n = 1; n < 40; ++n) {
    Machine machine(n);
    ASSERT_TRUE(machine.open());
    ASSERT_TRUE(machine.append(1));
    ASSERT_TRUE(machine.append(2));
    ASSERT_TRUE(machine.append(3));
    machine.kill();
    machine.files.fail_at(n, Fault::power_cut);
    if (machine.open()) break;
    machine.cut_power();
    const auto paths = machine.files.paths();
    if (std::ranges::count_if(paths, [](const std::string& path) { return path.ends_with(".events"); }) == 2) ++superseded;
    ASSERT_TRUE(machine.open()) << machine.open_error.message;
    ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
    EXPECT_EQ(machine.log->durable_end(), Offset{6});
    ASSERT_TRUE(machine.append(2));
    ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
    // The old copy is gone from the old file and kept beside it.
    machine.log->close();
    const auto found = verify(machine.files, kEventsDirectory, Offset{8});
    ASSERT_TRUE(found);
    for (const SegmentFindings& segment : found.value()) EXPECT_TRUE(segment.sealed && segment.damaged.empty()) << segment.file;
  }
  EXPECT_GT(superseded, 0U);
}

// The thread that makes the next segment woke while the roll was between taking the spare and renaming it: it removed the spare, and the
// roll gave its name to the new, unfinished one. What was appended then went to a file without a name.
TEST_F(EventLogFault, TheSpareIsNotMadeAnewWhileARollStillUsesIt) {
  Options options = small_log();
  options.make_ahead = true;
  Machine machine(1, options);
  ASSERT_TRUE(machine.open());
  ASSERT_TRUE(machine.append(1));
  const auto spare = os::join(kEventsDirectory, "next.tmp");
  const auto spare_size = [&] {
    const auto facts = machine.files.facts(spare);
    return facts ? facts.value().size : 0;
  };
  ASSERT_TRUE(test::poll_until([&] { return spare_size() == options.segment_bytes; }));
  machine.files.before_rename = [&](const std::string& from) {
    if (from != spare) return;
    EXPECT_FALSE(test::poll_until([&] { return machine.files.marker_of(spare) == 0; }, std::chrono::milliseconds{1200})) << "the spare was made anew";
  };
  // The file that is to be renamed carries its header already; one made anew does not.
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(machine.append(2));
  machine.cut_power();
  machine.files.before_rename = nullptr;
  ASSERT_TRUE(machine.open()) << machine.open_error.message;
  ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
}

TEST_F(EventLogFault, AFullDiskAtTheRollIsNoReasonToStop) {
  Machine machine(1);
  ASSERT_TRUE(machine.open());
  machine.files.fail_at(1, Fault::no_space);
  EXPECT_FALSE(machine.append(1));
  EXPECT_FALSE(machine.log->is_poisoned());
  EXPECT_TRUE(machine.append(2));
  ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
}

TEST_F(EventLogFault, BelowTheFloorEventsAreRefusedUntilThereIsSpace) {
  Options options = small_log();
  options.disk_free_min = 1000;
  Machine machine(1, options);
  ASSERT_TRUE(machine.open());
  ASSERT_TRUE(machine.append(1));
  machine.files.set_free_bytes(999);
  ASSERT_TRUE(test::poll_until([&] { return !machine.log->accepting(); }));
  EXPECT_EQ(machine.log->accepting().error().code, ErrorCode::no_space);
  EXPECT_FALSE(machine.append(1));
  machine.files.set_free_bytes(1000);
  ASSERT_TRUE(test::poll_until([&] { return machine.log->accepting().has_value(); }));
  EXPECT_TRUE(machine.append(1));
  ASSERT_NO_FATAL_FAILURE(machine.expect_promise());
}

}  // namespace
}  // namespace hookhost::event_log
