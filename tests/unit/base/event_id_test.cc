#include "base/event_id.h"

#include <gtest/gtest.h>

#include <set>

namespace hookhost {
namespace {

using namespace std::chrono_literals;

TEST(EventId, SortsByTimeAndNeverGoesBack) {
  EventIdGenerator generator(7);
  ManualClock clock;
  EventId last;
  for (int i = 0; i < 1000; ++i) {
    if (i % 100 == 50) clock.step_wall(-1h);  // somebody sets the clock back
    if (i % 10 == 0) clock.advance(1ms);
    EventId id = generator.next(clock.wall());
    ASSERT_TRUE(is_event_id(id.value)) << id.value;
    ASSERT_LT(last, id);
    last = id;
  }
}

TEST(EventId, ContinuesAboveTheLastIdOfTheEventLog) {
  ManualClock clock;
  EventIdGenerator before(1), after(2);
  clock.advance(24h);
  const EventId last = before.next(clock.wall());
  clock.step_wall(-24h);
  after.resume_after(last);
  const EventId next = after.next(clock.wall());
  EXPECT_LT(last, next);
  EXPECT_EQ(last.value.substr(0, 14), next.value.substr(0, 14));  // same millisecond, counted up
}

TEST(EventId, ResumeIgnoresAnOlderOrMalformedId) {
  ManualClock clock;
  EventIdGenerator generator(1), old(2);
  const EventId older = old.next(clock.wall());
  clock.advance(1h);
  const EventId first = generator.next(clock.wall());
  generator.resume_after(older);
  generator.resume_after(EventId{"evt_nonsense"});
  EXPECT_LT(first, generator.next(clock.wall()));
}

TEST(EventId, KnowsItsForm) {
  EXPECT_TRUE(is_event_id("evt_01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  for (const char* text : {"", "evt_", "evt_01ARZ3NDEKTSV4RRFFQ69G5FA", "evt_81ARZ3NDEKTSV4RRFFQ69G5FAV", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAU",
                           "req_01ARZ3NDEKTSV4RRFFQ69G5FAV"}) {
    EXPECT_FALSE(is_event_id(text)) << text;
  }
}

TEST(RequestId, IsDifferentEachTime) {
  std::set<RequestId> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(make_request_id()).second);
  EXPECT_EQ(seen.begin()->value.size(), 20U);
}

}  // namespace
}  // namespace hookhost
