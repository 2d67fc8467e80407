// What endpoints ask of the engine beside what plugins do: a team's events only, a rate, every attempt kept, when to stop and how to come back.
#include <algorithm>
#include <atomic>
#include <future>
#include <future>
#include <set>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

using EndpointRules = EngineTest;

ScriptedSubscriber::Script failing(const std::atomic<bool>& broken) {
  return [&broken](const Delivery&, auto&) { return broken ? ScriptedSubscriber::retry("answered 500") : ScriptedSubscriber::ok(); };
}

TEST_F(EndpointRules, ATeamsSubscriberGetsItsOwnTeamsEventsLiveCaughtUpAndReplayed) {
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  auto with = wishes();
  with.team = "red";
  const auto append = [&] {
    for (const char* team : {"red", "blue", "", "red"}) feed.append({.key = "k", .team = team});
  };
  append();
  open();
  attach(subscriber, with);
  ASSERT_TRUE(settled());
  append();
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 4; }));
  const auto plan = engine->replay_plan({.subscriber = id, .from = {.kind = StartAt::Kind::beginning}});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan.value().matching, 4U);
  ASSERT_TRUE(engine->replay_start({.subscriber = id, .from = {.kind = StartAt::Kind::beginning}, .yes = true}));
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 8; }));
  ASSERT_TRUE(settled());
  const auto calls = subscriber->calls();
  for (const auto& call : calls) EXPECT_EQ(feed.at(call.offset)->team, "red");
}

TEST_F(EndpointRules, EveryAttemptIsKeptWithItsAnswerAndCounted) {
  auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery& delivery, auto&) {
    Outcome out = delivery.attempt.value == 1 ? ScriptedSubscriber::retry("answered 503") : ScriptedSubscriber::ok();
    out.http_status = delivery.attempt.value == 1 ? 503 : 204;
    out.answer = "body";
    return out;
  });
  auto with = wishes();
  with.keep_attempts = true;
  feed.append_many(3, 3);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] { return store.attempts(id, {}).value().size() == 6; }));
  const auto attempts = store.attempts(id, {}).value();
  for (const auto& row : attempts) {
    EXPECT_EQ(row.http_status, row.attempt == 1 ? 503 : 204);
    EXPECT_EQ(row.outcome, row.attempt == 1 ? "retry" : "ok");
    EXPECT_EQ(row.answer, "body");
  }
  EXPECT_EQ(status().tally.successes, 3U);
  EXPECT_EQ(status().tally.failures, 3U);
  EXPECT_TRUE(status().tally.last_success);
  close();
  open();
  attach(std::make_shared<ScriptedSubscriber>(), with);
  ASSERT_TRUE(settled());
  EXPECT_EQ(status().tally.successes, 3U);
}

TEST_F(EndpointRules, AReceiverThatIsGoneStopsAtOnceAndNothingIsLost) {
  std::atomic<bool> gone{true};
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) {
    Outcome out = gone ? ScriptedSubscriber::retry("answered 410") : ScriptedSubscriber::ok();
    out.gone = gone;
    return out;
  });
  auto with = wishes();
  with.recovers = true;  // not from this
  options.recovery_delay = options.recovery_delay_max = 1ms;
  feed.append_many(50, 5);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(becomes("stopped"));
  ASSERT_TRUE(poll_until([&] { return status().in_flight == 0; }));
  const auto calls = subscriber->count();
  EXPECT_EQ(status().dead_letters, 0U);
  EXPECT_EQ(status().held, calls);
  close();
  EXPECT_EQ(feed.own_types(), std::vector<std::string>{"hookhost.subscriber.stopped"}) << "what is held is not exhausted";
  gone = false;
  auto second = std::make_shared<ScriptedSubscriber>();
  open();
  attach(second, with);
  ASSERT_TRUE(becomes("stopped"));
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(settled());
  EXPECT_LE(calls, 32U);
  expect_once_in_order(second->calls(), 50);
}

TEST_F(EndpointRules, AfterAKillThoseComeAgainThatMayBeUncommittedAndNoMore) {
  const Traits traits{.concurrency = 4, .max_in_flight = 4, .uncommitted_max = 16};
  auto first = std::make_shared<ScriptedSubscriber>(ScriptedSubscriber::Script{}, traits), second = std::make_shared<ScriptedSubscriber>(ScriptedSubscriber::Script{}, traits);
  open();
  attach(first);
  ASSERT_TRUE(settled());
  store.stall(true);
  feed.append_many(1000, 50);
  ASSERT_TRUE(poll_until([&] { return first->count() >= 16 && status().in_flight == 0; }));
  EXPECT_LE(first->count(), 16U + 4U);
  store.cut();
  store.stall(false);
  kill_and_open();
  attach(second);
  ASSERT_TRUE(settled());
  EXPECT_LE(first->count() + second->count(), 1000U + 16U + 4U);
  expect_once_in_order(second->calls(), 1000);
}

class EndpointRulesInTime : public EngineTest {
 protected:
  const Clock& clock() override { return manual; }
  void TearDown() override {
    EngineTest::TearDown();
    engine.reset();  // before its clock
  }
  // Time goes on, a little at a time, until `done`.
  bool in_time(Duration step, const std::function<bool()>& done) {
    return poll_until([&] {
      manual.advance(step);
      return done();
    });
  }
  ManualClock manual;
};

TEST_F(EndpointRulesInTime, StopsOnlyWhenTheRunHasLastedLongEnough) {
  std::atomic<bool> broken{true};
  auto subscriber = std::make_shared<ScriptedSubscriber>(failing(broken));
  auto with = wishes();
  with.retry = {};
  with.stop_after = 3;
  with.stop_after_at_least = 1h;
  feed.append_many(30, 30);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(in_time(1ms, [&] { return subscriber->count() == 30; }));
  ASSERT_TRUE(in_time(1ms, [&] { return status().dead_letters == 30; }));
  EXPECT_EQ(status().state, "live");
  manual.advance(1h);
  feed.append({.key = "last"});
  ASSERT_TRUE(in_time(1ms, [&] { return status().state == "stopped"; }));
  EXPECT_TRUE(in_time(1ms, [&] { return status().held == 31; })) << status().held;  // the whole run
  broken = false;
  auto resumed = std::async(std::launch::async, [&] { return engine->resume(id); });
  ASSERT_TRUE(in_time(1ms, [&] { return resumed.wait_for(0s) == std::future_status::ready; }));
  ASSERT_TRUE(in_time(1ms, [&] { return subscriber->ok_count() == 31; }));
}

TEST_F(EndpointRulesInTime, OneThatRecoversIsTriedWithOneEventNowAndThenAndGoesOnInOrder) {
  std::atomic<bool> broken{true};
  auto subscriber = std::make_shared<ScriptedSubscriber>(failing(broken));
  auto with = wishes();
  with.retry = {};
  with.stop_after = 5;
  with.recovers = true;
  options.recovery_delay = 1min;
  options.recovery_delay_max = 4min;
  feed.append_many(40, 4);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(in_time(1ms, [&] { return status().state == "stopped" && status().in_flight == 0; }));
  const auto before = subscriber->count();
  ASSERT_TRUE(in_time(10s, [&] { return subscriber->count() == before + 3; }));
  ASSERT_TRUE(in_time(1ms, [&] { return status().state == "stopped"; }));
  EXPECT_GE(status().held, 5U);
  std::set<std::uint64_t> tried;
  for (std::size_t n = before; n < before + 3; ++n) tried.insert(subscriber->calls().at(n).offset.value);
  EXPECT_EQ(subscriber->calls().back().attempt, subscriber->calls().at(before).attempt);  // a look is no attempt that counts
  broken = false;
  ASSERT_TRUE(in_time(10s, [&] { return subscriber->ok_count() == 40; }));
  expect_once_in_order(subscriber->calls(), 40);
  ASSERT_TRUE(in_time(1ms, [&] {
    const auto types = feed.own_types();
    return std::count(types.begin(), types.end(), "hookhost.subscriber.recovered") == 1;
  }));
  const auto types = feed.own_types();
  EXPECT_EQ(std::count(types.begin(), types.end(), "hookhost.subscriber.stopped"), 1);
}

TEST_F(EndpointRulesInTime, ARateBoundsAttempts) {
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  auto with = wishes();
  with.rate = 10;
  feed.append_many(100, 50);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(in_time(1ms, [&] { return subscriber->ok_count() >= 5; }));
  const auto begun = manual.monotonic();
  const auto at_begin = subscriber->ok_count();
  ASSERT_TRUE(in_time(20ms, [&] { return subscriber->ok_count() == 100; }));
  const double seconds = std::chrono::duration<double>(manual.monotonic() - begun).count();
  EXPECT_GE(seconds, static_cast<double>(100 - at_begin - 2) / 10);
}

TEST_F(EndpointRules, ResumingFromNowSkipsWhatCameMeanwhileAndSaysHowMuch) {
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  auto with = wishes();
  with.team = "red";
  open();
  attach(subscriber, with);
  for (int i = 0; i < 10; ++i) feed.append({.key = "k", .team = "red"});
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 10; }));
  ASSERT_TRUE(engine->pause(id));
  for (int i = 0; i < 20; ++i) feed.append({.key = "k", .team = i % 2 == 0 ? "red" : "blue"});
  const auto skipped = engine->resume_from_now(id);
  ASSERT_TRUE(skipped) << skipped.error().message;
  EXPECT_EQ(skipped.value().deliveries, 10U);
  EXPECT_FALSE(skipped.value().replay);
  feed.append({.key = "k", .team = "red"});
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 11; }));
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->calls().back().offset, Offset{30});
  close();  // and it stays skipped
  open();
  auto second = std::make_shared<ScriptedSubscriber>();
  attach(second, with);
  ASSERT_TRUE(settled());
  EXPECT_EQ(second->count(), 0U);
}

// Each delivery once: what was done above a blocked key is not among them, nor what the replay has sent.
TEST_F(EndpointRules, ResumingFromNowCountsWhatIsBlockedAndTheRestOfAReplayThatItCancels) {
  std::atomic<bool> broken{false};
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery& delivery, auto&) {
    return broken && delivery.event->key == "k0" ? ScriptedSubscriber::retry("answered 500") : ScriptedSubscriber::ok();
  });
  auto with = wishes();
  with.retry = {10h};
  feed.append_many(20, 4);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 20; }));
  ASSERT_TRUE(settled());
  broken = true;
  const auto replay = engine->replay_start({.subscriber = id, .from = {.kind = StartAt::Kind::beginning}, .yes = true});
  ASSERT_TRUE(replay) << replay.error().message;
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 35; })) << "of three keys, again";
  feed.append_many(8, 4);
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 41 && status().in_flight == 0; }));
  ASSERT_TRUE(engine->pause(id));
  feed.append_many(4, 4);
  const auto skipped = engine->resume_from_now(id);
  ASSERT_TRUE(skipped) << skipped.error().message;
  EXPECT_TRUE(skipped.value().replay);
  EXPECT_EQ(skipped.value().deliveries, 5U + 2U + 4U) << "of the replay, blocked, while it was off";
  EXPECT_EQ(engine->replay(replay.value()).value().state, "cancelled");
  broken = false;
  ASSERT_TRUE(settled());
  const auto resumed = engine->replay_resume(replay.value());
  ASSERT_TRUE(resumed) << resumed.error().message;
  ASSERT_TRUE(poll_until([&] { return engine->replay(replay.value()).value().state == "done"; }));
  const auto offsets = subscriber->ok_offsets();
  for (const std::uint64_t of_the_blocked_key : {0U, 4U, 8U, 12U, 16U}) EXPECT_EQ(std::ranges::count(offsets, of_the_blocked_key), 2) << of_the_blocked_key;
}

// A call is under way, until release(), when it is paused and orders come.
class OrderAmidACall : public EndpointRules {
 protected:
  void pause_amid_a_call() {
    open();
    attach(std::make_shared<ScriptedSubscriber>([this](const Delivery& delivery, auto&) {
      if (delivery.event->key == "slow") {
        EXPECT_TRUE(poll_until([this] { return released_.load(); }));
      }
      return ScriptedSubscriber::ok();
    }));
    feed.append({.key = "slow"});
    ASSERT_TRUE(poll_until([&] { return status().in_flight == 1; }));
    ASSERT_TRUE(engine->pause(id));
    feed.append_many(5, 5);
  }
  // Waits until the engine has it.
  void order_resume_from_now() {
    resumed_ = std::async(std::launch::async, [&] { return engine->resume_from_now(id); });
    ASSERT_TRUE(poll_until([&] { return status().state != "paused"; }));
  }
  Result<Engine::Skipped> resumed() { return resumed_.get(); }
  void release() { released_ = true; }

 private:
  std::atomic<bool> released_{false};
  std::future<Result<Engine::Skipped>> resumed_;
};

TEST_F(OrderAmidACall, ResumedFromNowWhileAnotherInstanceTakesOverItSkipsAndStaysOn) {
  const auto second = std::make_shared<ScriptedSubscriber>(), third = std::make_shared<ScriptedSubscriber>();
  ASSERT_NO_FATAL_FAILURE(pause_amid_a_call());
  ASSERT_TRUE(engine->attach(wishes(), second, 10s));
  ASSERT_NO_FATAL_FAILURE(order_resume_from_now());
  release();
  const auto skipped = resumed();
  ASSERT_TRUE(skipped) << skipped.error().message;
  EXPECT_EQ(skipped.value().deliveries, 6U);
  ASSERT_TRUE(settled());
  EXPECT_EQ(second->count(), 0U);
  feed.append({.key = "next"});
  ASSERT_TRUE(poll_until([&] { return second->ok_count() == 1; }));
  kill_and_open();
  attach(third);
  ASSERT_TRUE(settled());
  feed.append({.key = "next"});
  ASSERT_TRUE(poll_until([&] { return third->ok_count() >= 1; }));
  for (const auto& call : third->calls()) EXPECT_EQ(call.key, "next");
}

TEST_F(OrderAmidACall, AnOrderThatFindsItsInstanceEndingIsCarriedOutAllTheSame) {
  ASSERT_NO_FATAL_FAILURE(pause_amid_a_call());
  auto ended = std::async(std::launch::async, [&] { return engine->disable(id, "off", 10s); });
  ASSERT_NO_FATAL_FAILURE(order_resume_from_now());
  release();
  ASSERT_TRUE(ended.get());
  const auto skipped = resumed();
  ASSERT_TRUE(skipped) << skipped.error().message;
  const auto next = std::make_shared<ScriptedSubscriber>();
  attach(next);
  ASSERT_TRUE(settled());
  EXPECT_EQ(next->count(), 0U);
}

TEST_F(OrderAmidACall, APauseAfterAnOrderThatStillWaitsHasTheLastWord) {
  ASSERT_NO_FATAL_FAILURE(pause_amid_a_call());
  ASSERT_NO_FATAL_FAILURE(order_resume_from_now());
  ASSERT_TRUE(engine->pause(id, "once more"));
  release();
  ASSERT_TRUE(resumed());
  ASSERT_TRUE(becomes("paused"));
  ASSERT_TRUE(poll_until([&] { return store.load(id).value()->row.condition == state::Condition::paused; }));
  kill_and_open();
  attach(std::make_shared<ScriptedSubscriber>());
  ASSERT_TRUE(becomes("paused"));
  EXPECT_EQ(status().reason, "once more");
}

TEST_F(EndpointRules, ResumingFromNowForgetsWhatWasHeldAndBlocked) {
  std::atomic<bool> broken{true};
  auto subscriber = std::make_shared<ScriptedSubscriber>(failing(broken));
  auto with = wishes();
  with.retry = {1ms};
  with.stop_after = 5;
  feed.append_many(40, 4);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(becomes("stopped"));
  ASSERT_TRUE(poll_until([&] { return status().in_flight == 0; }));
  broken = false;
  const auto skipped = engine->resume_from_now(id);
  ASSERT_TRUE(skipped) << skipped.error().message;
  EXPECT_EQ(skipped.value().deliveries, 40U) << "held, blocked or behind a blocked key";
  ASSERT_TRUE(settled());
  EXPECT_EQ(status().held, 0U);
  EXPECT_EQ(status().blocked_keys, 0U);
  EXPECT_EQ(subscriber->ok_count(), 0U);
  feed.append({.key = "k0"});
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 1; }));
}

}  // namespace
}  // namespace hookhost::delivery
