#include <atomic>
#include <random>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

using Retry = EngineTest;

TEST_F(Retry, ARetryingEventHoldsBackOnlyItsOwnKey) {
  std::atomic<bool> broken{true};
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery& delivery, auto&) {
    return delivery.event->key == "bad" && broken ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  });
  auto with = wishes();
  with.retry = Schedule(10'000, 5ms);
  open();
  attach(subscriber, with);
  for (int n = 0; n < 400; ++n) feed.append({.key = n % 4 == 0 ? "bad" : "good" + std::to_string(n % 4)});
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 300; }));
  EXPECT_TRUE(poll_until([&] { return status().position == Offset{400}; })) << "the position passes a blocked key";
  EXPECT_EQ(status().blocked_keys, 1U);
  broken = false;
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 400);
  EXPECT_TRUE(poll_until([&] { return store.lane_rows(id) == 0; }));
}

// Another call's `unavailable` takes back what waits to be called, the probe too.
TEST_F(Retry, AProbeThatComesBackUncalledIsFollowedByAnother) {
  std::shared_ptr<ScriptedSubscriber> subscriber;
  std::atomic<bool> down{true};
  subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) {
    if (!down.exchange(false)) return ScriptedSubscriber::ok();
    subscriber->hands_back = 1;
    return ScriptedSubscriber::unavailable();
  }, Traits{.concurrency = 1, .max_in_flight = 1}, 1);
  open();
  attach(subscriber);
  feed.append_many(5, 5);
  EXPECT_TRUE(settled()) << status().state;
  EXPECT_EQ(subscriber->ok_count(), 5U);
}

TEST_F(Retry, AfterTheScheduleAnEventIsADeadLetter) {
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery& delivery, auto&) {
    return delivery.event->offset == Offset{0} ? ScriptedSubscriber::retry("broken pipe") : ScriptedSubscriber::ok();
  });
  open();
  attach(subscriber);
  feed.append_many(3, 1);
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() >= 2; }));
  ASSERT_TRUE(poll_until([&] { return status().dead_letters == 1; }));
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::dead).value() == 1; }));
  const auto dead = store.parked_one(id, 0, Offset{0}).value();
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->reason, "exhausted");
  EXPECT_EQ(dead->attempts, 4U);
  EXPECT_EQ(dead->last_error, "broken pipe");
  EXPECT_TRUE(poll_until([&] { return feed.own_types() == std::vector<std::string>{"hookhost.subscriber.exhausted"}; }));
}

TEST_F(Retry, ARejectIsADeadLetterAtOnceAndCanBeRetriedOrDiscarded) {
  std::atomic<bool> picky{true};
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) {
    return picky ? ScriptedSubscriber::reject() : ScriptedSubscriber::ok();
  });
  open();
  attach(subscriber);
  feed.append_many(2, 2);
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::dead).value() == 2; }));
  EXPECT_EQ(subscriber->count(), 2U);
  picky = false;
  ASSERT_TRUE(engine->retry_dead_letter(id, 0, Offset{0}));
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::dead).value() == 1; }));
  EXPECT_EQ(subscriber->ok_offsets(), std::vector<std::uint64_t>{0});
  ASSERT_TRUE(engine->discard_dead_letter(id, 0, Offset{1}));
  EXPECT_EQ(store.count_parked(id, state::ParkedRow::Kind::dead).value(), 0U);
  EXPECT_FALSE(engine->retry_dead_letter(id, 0, Offset{1}));
  EXPECT_TRUE(poll_until([&] { return status().dead_letters == 0 && status().held == 0; }));
}

TEST_F(Retry, ADeadLetterThatFailsAgainIsRetriedByTheScheduleAndComesBack) {
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) { return ScriptedSubscriber::retry(); });
  open();
  attach(subscriber);
  feed.append_many(1, 1);
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::dead).value() == 1; }));
  EXPECT_EQ(subscriber->count(), 4U);
  ASSERT_TRUE(engine->retry_dead_letter(id, 0, Offset{0}));
  ASSERT_TRUE(poll_until([&] { return subscriber->count() == 8; }));
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::dead).value() == 1; }));
}

TEST_F(Retry, RetryNowDoesNotWaitForTheSchedule) {
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery& delivery, auto&) {
    return delivery.attempt.value == 1 ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  });
  auto with = wishes();
  with.retry = {10h};
  open();
  attach(subscriber, with);
  feed.append_many(1, 1);
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1; }));
  ASSERT_EQ(engine->deliveries({}).size(), 1U);
  EXPECT_EQ(engine->deliveries({}).front().state, "blocked");
  EXPECT_FALSE(engine->retry_now(id, Offset{7}));
  ASSERT_TRUE(engine->retry_now(id, Offset{0}));
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->count(), 2U);
}

TEST_F(Retry, WhatWaitsIsShownWithoutAnInstanceToo) {
  auto with = wishes();
  with.retry = {10h};
  open();
  attach(std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) { return ScriptedSubscriber::retry(); }), with);
  feed.append_many(3, 1);  // one key: the first is blocked, the others behind it
  const auto shown = [&] {
    std::vector<std::string> out;
    for (const auto& one : engine->deliveries({.subscriber = id})) {
      out.push_back(one.state + " " + std::to_string(one.offset.value) + " " + one.key + " " + std::to_string(one.attempts) + " " + one.last_outcome);
    }
    return out;
  };
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1 && status().lag_events == 0; }));
  ASSERT_TRUE(engine->disable(id, "a test", 1s));
  const auto disabled = shown();
  ASSERT_FALSE(disabled.empty());
  EXPECT_EQ(disabled.front().substr(0, 10), "blocked 0 ");
  EXPECT_TRUE(disabled.front().ends_with(" 1 retry")) << disabled.front();
  ASSERT_EQ(engine->deliveries({.subscriber = id, .state = "blocked"}).size(), 1U);
  EXPECT_GT(*engine->deliveries({.subscriber = id, .state = "blocked"}).front().next_attempt_at, clock().wall() + 8h);
  EXPECT_TRUE(engine->deliveries({.subscriber = id, .state = "running"}).empty());
  EXPECT_TRUE(engine->deliveries({.subscriber = id, .offset = Offset{7}}).empty());
  close();
  open();
  EXPECT_EQ(shown(), disabled) << "by the next host, before anything is attached";
}

TEST_F(Retry, AShortRetryAfterOfAReceiverDoesNotUseUpTheAttempts) {
  auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery&, auto&) {
    auto outcome = ScriptedSubscriber::retry("answered 503");
    outcome.retry_after = 0s;
    outcome.wish = Wish::lengthens;
    return outcome;
  });
  auto with = wishes();
  with.retry = {1ms, 1h};
  open();
  attach(subscriber, with);
  feed.append_many(1, 1);
  ASSERT_TRUE(poll_until([&] { return subscriber->count() == 2; }));
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1; }));
  const auto waiting = engine->deliveries({.subscriber = id, .state = "blocked"});
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_GT(waiting[0].next_attempt_at.value() - clock().wall(), 40min) << "the hour of the schedule, less its jitter";
}

TEST_F(Retry, UnavailableCostsNoAttemptAndProbesWithOneEvent) {
  std::atomic<bool> down{true};
  std::atomic<std::uint32_t> highest{0};
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery& delivery, auto&) {
    highest = std::max(highest.load(), delivery.attempt.value);
    return down ? ScriptedSubscriber::unavailable() : ScriptedSubscriber::ok();
  });
  feed.append_many(200, 50);
  open();
  attach(subscriber);
  ASSERT_TRUE(becomes("waiting"));
  ASSERT_TRUE(poll_until([&] { return subscriber->count() >= 32 + 5; }));
  EXPECT_LT(subscriber->count(), 32U + 200U) << "after the first wave one event probes at a time";
  down = false;
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 200);
  EXPECT_EQ(highest, 1U);
}

TEST_F(Retry, ACallThatHangsKeepsItsOwnKeyAlone) {
  std::atomic<bool> release{false};
  options.done_above_max = 64;
  options.window_events_max = 256;
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery& delivery, auto&) {
    if (delivery.event->offset == Offset{10}) poll_until([&] { return release.load(); }, 120s);
    return ScriptedSubscriber::ok();
  });
  feed.append_many(5000, 50);
  open();
  attach(subscriber);
  EXPECT_TRUE(poll_until([&] { return subscriber->ok_count() == 4900; })) << subscriber->ok_count();
  EXPECT_TRUE(poll_until([&] { return status().position == Offset{5000}; })) << "the position passes a call that hangs";
  release = true;
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 5000);
}

TEST_F(Retry, AboveTheMostBlockedKeysThePositionWaits) {
  std::atomic<bool> broken{true};
  options.blocked_lanes_max = 10;
  options.window_events_max = 16;
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) {
    return broken ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  });
  auto with = wishes();
  with.retry = Schedule(100'000, 2ms);
  feed.append_many(1000, 1000);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys >= 10; }));
  ASSERT_TRUE(poll_until([&] { return subscriber->count() > 200; }));
  EXPECT_LE(status().blocked_keys, 10U + 16U);
  EXPECT_LE(status().position, Offset{26});
  EXPECT_TRUE(poll_until([&] { return status().reason.find("blocked_lanes_max") != std::string::npos; }));
  broken = false;
  ASSERT_TRUE(settled());
  EXPECT_EQ(status().reason, "");
  expect_once_in_order(subscriber->calls(), 1000);
}

// A model of the whole: whatever fails, every event is handled once, in order per key; what is exhausted is a dead letter.
TEST_F(Retry, RandomFailuresKeepTheOrderAndHandleEachOnce) {
  const auto seed = test::seed();
  const std::size_t events = test::quick() ? 3000 : 10'000;
  std::mutex mutex;
  std::mt19937_64 random(seed);
  options.window_events_max = 128;
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) {
    const std::lock_guard lock(mutex);
    const auto dice = random() % 1000;
    if (dice < 150) return ScriptedSubscriber::retry();
    if (dice < 152) return ScriptedSubscriber::unavailable();
    return ScriptedSubscriber::ok();
  });
  auto with = wishes();
  with.retry = Schedule(100, 1ms);
  open();
  attach(subscriber, with);
  for (std::size_t n = 0; n < events; ++n) {
    const auto key = [&] {
      const std::lock_guard lock(mutex);
      return random() % 40;
    }();
    feed.append({.key = key == 0 ? "" : "k" + std::to_string(key)});
  }
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() >= events; }, 90s)) << subscriber->ok_count();
  ASSERT_TRUE(settled());
  auto calls = subscriber->calls();
  const auto unordered = std::erase_if(calls, [](const auto& call) { return call.key.empty() && call.status == Status::ok; });
  expect_once_in_order(calls, events - unordered);
  EXPECT_EQ(subscriber->ok_count(), events);
}

// The host dies at random moments; nothing is left out and no lane runs twice at once, nor out of order.
TEST_F(Retry, RandomKillsLoseNothing) {
  const auto seed = test::seed();
  std::mutex mutex;
  std::mt19937_64 random(seed);
  options.window_events_max = 64;
  const auto script = [&](const Delivery&, auto&) {
    const std::lock_guard lock(mutex);
    return random() % 100 < 20 ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  };
  auto with = wishes();
  with.retry = Schedule(100, 1ms);
  std::vector<std::shared_ptr<ScriptedSubscriber>> lives;
  open();
  const int rounds = test::quick() ? 5 : 15;
  std::size_t events = 0;
  for (int round = 0; round < rounds; ++round) {
    lives.push_back(std::make_shared<ScriptedSubscriber>(script));
    attach(lives.back(), with);
    for (int n = 0; n < 400; ++n, ++events) {
      const std::lock_guard lock(mutex);
      feed.append({.key = "k" + std::to_string(random() % 20)});
    }
    std::size_t some = 0;
    {
      const std::lock_guard lock(mutex);
      some = random() % 300;
    }
    poll_until([&] { return lives.back()->count() >= some; });
    if (round + 1 < rounds) kill_and_open();
  }
  ASSERT_TRUE(settled());
  std::vector<int> handled(events, 0);
  for (const auto& life : lives) {
    for (const auto offset : life->ok_offsets()) ++handled[offset];
    for (const auto& [key, offsets] : by_key(life->calls())) {
      for (std::size_t n = 1; n < offsets.size(); ++n) EXPECT_LT(offsets[n - 1], offsets[n]) << "key " << key;
    }
  }
  for (std::size_t n = 0; n < events; ++n) EXPECT_GE(handled[n], 1) << "event " << n << " was lost";
}

TEST_F(Retry, AKeyBlockedForLongBesideManyEvents) {
  const std::size_t events = test::quick() ? 20'000 : 100'000;
  std::atomic<bool> broken{true};
  std::atomic<std::uint64_t> pending_max{0};
  options.window_events_max = 512;
  const auto script = [&](const Delivery& delivery, auto&) {
    return delivery.event->key == "k0" && broken ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  };
  auto with = wishes();
  with.retry = Schedule(1'000'000, 20ms);
  auto first = std::make_shared<ScriptedSubscriber>(script);
  open();
  attach(first, with);
  feed.append_many(events / 2, 10);
  ASSERT_TRUE(poll_until([&] {
    pending_max = std::max(pending_max.load(), status().pending);
    return first->ok_count() == events / 2 / 10 * 9;
  }, 100s));
  close();
  auto second = std::make_shared<ScriptedSubscriber>(script);
  open();
  attach(second, with);
  feed.append_many(events / 2, 10);
  ASSERT_TRUE(poll_until([&] {
    pending_max = std::max(pending_max.load(), status().pending);
    return second->ok_count() == events / 2 / 10 * 9;
  }, 100s));
  broken = false;
  ASSERT_TRUE(poll_until([&] {
    pending_max = std::max(pending_max.load(), status().pending);
    return first->ok_count() + second->ok_count() >= events;
  }, 100s)) << first->ok_count() + second->ok_count();
  ASSERT_TRUE(settled());
  EXPECT_LE(pending_max, 2 * 512U) << "memory is bounded by the window";
  auto all = first->calls();
  const auto more = second->calls();
  all.insert(all.end(), more.begin(), more.end());
  expect_once_in_order(all, events);
}

}  // namespace
}  // namespace hookhost::delivery
