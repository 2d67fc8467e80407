// How a source recognises what it was sent before, as its configuration says it.
#include "ingest/duplicates.h"

#include <gtest/gtest.h>

namespace hookhost::ingest {
namespace {

using namespace std::chrono_literals;
using Claim = DuplicatesWindow::Claim;

const EventId kId{"evt_00000000000000000000000001"};

class Window : public testing::Test {
 protected:
  Claim claim(char digest, Duration at, std::string_view owner = {}) {
    EventId known;
    const Claim out = window.claim({{digest}}, kId, WallTime{} + at, known, [](const Result<EventId>&) {}, owner);
    if (out == Claim::first) window.settle({digest}, kId, owner);
    return out;
  }
  DuplicatesWindow window{{.window = 1min, .entries_max = 3}};
};

TEST_F(Window, RemembersForItsTimeAndNoLonger) {
  EXPECT_EQ(claim(1, 0s), Claim::first);
  EXPECT_EQ(claim(1, 60s), Claim::known);
  EXPECT_EQ(claim(1, 61s), Claim::first);
}

TEST_F(Window, ForgetsTheOldestAboveItsBound) {
  for (char digest = 1; digest <= 5; ++digest) EXPECT_EQ(claim(digest, 0s), Claim::first);
  EXPECT_EQ(claim(5, 0s), Claim::known);
  EXPECT_EQ(claim(1, 0s), Claim::first);
}

// However much one owner sends: it loses its own oldest, never the others' share.
TEST_F(Window, AnOwnerAboveItsShareLosesItsOwnOldest) {
  window.configure({.window = 1min, .entries_max = 4});
  EXPECT_EQ(claim(1, 0s, "quiet"), Claim::first);
  EXPECT_EQ(claim(2, 1s, "quiet"), Claim::first);
  for (char digest = 10; digest < 60; ++digest) EXPECT_EQ(claim(digest, 2s, "loud"), Claim::first);
  EXPECT_EQ(claim(1, 3s, "quiet"), Claim::known);
  EXPECT_EQ(claim(2, 3s, "quiet"), Claim::known);
  EXPECT_EQ(claim(59, 3s, "loud"), Claim::known) << "its newest";
  EXPECT_EQ(claim(10, 3s, "loud"), Claim::first) << "its oldest";
  EXPECT_LE(window.size(), 5U);
}

TEST_F(Window, WhatIsOverGoesBeforeAnybodysShare) {
  EXPECT_EQ(claim(1, 0s, "silent"), Claim::first);
  EXPECT_EQ(claim(2, 0s, "silent"), Claim::first);
  for (char digest = 3; digest < 6; ++digest) EXPECT_EQ(claim(digest, 61s, "other"), Claim::first);
  for (char digest = 3; digest < 6; ++digest) EXPECT_EQ(claim(digest, 62s, "other"), Claim::known);
  EXPECT_EQ(window.size(), 3U);
}

TEST_F(Window, IsRebuiltWithinItsBoundAndWithEachOnesShare) {
  window.remember({{1}}, kId, WallTime{}, "quiet");
  for (char digest = 10; digest < 60; ++digest) window.remember({{digest}}, kId, WallTime{} + 1s, "loud");
  EXPECT_LE(window.size(), 4U);
  EXPECT_EQ(claim(1, 2s, "quiet"), Claim::known);
  EXPECT_EQ(claim(59, 2s, "loud"), Claim::known);
}

TEST_F(Window, AReloadThatChangesItKeepsWhatItKnows) {
  EXPECT_EQ(claim(1, 0s), Claim::first);
  window.configure({.window = 1h, .entries_max = 3});
  EXPECT_EQ(claim(1, 30min), Claim::known);
}

// At start, from the event log: the first one of a digest is what a duplicate is answered with.
TEST_F(Window, IsRebuiltWithTheFirstOfEach) {
  window.remember({{1}}, kId, WallTime{});
  window.remember({{1}}, EventId{"evt_00000000000000000000000002"}, WallTime{} + 1s);
  window.remember({{2}}, EventId{"no id of ours"}, WallTime{});
  EventId known;
  EXPECT_EQ(window.claim({{1}}, EventId{"evt_00000000000000000000000003"}, WallTime{} + 2s, known, {}), Claim::known);
  EXPECT_EQ(known, kId);
  EXPECT_EQ(window.size(), 1U);
}

// In flight, durable and after a start, as long as both say what must be the same.
TEST_F(Window, TellsAnotherContentUnderOneDigest) {
  const DuplicatesWindow::Mark one{{1}, {1}}, other{{1}, {2}}, nothing{{1}, {}};
  EventId known;
  ASSERT_EQ(window.claim(one, kId, WallTime{}, known, {}), Claim::first);
  EXPECT_EQ(window.claim(other, kId, WallTime{}, known, {}), Claim::differs);
  EXPECT_EQ(window.claim(one, kId, WallTime{}, known, [](const Result<EventId>&) {}), Claim::follows);
  window.settle(one.digest, kId);
  EXPECT_EQ(window.claim(other, kId, WallTime{}, known, {}), Claim::differs);
  EXPECT_EQ(window.claim(nothing, kId, WallTime{}, known, {}), Claim::known);
  const std::string stored = stored_mark(std::string(32, 'd'), std::string(32, 'c'));
  window.remember(to_mark(stored), kId, WallTime{});
  EXPECT_EQ(window.claim(to_mark(stored), kId, WallTime{}, known, {}), Claim::known);
  EXPECT_EQ(window.claim(to_mark(stored_mark(std::string(32, 'd'), "other")), kId, WallTime{}, known, {}), Claim::differs);
  EXPECT_EQ(window.claim(to_mark(stored_mark(std::string(32, 'd'))), kId, WallTime{}, known, {}), Claim::known);
}

// A claim whose answer never came leaves nothing: the sender tries again and is accepted.
TEST_F(Window, WhatFailedIsNotKnown) {
  EventId known;
  ASSERT_EQ(window.claim({{1}}, kId, WallTime{}, known, {}), Claim::first);
  window.settle({1}, fail(ErrorCode::no_space, "full"));
  EXPECT_EQ(claim(1, 30s), Claim::first);
  EXPECT_EQ(claim(1, 31s), Claim::known);
  EXPECT_EQ(claim(1, 61s), Claim::known) << "its time began when it was accepted, not with the attempt that failed";
  EXPECT_EQ(claim(1, 91s), Claim::first);
}

}  // namespace
}  // namespace hookhost::ingest
