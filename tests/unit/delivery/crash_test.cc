// Attempts that ended the process: counted by the next life, told when the event's turn comes.
#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

class Crash : public EngineTest {
 protected:
  // The host dies in a call of that event and the next one counts it.
  void crash_and_open(Offset offset, std::uint32_t attempt, std::uint32_t crashes_before, std::uint64_t life, int times_told = 1) {
    kill_and_open();
    for (int told = 0; told < times_told; ++told) count(offset, attempt, crashes_before, life);
  }
  void count(Offset offset, std::uint32_t attempt, std::uint32_t crashes_before, std::uint64_t life) {
    state::CrashRow row;
    row.offset = offset;
    row.attempt = attempt;
    row.crashes = crashes_before + 1;
    row.cause = "SIGSEGV";
    row.life = life;
    const auto counted = engine->count_crash(id, row);
    ASSERT_TRUE(counted) << counted.error().text();
    EXPECT_EQ(counted.value(), crashes_before + 1);
  }
  // Handles everything but `poison`, whose calls never come back; records what they were handed with.
  std::shared_ptr<ScriptedSubscriber> deadly(Offset poison) {
    return std::make_shared<ScriptedSubscriber>([this, poison](const Delivery& delivery, auto&) {
      if (delivery.event->offset != poison) return ScriptedSubscriber::ok();
      const std::lock_guard lock(mutex);
      handed.emplace_back(delivery.attempt.value, delivery.crashes);
      return ScriptedSubscriber::unavailable();  // the nearest to a call that says nothing: nothing is counted
    });
  }
  bool was_handed(std::uint32_t attempt, std::uint32_t crashes) {
    return poll_until([&] {
      const std::lock_guard lock(mutex);
      return std::find(handed.begin(), handed.end(), std::pair(attempt, crashes)) != handed.end();
    });
  }
  std::optional<state::ParkedRow> dead_letter(Offset offset) { return store.parked_one(id, state::kMainStream, offset).value(); }
  bool dies(Offset offset) {
    return poll_until([&] { return dead_letter(offset).has_value(); });
  }

  std::mutex mutex;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> handed;
};

TEST_F(Crash, ThreeLivesOnOneEventMakeItADeadLetterAndEverythingElseFlows) {
  feed.append_many(20, 4);
  open();
  attach(deadly(Offset{5}));
  ASSERT_TRUE(was_handed(1, 0));
  crash_and_open(Offset{5}, 1, 0, 101);
  attach(deadly(Offset{5}));
  ASSERT_TRUE(was_handed(2, 1));
  crash_and_open(Offset{5}, 2, 1, 102);
  attach(deadly(Offset{5}));
  ASSERT_TRUE(was_handed(3, 2));
  crash_and_open(Offset{5}, 3, 2, 103);
  const auto last = deadly(Offset{5});
  attach(last);
  ASSERT_TRUE(dies(Offset{5}));
  ASSERT_TRUE(settled());
  EXPECT_EQ(dead_letter(Offset{5})->reason, "crashed");
  EXPECT_EQ(dead_letter(Offset{5})->attempts, 3U);
  EXPECT_EQ(dead_letter(Offset{5})->last_error, "SIGSEGV");
  for (const auto& call : last->calls()) EXPECT_NE(call.offset, Offset{5}) << "it is not handed out again";
  const auto attempts = store.attempts(id, {.offset = Offset{5}}).value();
  EXPECT_EQ(std::count_if(attempts.begin(), attempts.end(), [](const auto& row) { return row.outcome == "crashed"; }), 3);
  EXPECT_TRUE(store.load(id).value()->crashes.empty()) << "told, so forgotten";
}

TEST_F(Crash, OfOneLifeCountsOnceHoweverOftenItIsTold) {
  feed.append_many(10, 2);
  open();
  attach(deadly(Offset{3}));
  ASSERT_TRUE(was_handed(1, 0));
  crash_and_open(Offset{3}, 1, 0, 101, 5);
  kill_and_open();  // between the counting and the forgetting
  count(Offset{3}, 1, 0, 101);
  attach(deadly(Offset{3}));
  ASSERT_TRUE(was_handed(2, 1));
  EXPECT_FALSE(dead_letter(Offset{3}));
}

TEST_F(Crash, IsARetryThatWaitsAndHoldsBackItsKeyOnly) {
  feed.append_many(12, 3);
  auto with = wishes();
  with.retry = {1h, 1h, 1h};
  open();
  const auto subscriber = std::make_shared<ScriptedSubscriber>();
  ASSERT_TRUE(engine->accept(id, "plugin", {.kind = StartAt::Kind::beginning}));
  count(Offset{1}, 1, 0, 101);
  attach(subscriber, with);
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 8; })) << subscriber->ok_count();
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1; }));
  const auto waits = engine->deliveries({.subscriber = id, .state = "blocked"});
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_EQ(waits[0].offset, Offset{1});
  EXPECT_EQ(waits[0].attempts, 1U);
  EXPECT_EQ(waits[0].last_outcome, "crashed");
  ASSERT_TRUE(engine->retry_now(id, Offset{1}));
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 12);
}

TEST_F(Crash, OfALostInstanceIsCountedOverADeathOfTheHost) {
  feed.append_many(10, 2);
  open();
  auto with = wishes();
  with.retry = {1h, 1h, 1h};
  const auto subscriber = std::make_shared<ScriptedSubscriber>();
  auto holder = std::make_shared<std::weak_ptr<ScriptedSubscriber>>();
  const auto dying = std::make_shared<ScriptedSubscriber>([holder](const Delivery& delivery, auto&) {
    if (delivery.event->offset == Offset{4}) {
      if (const auto self = holder->lock()) self->die("the worker died", {delivery.id});
    }
    return ScriptedSubscriber::ok();
  });
  *holder = dying;
  attach(dying, with);
  ASSERT_TRUE(poll_until([&] { return !store.load(id).value()->crashes.empty() || store.lane_rows(id) > 0; }));
  kill_and_open();
  attach(subscriber, with);
  ASSERT_TRUE(poll_until([&] {
    const auto waits = engine->deliveries({.subscriber = id, .state = "blocked"});
    return waits.size() == 1 && waits[0].offset == Offset{4} && waits[0].last_outcome == "crashed";
  }));
}

TEST_F(Crash, OfEventsInARowStopTheSubscriberAndTheyAreHeld) {
  feed.append_many(6, 6);
  auto with = wishes();
  with.stop_after = 2;
  open();
  ASSERT_TRUE(engine->accept(id, "plugin", {.kind = StartAt::Kind::beginning}));
  count(Offset{0}, 3, 2, 101);
  count(Offset{1}, 3, 2, 102);
  attach(std::make_shared<ScriptedSubscriber>([](const Delivery&, auto&) { return ScriptedSubscriber::unavailable(); }), with);
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::held).value() == 2; }));
}

// Its attempts stand in no lane's row: without the crash's own, two such events would crash in turns for ever.
TEST_F(Crash, OfAHeldEventBeforeAnotherOneOfItsKeyIsNotForgotten) {
  feed.append_many(4, 1);
  auto with = wishes();
  with.retry = {1ms};
  with.stop_after = 2;
  open();
  std::atomic<bool> broken{true};
  const auto script = [&broken](const Delivery& delivery, auto&) {
    return broken ? ScriptedSubscriber::retry() : delivery.event->offset == Offset{0} ? ScriptedSubscriber::unavailable() : ScriptedSubscriber::ok();
  };
  attach(std::make_shared<ScriptedSubscriber>(script), with);
  ASSERT_TRUE(becomes("stopped"));
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::held).value() == 2; }));
  broken = false;
  with.stop_after = 0;
  with.retry = {1h, 1h, 1h};
  ASSERT_TRUE(engine->resume(id));
  crash_and_open(Offset{0}, 1, 0, 101);
  attach(std::make_shared<ScriptedSubscriber>(script), with);
  const auto is_told = [&] {
    return poll_until([&] {
      const auto waits = engine->deliveries({.subscriber = id, .state = "blocked"});
      return std::any_of(waits.begin(), waits.end(), [](const auto& one) { return one.offset == Offset{0} && one.last_outcome == "crashed"; });
    });
  };
  ASSERT_TRUE(is_told());
  kill_and_open();  // nothing to count this time
  attach(std::make_shared<ScriptedSubscriber>(script), with);
  EXPECT_TRUE(is_told());
}

TEST_F(Crash, OfASubscriberThatIsForgottenIsNotFound) {
  open();
  const auto counted = engine->count_crash(SubscriberId{"gone"}, {});
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace hookhost::delivery
