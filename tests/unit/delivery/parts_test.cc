// The small parts on their own.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "delivery/availability.h"
#include "delivery/filter.h"
#include "delivery/jobs.h"
#include "delivery/lane_key.h"
#include "delivery/match_index.h"
#include "delivery/prepared.h"
#include "delivery/rate_limit.h"
#include "delivery/schedule.h"
#include "delivery/timers.h"
#include "delivery/window.h"

namespace hookhost::delivery {
namespace {

using namespace std::chrono_literals;

TEST(Schedules, HaveTheirNamesAndLengths) {
  EXPECT_EQ(schedule_named("kakiyo").value(), (Schedule{1s, 2s, 4s}));
  EXPECT_EQ(schedule_named("standard").value().size(), 9U);
  EXPECT_EQ(schedule_named("days").value().back(), 24h);
  EXPECT_FALSE(schedule_named("weeks"));
}

TEST(Schedules, JitterStaysWithinAFifthAndRepeatsWithItsSeed) {
  Jitter one(42), same(42);
  bool low = false, high = false;
  for (int n = 0; n < 1000; ++n) {
    const auto delay = one.around(24h);
    EXPECT_EQ(delay, same.around(24h));
    EXPECT_GE(delay, 1152min);
    EXPECT_LE(delay, 1728min);
    low = low || delay < 21h;
    high = high || delay > 27h;
  }
  EXPECT_TRUE(low && high);
}

TEST(Schedules, EndAfterTheLastDelayAndHonourTheSubscribersWish) {
  Jitter jitter(1);
  for (const Wish wish : {Wish::replaces, Wish::lengthens}) {
    EXPECT_TRUE(retry_delay({1s, 2s}, 2, {}, wish, jitter));
    EXPECT_FALSE(retry_delay({1s, 2s}, 3, {}, wish, jitter));
    EXPECT_FALSE(retry_delay({1s, 2s}, 3, 5s, wish, jitter));
    EXPECT_EQ(retry_delay({1s, 2s}, 1, 5s, wish, jitter), Duration{5s});
    EXPECT_EQ(retry_delay({1s, 2s}, 1, 1000h, wish, jitter), kRetryAfterMax);
  }
}

TEST(Schedules, APluginsOwnDelayReplacesThemAndAReceiversOnlyLengthensThem) {
  Jitter jitter(7);
  for (const Duration wished : {Duration{}, Duration{1s}, Duration{100s}}) {
    EXPECT_EQ(retry_delay({10s}, 1, wished, Wish::replaces, jitter), wished);
    const auto longer = retry_delay({10s}, 1, wished, Wish::lengthens, jitter);
    ASSERT_TRUE(longer);
    EXPECT_GE(*longer, std::max(wished, Duration{8s}));
    EXPECT_LE(*longer, std::max(wished, Duration{12s}));
  }
}

TEST(Schedules, ASteppedWallClockCostsAtMostOneDelay) {
  const WallTime now{1'000'000s};
  EXPECT_EQ(until_due(now + 5s, now, {1min}), Duration{5s});
  EXPECT_EQ(until_due(now - 5s, now, {1min}), Duration::zero());
  EXPECT_LE(until_due(now + 24h * 365, now, {1min}), kRetryAfterMax);
}

TEST(MatchIndex, FindsTheSameAsThePatternsThemselves) {
  const std::vector<std::string> texts{"*", "shop:*", "order.*", "shop:order.*", "order.paid", "bank:order.paid", "@mine", "hookhost.*",
                                       "hookhost.subscriber.stopped", "order.item.*"};
  MatchIndex index;
  std::vector<Pattern> patterns;
  for (std::uint32_t n = 0; n < texts.size(); ++n) {
    patterns.push_back(parse_pattern(texts[n], true).value());
    index.add(n, {patterns.back()});
  }
  // As a plugin's own list narrows "@mine".
  for (const auto* declared : {"*", "order.*", "bank:order.paid"}) {
    Pattern narrowed = parse_pattern(declared, false).value();
    narrowed.source = "mine";
    index.add(static_cast<std::uint32_t>(patterns.size()), {narrowed});
    patterns.push_back(std::move(narrowed));
  }
  for (const auto* type : {"order.paid", "order.item.added", "order", "user.born", "hookhost.subscriber.stopped", "hookhost.unparsable", "hookhost.x", ""}) {
    for (const auto* provider : {"shop", "bank", "hookhost"}) {
      for (const auto* source : {"mine", "theirs"}) {
        event_log::Event event;
        event.type = type;
        event.provider = provider;
        event.source = source;
        std::vector<MatchIndex::Member> found, expected;
        index.match(event, found);
        std::sort(found.begin(), found.end());
        for (MatchIndex::Member n = 0; n < patterns.size(); ++n) {
          if (patterns[n].matches(source, provider, type)) expected.push_back(n);
        }
        EXPECT_EQ(found, expected) << type << " of " << provider << " from " << source;
      }
    }
  }
}

TEST(MatchIndex, NamesAMemberOnceHoweverManyPatternsMatch) {
  MatchIndex index;
  index.add(3, {parse_pattern("*", true).value(), parse_pattern("a.*", true).value(), parse_pattern("a.b", true).value()});
  event_log::Event event;
  event.type = "a.b";
  std::vector<MatchIndex::Member> found;
  index.match(event, found);
  EXPECT_EQ(found, std::vector<MatchIndex::Member>{3});
}

TEST(LaneKeys, TheNameHashesToTheNumberOfTheEvent) {
  event_log::Event event;
  event.source = "orders";
  event.team = "team_1";
  event.key = "chat\x1f" "9";
  event.body = R"({"customer":{"id":7,"name":"x","none":null}})";
  const OrderBy by_key, all{OrderBy::Kind::all, {}}, none{OrderBy::Kind::none, {}}, id{OrderBy::Kind::pointer, "/customer/id"},
      missing{OrderBy::Kind::pointer, "/customer/none"};
  EXPECT_EQ(lane_number(by_key, event), lane_number(lane_name(by_key, event)));
  EXPECT_EQ(lane_number(all, event), lane_number(lane_name(all, event)));
  EXPECT_EQ(lane_number(id, event), lane_number(lane_name(id, event)));
  EXPECT_EQ(lane_number(none, event), kNoLane);
  EXPECT_EQ(lane_number(missing, event), kNoLane);
  EXPECT_NE(lane_number(id, event), lane_number(by_key, event));
  EXPECT_EQ(readable_lane(lane_name(id, event)), "orders/team_1/7");
}

TEST(Window, ItsFrontierIsTheOldestUnfinished) {
  Window window;
  const auto a = window.add(Offset{3}, {}, 0), b = window.add(Offset{5}, {}, 0), c = window.add(Offset{9}, {}, 0);
  window.finish(b);
  EXPECT_EQ(window.frontier(Offset{10}), Offset{3});
  EXPECT_EQ(window.done_offsets(), std::vector<Offset>{Offset{5}});
  window.finish(a);
  EXPECT_EQ(window.frontier(Offset{10}), Offset{9});
  EXPECT_EQ(window.done_above(), 0U);
  window.finish(c);
  EXPECT_EQ(window.frontier(Offset{10}), Offset{10});
}

TEST(Prepared, ComesBackAsItWas) {
  state::Batch batch;
  batch.subscriber = SubscriberId{"crm"};
  batch.position = state::Position{Offset{7}, {Offset{9}, Offset{11}}};
  batch.token = 5;
  batch.row = state::SubscriberRow{};
  batch.row->reason = "why";
  batch.lanes = {{0, "lane", Offset{3}, 2, 1, WallTime{5s}, "retry", "error", Offset{4}}, {1, "other", {}, 0, 0, {}, {}, {}, Offset{8}}};
  batch.lanes_erased = {{0, "gone"}};
  batch.kv = {{"a", "b"}, {"c", std::nullopt}};
  batch.replays.emplace_back().rate = 2.5;
  batch.run_to_held = 4;
  const auto bytes = encode_batch(batch);
  const auto back = decode_batch(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(encode_batch(back.value()), bytes);
  EXPECT_EQ(back.value().position->done.size(), 2U);
  EXPECT_EQ(back.value().replays.at(0).rate, 2.5);
  EXPECT_FALSE(back.value().kv.at(1).value);
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_batch(std::string_view(bytes).substr(0, n))) << n;
}

TEST(Availability, LetsOneProbeAtATimeAndBacksOff) {
  EngineOptions options;
  Jitter jitter(1);
  Availability gate;
  MonotonicTime now{100s};
  EXPECT_EQ(gate.allowance(now, 8), 8U);
  EXPECT_TRUE(gate.down(1, now, {}, options, jitter));
  EXPECT_FALSE(gate.down(2, now, {}, options, jitter)) << "it was out already";
  EXPECT_EQ(gate.allowance(now, 8), 0U);
  now = gate.until();
  EXPECT_EQ(gate.allowance(now, 8), 1U);
  gate.submitted(3);
  EXPECT_EQ(gate.allowance(now, 8), 0U);
  const auto first = gate.until();
  EXPECT_TRUE(gate.down(3, now, {}, options, jitter));
  EXPECT_GT(gate.until() - now, 1500ms);
  EXPECT_GT(gate.until(), first);
  gate.submitted(4);
  EXPECT_FALSE(gate.answered(2));
  EXPECT_TRUE(gate.answered(4));
  EXPECT_TRUE(gate.is_up());
}

TEST(Availability, AProbeThatWasNotCalledIsFollowedByAnother) {
  EngineOptions options;
  Jitter jitter(1);
  Availability gate;
  const MonotonicTime now{100s};
  EXPECT_TRUE(gate.down(1, now, 0s, options, jitter));
  gate.submitted(2);
  gate.taken_back(1);
  EXPECT_EQ(gate.allowance(now, 8), 0U) << "the probe is still out";
  gate.taken_back(2);
  EXPECT_EQ(gate.allowance(now, 8), 1U);
}

TEST(RateLimit, GivesWhatItSays) {
  RateLimit limit(100);
  MonotonicTime now{10s};
  std::size_t given = 0;
  for (int n = 0; n < 1000; ++n, now += 10ms) {
    for (auto have = limit.available(now); have > 0; --have, ++given) limit.take();
  }
  EXPECT_NEAR(static_cast<double>(given), 1000.0, 15.0);
}

TEST(Jobs, WhatHangsInSomebodysCodeIsNotWaitedForAndTouchesNothingAfterwards) {
  std::promise<void> released, began;
  std::promise<bool> may_go_on;
  std::atomic<bool> ran = false;
  Jobs jobs;
  jobs.run([&, outside = jobs.outside()] {
    may_go_on.set_value(outside.call([&] {
      began.set_value();
      released.get_future().wait();
    }));
  });
  began.get_future().wait();
  jobs.run([&] { ran = true; });
  jobs.finish(24h);
  EXPECT_TRUE(ran) << "what waited was run";
  released.set_value();
  EXPECT_FALSE(may_go_on.get_future().get());
}

TEST(Timers, RunInOrderAndOnlyWhenDue) {
  Timers timers;
  std::string order;
  timers.at(MonotonicTime{2s}, [&] { order += 'b'; });
  timers.at(MonotonicTime{1s}, [&] { order += 'a'; });
  timers.at(MonotonicTime{3s}, [&] { order += 'c'; });
  timers.run(MonotonicTime{2s});
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(timers.next(), MonotonicTime{3s});
}

}  // namespace
}  // namespace hookhost::delivery
