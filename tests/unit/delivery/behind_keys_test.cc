// Much behind keys that are blocked: nothing of it is looked for more often than it must be, and no key waits for another.
#include <atomic>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

// Every eighth attempt is refused, so that each key is blocked again and again with much behind it.
class RetryBehindKeys : public EngineTest {
 protected:
  std::shared_ptr<ScriptedSubscriber> refuses_often() {
    return std::make_shared<ScriptedSubscriber>([this](const Delivery& delivery, auto&) {
      if (closed || (delivery.attempt.value == 1 && delivery.event->offset.value % 8 == 3)) return ScriptedSubscriber::retry();
      return ScriptedSubscriber::ok();
    });
  }
  SubscriberOptions patient() const {
    auto out = wishes();
    out.retry = Schedule(10'000, 1ms);
    return out;
  }
  // Everything stands behind its key.
  void gather_behind(const std::shared_ptr<ScriptedSubscriber>& subscriber) {
    open();
    attach(subscriber, patient());
    feed.append_many(kEvents, kKeys);
    ASSERT_TRUE(poll_until([&] { return status().position == Offset{kEvents}; }));
  }

  static constexpr std::size_t kEvents = 8'000, kKeys = 5;
  std::atomic<bool> closed{true};
};

TEST_F(RetryBehindKeys, WhatStandsThereIsNotLookedForAgainAfterEachRefusal) {
  auto subscriber = refuses_often();
  ASSERT_NO_FATAL_FAILURE(gather_behind(subscriber));
  const auto looked_before = feed.looked();
  closed = false;
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), kEvents);
  // 1,000 refusals: each event is read where it stands, with its neighbours where these are few, and each refused one for its next attempt.
  EXPECT_LT(feed.looked() - looked_before, 10 * kEvents);
}

TEST_F(RetryBehindKeys, AfterARestartOnePassFindsWhatStandsThere) {
  auto subscriber = refuses_often();
  ASSERT_NO_FATAL_FAILURE(gather_behind(subscriber));
  kill_and_open();
  closed = false;
  const auto looked_before = feed.looked();
  auto next = refuses_often();
  attach(next, patient());
  ASSERT_TRUE(settled());
  expect_once_in_order(next->calls(), kEvents);
  EXPECT_LT(feed.looked() - looked_before, 12 * kEvents);
}

// The places are full of those of a key that stays blocked, and some of its events wait in memory: another key's turn comes all the same.
TEST_F(RetryBehindKeys, OneThatStaysBlockedWithMuchBehindItHoldsUpNoOther) {
  options.places_max = 64;
  auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery& delivery, auto&) {
    const bool first = delivery.event->offset.value < 2;
    return first && (delivery.event->key == "k0" || delivery.attempt.value == 1) ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  });
  open();
  feed.append_many(600, 2);  // k0 and k1 in turn; k1 is refused once
  attach(subscriber, patient());
  EXPECT_TRUE(poll_until([&] { return subscriber->ok_count() == 300; })) << subscriber->ok_count();
  EXPECT_EQ(status().blocked_keys, 1U);
}

// More than is remembered: several passes, and still each event once.
TEST_F(RetryBehindKeys, MoreThanIsRememberedIsLookedForInFewPasses) {
  options.places_max = 1'024;
  auto subscriber = refuses_often();
  ASSERT_NO_FATAL_FAILURE(gather_behind(subscriber));
  closed = false;
  const auto looked_before = feed.looked();
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), kEvents);
  EXPECT_LT(feed.looked() - looked_before, 100 * kEvents);
}

}  // namespace
}  // namespace hookhost::delivery
