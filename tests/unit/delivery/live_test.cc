#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

using Live = EngineTest;

TEST_F(Live, CatchesUpThenFollowsWithoutGapOrDouble) {
  feed.append_many(3000, 17);
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  open();
  attach(subscriber);
  for (int n = 0; n < 2000; ++n) feed.append({.key = "k" + std::to_string(n % 17)});
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 5000);
  feed.append({.key = "late"});
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 5001; }));
}

TEST_F(Live, GetsOnlyWhatItsPatternsMatch) {
  open();
  auto with = wishes();
  with.events = {Pattern{.source = "", .provider = "", .kind = Pattern::Kind::prefix, .type = "order."}};
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, with);
  for (int n = 0; n < 100; ++n) feed.append({.key = "k", .type = n % 2 == 0 ? "order.paid" : "user.born"});
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->ok_count(), 50U);
}

TEST_F(Live, AnEventWithoutAKeyHasNoOrder) {
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery& delivery, auto&) {
    return delivery.attempt.value == 1 && delivery.event->offset.value % 3 == 0 ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  });
  attach(subscriber);
  for (int n = 0; n < 300; ++n) feed.append({.key = ""});
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->ok_count(), 300U);
  EXPECT_TRUE(poll_until([&] { return store.lane_rows(id) == 0; }));
}

TEST_F(Live, ARestartGoesOnWhereItWas) {
  feed.append_many(500, 5);
  auto first = std::make_shared<ScriptedSubscriber>();
  open();
  attach(first);
  ASSERT_TRUE(settled());
  close();
  feed.append_many(100, 5);
  auto second = std::make_shared<ScriptedSubscriber>();
  open();
  attach(second);
  ASSERT_TRUE(settled());
  EXPECT_EQ(first->ok_count(), 500U);
  EXPECT_EQ(second->ok_count(), 100U);
}

// While a call that hangs holds the position back, what a lane skipped and then handled is not handled again by the next life.
TEST_F(Live, WhatALaneSkippedAndHandledAboveThePositionIsDoneForTheNextLife) {
  std::atomic<bool> release{false}, broken{true};
  const auto script = [&](const Delivery& delivery, auto&) {
    if (delivery.event->key == "hangs" && !release) poll_until([&] { return release.load(); }, 120s);
    return delivery.event->key == "k" && broken ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  };
  auto with = wishes();
  with.retry = Schedule(10'000, 2ms);
  auto first = std::make_shared<ScriptedSubscriber>(script);
  open();
  attach(first, with);
  feed.append({.key = "hangs"});
  feed.append({.key = "k"});
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1; }));
  for (int n = 0; n < 5; ++n) feed.append({.key = "k"});
  ASSERT_TRUE(poll_until([&] { return status().lag_events == 7; }));
  broken = false;
  ASSERT_TRUE(poll_until([&] { return first->ok_count() == 6; }));
  ASSERT_TRUE(poll_until([&] { return store.lane_rows(id) == 0; })) << "committed";
  store.cut();
  release = true;
  kill_and_open();
  auto second = std::make_shared<ScriptedSubscriber>(script);
  attach(second, with);
  ASSERT_TRUE(settled());
  EXPECT_EQ(second->ok_offsets(), std::vector<std::uint64_t>{0}) << "only what hung";
}

// After a kill, positions are as old as their last commit: subscribers that nothing came for are not each read up to the end.
TEST_F(Live, ManyThatStartTogetherAreCaughtUpWithOneReading) {
  constexpr int kMany = 200;
  std::vector<std::shared_ptr<ScriptedSubscriber>> all;
  const auto attach_all = [&] {
    all.clear();
    for (int n = 0; n < kMany; ++n) {
      auto with = wishes();
      with.id = SubscriberId("s" + std::to_string(n));
      with.team = "team " + std::to_string(n);
      ASSERT_TRUE(engine->accept(with.id, "endpoint", {.kind = StartAt::Kind::beginning}));
      all.push_back(std::make_shared<ScriptedSubscriber>());
      ASSERT_TRUE(engine->attach(with, all.back()));
    }
  };
  const auto all_live = [&] {
    return poll_until([&] {
      const auto now = engine->status();
      return std::all_of(now.begin(), now.end(), [](const auto& one) { return one.state == "live" && one.lag_events == 0; });
    });
  };
  open();
  attach_all();
  ASSERT_TRUE(all_live());
  for (int n = 0; n < 2000; ++n) feed.append({.key = "k", .team = "team 7"});
  ASSERT_TRUE(poll_until([&] { return all[7]->ok_count() == 2000; }));
  kill_and_open();
  const auto looked = feed.looked();
  attach_all();
  ASSERT_TRUE(all_live());
  EXPECT_LT(feed.looked() - looked, 2000U * kMany / 4);
  feed.append({.key = "k", .team = "team 9"});
  ASSERT_TRUE(poll_until([&] { return all[9]->ok_count() == 1; }));
}

}  // namespace
}  // namespace hookhost::delivery
