#include <future>
#include <atomic>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

using Stop = EngineTest;

struct Broken {
  std::atomic<bool> value{true};
  ScriptedSubscriber::Script script() {
    return [this](const Delivery&, auto&) { return value ? ScriptedSubscriber::retry("the disk is full") : ScriptedSubscriber::ok(); };
  }
};

TEST_F(Stop, TooManyExhaustedInARowStopAndAResumeDeliversThemFirstOnceInOrder) {
  Broken broken;
  auto subscriber = std::make_shared<ScriptedSubscriber>(broken.script());
  auto with = wishes();
  with.retry = {1ms};
  with.stop_after = 20;
  feed.append_many(500, 7);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_NE(status().reason.find("the disk is full"), std::string::npos);
  EXPECT_EQ(status().way_out, "hookhost plugin resume crm");
  ASSERT_TRUE(poll_until([&] { return status().in_flight == 0; }));
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::held).value() >= 20; }));
  EXPECT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::held).value() == status().held; }));
  EXPECT_TRUE(poll_until([&] {
    const auto now = feed.own_types();
    return std::count(now.begin(), now.end(), "hookhost.subscriber.stopped") == 1 && std::count(now.begin(), now.end(), "hookhost.subscriber.exhausted") == 19;
  })) << "the one that stops it is held from the first";
  broken.value = false;
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 500);
  EXPECT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::held).value() == 0; }));
  EXPECT_EQ(status().held, 0U);
  EXPECT_TRUE(poll_until([&] {
    const auto now = feed.own_types();
    return std::count(now.begin(), now.end(), "hookhost.subscriber.recovered") == 1;
  }));
}

TEST_F(Stop, StoppedAndHeldSurviveARestart) {
  Broken broken;
  auto with = wishes();
  with.retry = {1ms};
  with.stop_after = 5;
  feed.append_many(100, 3);
  open();
  attach(std::make_shared<ScriptedSubscriber>(broken.script()), with);
  ASSERT_TRUE(becomes("stopped"));
  close();
  broken.value = false;
  auto second = std::make_shared<ScriptedSubscriber>(broken.script());
  open();
  attach(second, with);
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_EQ(second->count(), 0U);
  EXPECT_GE(status().held, 5U);
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(settled());
  expect_once_in_order(second->calls(), 100);
}

TEST_F(Stop, AnOkInBetweenStartsTheCountAgainAndRejectsDoNotCount) {
  auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery& delivery, auto&) {
    switch (delivery.event->offset.value % 4) {
      case 0: return ScriptedSubscriber::ok();
      case 1: return ScriptedSubscriber::reject();
      default: return ScriptedSubscriber::retry();
    }
  });
  auto with = wishes();
  with.order_by.kind = OrderBy::Kind::all;
  with.retry = {};
  with.stop_after = 3;
  feed.append_many(100, 1);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(settled());
  EXPECT_EQ(status().dead_letters, 75U);
  EXPECT_EQ(subscriber->count(), 100U);
}

TEST_F(Stop, PauseStandsStillAndResumeGoesOn) {
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  open();
  attach(subscriber);
  feed.append_many(50, 5);
  ASSERT_TRUE(settled());
  ASSERT_TRUE(engine->pause(id));
  feed.append_many(50, 5);
  EXPECT_EQ(status().state, "paused");
  EXPECT_EQ(status().lag_events, 50U);
  EXPECT_EQ(subscriber->ok_count(), 50U);
  close();
  auto second = std::make_shared<ScriptedSubscriber>();
  open();
  attach(second);
  ASSERT_TRUE(becomes("paused"));
  EXPECT_EQ(engine->oldest_needed(), Offset{50});
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(settled());
  EXPECT_EQ(second->ok_count(), 50U);
}

TEST_F(Stop, APauseDoesNotWaitForACheckpointAndSurvivesWhatThatOneCovered) {
  auto hanging = std::make_shared<ScriptedSubscriber>(ScriptedSubscriber::Script{}, Traits{.concurrency = 1, .max_in_flight = 1, .has_checkpoint = true});
  hanging->withholds_checkpoints = true;
  open();
  attach(hanging);
  feed.append_many(1, 1);
  ASSERT_TRUE(poll_until([&] { return hanging->checkpoints_withheld == 1; }));
  ASSERT_TRUE(engine->pause(id));
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(engine->pause(id, "again"));
  // The batch that the checkpoint covers was made before, with the row of then.
  auto second = std::make_shared<ScriptedSubscriber>(ScriptedSubscriber::Script{}, Traits{.has_checkpoint = true});
  second->on_start = [](const StartRequest& request) -> Result<std::uint64_t> { return request.token + 1; };
  kill_and_open();
  attach(second);
  ASSERT_TRUE(becomes("paused"));
  EXPECT_EQ(status().reason, "again");
  ASSERT_TRUE(poll_until([&] { return status().position == Offset{1}; })) << "the subscriber had made it durable: it counts as done";
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(settled());
  EXPECT_EQ(second->count(), 0U);
}

// It would be told "unavailable" after a quarter of a minute, and the order would be carried out all the same.
TEST_F(Stop, AResumeOfAStoppedOneDoesNotWaitForACheckpoint) {
  const auto first_is_ok = [](const Delivery& delivery, auto&) { return delivery.event->offset.value == 0 ? ScriptedSubscriber::ok() : ScriptedSubscriber::retry(); };
  auto hanging = std::make_shared<ScriptedSubscriber>(first_is_ok, Traits{.concurrency = 1, .max_in_flight = 1, .has_checkpoint = true});
  hanging->withholds_checkpoints = true;
  auto with = wishes();
  with.order_by.kind = OrderBy::Kind::all;
  with.retry = {};
  with.stop_after = 3;
  open();
  feed.append_many(10, 1);
  attach(hanging, with);
  ASSERT_TRUE(becomes("stopped"));
  ASSERT_TRUE(poll_until([&] { return hanging->checkpoints_withheld == 1; }));
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(engine->resume(id));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  EXPECT_NE(status().state, "stopped");
  kill_and_open();
  EXPECT_EQ(store.load(id).value()->row.condition, state::Condition::live) << "what was answered is durable";
}

TEST_F(Stop, BlockedKeysOfADisabledOneAreShownAlsoInTheNextLife) {
  auto with = wishes();
  with.retry = {1h};
  open();
  feed.append_many(10, 5);
  attach(std::make_shared<ScriptedSubscriber>([](const Delivery&, auto&) { return ScriptedSubscriber::retry(); }), with);
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 5; }));
  ASSERT_TRUE(engine->disable(id, "for a test"));
  EXPECT_EQ(status().state, "disabled");
  EXPECT_EQ(status().blocked_keys, 5U);
  kill_and_open();
  EXPECT_EQ(status().state, "not_running") << "nobody has started it";
  EXPECT_EQ(status().blocked_keys, 5U);
  attach(std::make_shared<ScriptedSubscriber>(), with);
  ASSERT_TRUE(becomes("live"));
  EXPECT_EQ(status().blocked_keys, 5U) << "their delays are long";
}

TEST_F(Stop, DetachedKeepsItsPlaceAndComesBackAndIsForgotten) {
  open();
  attach(std::make_shared<ScriptedSubscriber>());
  feed.append_many(10, 2);
  ASSERT_TRUE(settled());
  EXPECT_FALSE(engine->forget(id)) << "it is in use";
  ASSERT_TRUE(engine->detach(id));
  EXPECT_EQ(status().state, "detached");
  feed.append_many(10, 2);
  auto back = std::make_shared<ScriptedSubscriber>();
  attach(back, StartAt{});
  ASSERT_TRUE(settled());
  EXPECT_EQ(back->ok_count(), 10U);
  ASSERT_TRUE(engine->detach(id));
  ASSERT_TRUE(engine->forget(id));
  EXPECT_FALSE(engine->status(id));
  EXPECT_TRUE(store.subscribers().value().empty());
}

TEST_F(Stop, DisabledIsNotLost) {
  open();
  attach(std::make_shared<ScriptedSubscriber>());
  feed.append_many(10, 2);
  ASSERT_TRUE(settled());
  ASSERT_TRUE(engine->disable(id, "enabled: false"));
  EXPECT_EQ(status().state, "disabled");
  EXPECT_EQ(status().reason, "enabled: false");
  feed.append_many(10, 2);
  EXPECT_EQ(engine->oldest_needed(), Offset{10});
  auto back = std::make_shared<ScriptedSubscriber>();
  attach(back);
  ASSERT_TRUE(settled());
  EXPECT_EQ(back->ok_count(), 10U);
}

TEST_F(Stop, AnAttachedOneIsReplacedWithoutGapOrDouble) {
  open();
  auto old = std::make_shared<ScriptedSubscriber>();
  attach(old);
  feed.append_many(1000, 9);
  auto fresh = std::make_shared<ScriptedSubscriber>();
  attach(fresh);
  feed.append_many(1000, 9);
  ASSERT_TRUE(poll_until([&] { return old->ok_count() + fresh->ok_count() >= 2000; }));
  ASSERT_TRUE(settled());
  auto all = old->calls();
  const auto more = fresh->calls();
  all.insert(all.end(), more.begin(), more.end());
  expect_once_in_order(all, 2000);
}

TEST_F(Stop, OneThatIsStoppedWhileItIsReplacedStaysStoppedAndCanBeForgotten) {
  std::atomic<bool> release{false};
  auto old = std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) {
    poll_until([&] { return release.load(); }, 60s);
    return ScriptedSubscriber::ok();
  });
  open();
  attach(old);
  feed.append_many(1, 1);
  ASSERT_TRUE(poll_until([&] { return status().in_flight == 1; }));
  auto fresh = std::make_shared<ScriptedSubscriber>();
  attach(fresh);  // when the call has ended
  std::atomic<bool> asked{false};
  auto stopped = std::async(std::launch::async, [&] {
    asked = true;
    return engine->disable(id, "removed", 30s);
  });
  ASSERT_TRUE(poll_until([&] { return asked.load(); }));
  for (int n = 0; n < 20; ++n) static_cast<void>(status());  // rounds of the loop: the order is taken in one of them
  release = true;
  ASSERT_TRUE(stopped.get());
  feed.append_many(3, 1);
  EXPECT_EQ(status().state, "disabled");
  EXPECT_EQ(fresh->starts(), 0);
  EXPECT_TRUE(engine->forget(id));
}

TEST_F(Stop, AStartThatFailsIsTriedAgainUnlessTheConfigurationIsWrong) {
  auto flaky = std::make_shared<ScriptedSubscriber>();
  std::atomic<int> tries{0};
  flaky->on_start = [&](const StartRequest& request) -> Result<std::uint64_t> {
    if (++tries < 3) return fail(ErrorCode::unavailable, "the database is away");
    return request.token;
  };
  feed.append_many(5, 1);
  open();
  attach(flaky);
  ASSERT_TRUE(settled());
  EXPECT_EQ(tries, 3);
  auto wrong = std::make_shared<ScriptedSubscriber>();
  wrong->on_start = [](const StartRequest&) -> Result<std::uint64_t> { return fail(ErrorCode::invalid_config, "channel: missing"); };
  attach(wrong);
  ASSERT_TRUE(becomes("failed"));
  EXPECT_EQ(status().reason, "channel: missing");
}

// A held event that fails again keeps its place before the other held ones of its key, and what was handled stays handled.
TEST_F(Stop, AHeldEventThatRetriesIsNotOvertakenByTheNextHeldOne) {
  std::atomic<int> failures{1'000'000};
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery&, auto&) {
    return failures-- > 0 ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  });
  auto with = wishes();
  with.retry = {1ms, 1ms};
  with.stop_after = 3;
  feed.append_many(10, 1);
  open();
  attach(subscriber, with);
  ASSERT_TRUE(becomes("stopped"));
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::held).value() == 3; }));
  failures = 2;  // the first held one fails twice more
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->ok_offsets(), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(status().held, 0U);
}

TEST_F(Stop, OneEventThatIsRetriedByHandAgainAndAgainIsNoRun) {
  auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery&, auto&) { return ScriptedSubscriber::retry(); });
  auto with = wishes();
  with.retry = {};
  with.stop_after = 2;
  feed.append_many(1, 1);
  open();
  attach(subscriber, with);
  for (std::size_t tries = 1; tries <= 4; ++tries) {
    ASSERT_TRUE(poll_until([&] { return subscriber->count() == tries && store.count_parked(id, state::ParkedRow::Kind::dead).value() == 1; }));
    ASSERT_TRUE(poll_until([&] { return status().dead_letters == 1 && status().pending == 0; }));
    if (tries < 4) { ASSERT_TRUE(engine->retry_dead_letter(id, 0, Offset{0})); }
  }
  EXPECT_EQ(status().failed_run, 1U);
  EXPECT_EQ(status().state, "live");
}

}  // namespace
}  // namespace hookhost::delivery
