#include <atomic>
#include <set>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

class Replay : public EngineTest {
 protected:
  ReplayRequest from_beginning() const {
    ReplayRequest request;
    request.subscriber = id;
    request.from.kind = StartAt::Kind::beginning;
    request.yes = true;
    return request;
  }
  bool done(state::StreamId replay) {
    return poll_until([&] { return engine->replay(replay).value().state == "done"; }, 60s);
  }
};

TEST_F(Replay, IntoAHeldSubscriberHandlesEachOnceThenIsLive) {
  feed.append_many(2000, 13);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, {.kind = StartAt::Kind::hold});
  ASSERT_TRUE(becomes("held"));
  ASSERT_TRUE(poll_until([&] { return subscriber->starts() == 1; }));
  feed.append_many(500, 13);
  const auto plan = engine->replay_plan(from_beginning());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan.value().matching, 2000U);
  EXPECT_EQ(plan.value().live, LiveMode::wait);
  std::optional<state::StreamId> replay;
  ASSERT_TRUE(poll_until([&] {
    auto started = engine->replay_start(from_beginning());
    if (started) replay = started.value();
    return started.has_value();
  }));
  feed.append_many(500, 13);
  ASSERT_TRUE(done(*replay));
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 3000);
  for (const auto& call : subscriber->calls()) EXPECT_EQ(call.replay, call.offset < Offset{2000});
  const auto end = engine->replay(*replay).value();
  EXPECT_EQ(end.handled, 2000U);
  EXPECT_EQ(end.total, 2000U);
}

TEST_F(Replay, BesideLiveNeitherDelaysItNorRunsTwoOfAKeyAtOnce) {
  feed.append_many(1000, 7);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber);
  ASSERT_TRUE(settled());
  const auto plan = engine->replay_plan(from_beginning()).value();
  EXPECT_EQ(plan.live, LiveMode::carry_on);
  const auto replay = engine->replay_start(from_beginning());
  ASSERT_TRUE(replay) << replay.error().text();
  feed.append_many(1000, 7);
  ASSERT_TRUE(done(replay.value()));
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->ok_count(), 3000U);
  std::size_t replayed = 0;
  for (const auto& call : subscriber->calls()) replayed += call.replay ? 1 : 0;
  EXPECT_EQ(replayed, 1000U);
}

TEST_F(Replay, OneThatIsCancelledWhileItReadsHoldsUpNoOther) {
  feed.append_many(100, 5);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber);
  ASSERT_TRUE(settled());
  feed.close_gate();
  const auto cancelled = engine->replay_start(from_beginning());
  ASSERT_TRUE(cancelled) << cancelled.error().text();
  EXPECT_TRUE(poll_until([&] { return feed.waiting_at_gate() == 1; }));
  ASSERT_TRUE(engine->replay_cancel(cancelled.value()));
  const auto next = engine->replay_start(from_beginning());
  ASSERT_TRUE(next) << next.error().text();
  feed.open_gate();
  EXPECT_TRUE(done(next.value()));
  EXPECT_EQ(subscriber->ok_count(), 200U);
}

TEST_F(Replay, TypesKeyIdAndUntilNarrowIt) {
  for (int n = 0; n < 60; ++n) feed.append({.key = "k" + std::to_string(n % 3), .type = n % 2 == 0 ? "a.x" : "b.x"});
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, StartAt{});
  ASSERT_TRUE(settled());
  auto request = from_beginning();
  request.types = {parse_pattern("a.*", true).value()};
  request.key = "k1";
  request.until = StartAt{.kind = StartAt::Kind::offset, .offset = Offset{30}};
  ASSERT_EQ(engine->replay_plan(request).value().matching, 5U);
  ASSERT_TRUE(done(engine->replay_start(request).value()));
  EXPECT_EQ(subscriber->ok_offsets(), (std::vector<std::uint64_t>{4, 10, 16, 22, 28}));
  request = from_beginning();
  request.id = EventId{"evt_9"};
  ASSERT_TRUE(done(engine->replay_start(request).value()));
  EXPECT_EQ(subscriber->ok_offsets().back(), 9U);
}

TEST_F(Replay, ARetryingKeyOfAWaitingReplayHoldsBackThatKeyInLiveOnly) {
  std::atomic<bool> broken{true};
  feed.append_many(100, 5);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery& delivery, auto&) {
    return broken && delivery.event->offset == Offset{2} ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  });
  auto with = wishes();
  with.retry = Schedule(100'000, 2ms);
  attach(subscriber, with, StartAt{});
  ASSERT_TRUE(settled());
  const auto replay = engine->replay_start(from_beginning());
  ASSERT_TRUE(replay);
  feed.append_many(100, 5);
  EXPECT_TRUE(poll_until([&] { return subscriber->ok_count() == 160; })) << subscriber->ok_count();
  EXPECT_TRUE(poll_until([&] { return engine->replay(replay.value()).value().state == "blocked"; }));
  broken = false;
  ASSERT_TRUE(done(replay.value()));
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 200);
}

TEST_F(Replay, CancelStopsItAndResumeGoesOn) {
  std::atomic<bool> slow{true};
  feed.append_many(3000, 11);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, StartAt{});
  ASSERT_TRUE(settled());
  auto request = from_beginning();
  request.rate = 2000;
  const auto replay = engine->replay_start(request).value();
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() >= 20; }));
  EXPECT_FALSE(engine->replay_start(from_beginning())) << "another one runs";
  ASSERT_TRUE(engine->replay_cancel(replay));
  EXPECT_EQ(engine->replay(replay).value().state, "cancelled");
  const auto before = subscriber->ok_count();
  EXPECT_LT(before, 3000U);
  feed.append_many(10, 11);
  ASSERT_TRUE(settled()) << "live goes on";
  EXPECT_EQ(subscriber->ok_count(), before + 10);
  ASSERT_TRUE(engine->replay_resume(replay));
  ASSERT_TRUE(done(replay));
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->ok_count(), 3010U);
  std::set<std::uint64_t> once;
  for (const auto offset : subscriber->ok_offsets()) EXPECT_TRUE(once.insert(offset).second) << offset;
}

TEST_F(Replay, GoesOnAfterARestartAtItsPosition) {
  feed.append_many(2000, 11);
  open();
  auto first = std::make_shared<ScriptedSubscriber>();
  attach(first, StartAt{});
  ASSERT_TRUE(settled());
  auto request = from_beginning();
  request.rate = 5000;
  const auto replay = engine->replay_start(request).value();
  ASSERT_TRUE(poll_until([&] { return first->ok_count() >= 50; }));
  close();
  feed.append_many(100, 11);
  auto second = std::make_shared<ScriptedSubscriber>();
  open();
  attach(second, StartAt{});
  ASSERT_TRUE(done(replay));
  ASSERT_TRUE(settled());
  auto all = first->calls();
  const auto more = second->calls();
  all.insert(all.end(), more.begin(), more.end());
  expect_once_in_order(all, 2100);
}

TEST_F(Replay, ResetClearsStateAndStartsOver) {
  auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery& delivery, std::vector<state::KvWrite>& kv) {
    kv.push_back({"last", std::to_string(delivery.event->offset.value)});
    return ScriptedSubscriber::ok();
  });
  feed.append_many(300, 5);
  open();
  attach(subscriber);
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] { return store.kv(id).contains("last"); }));
  auto request = from_beginning();
  request.reset = true;
  request.live = LiveMode::carry_on;
  EXPECT_FALSE(engine->replay_plan(request)) << "a reset waits";
  request.live.reset();
  const auto replay = engine->replay_start(request);
  ASSERT_TRUE(replay) << replay.error().text();
  feed.append_many(50, 5);
  ASSERT_TRUE(done(replay.value()));
  ASSERT_TRUE(settled());
  EXPECT_TRUE(subscriber->reset_seen());
  EXPECT_EQ(subscriber->ok_count(), 650U);
  EXPECT_TRUE(poll_until([&] { return !store.load(id).value()->row.reset_pending; }));
}

TEST_F(Replay, AResetWithNothingToReadIsDoneAtOnce) {
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, {.kind = StartAt::Kind::hold});
  ASSERT_TRUE(becomes("held"));
  feed.append_many(100, 5);  // at and above its position
  auto request = from_beginning();
  request.reset = true;
  const auto replay = engine->replay_start(request);
  ASSERT_TRUE(replay) << replay.error().text();
  const auto shown = engine->replay(replay.value());
  ASSERT_TRUE(shown) << shown.error().text();
  EXPECT_EQ(shown.value().state, "done");
  EXPECT_EQ(shown.value().total, 0U);
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 100);
}

TEST_F(Replay, OnReplayDecidesWhatIsRefused) {
  feed.append_many(20, 2);
  open();
  auto strict = std::make_shared<ScriptedSubscriber>(
      ScriptedSubscriber::Script{}, Traits{.concurrency = 1, .max_in_flight = 8, .on_replay = Traits::OnReplay::reset_only});
  attach(strict);
  ASSERT_TRUE(settled());
  const auto refused = engine->replay_start(from_beginning());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::refused);
  EXPECT_NE(refused.error().message.find("--reset"), std::string::npos);
  EXPECT_TRUE(engine->replay_plan(from_beginning())) << "a dry run is never refused";
  auto asking = std::make_shared<ScriptedSubscriber>();
  attach(asking);
  ASSERT_TRUE(poll_until([&] { return asking->starts() == 1 && status().state == "live"; }));
  auto request = from_beginning();
  request.yes = false;
  const auto unconfirmed = engine->replay_start(request);
  ASSERT_FALSE(unconfirmed);
  EXPECT_NE(unconfirmed.error().message.find("--yes"), std::string::npos);
}

TEST_F(Replay, ThatWasCancelledDoesNotGoOnBehindLiveEventsOfOneThatIsResetOnly) {
  feed.append_many(1000, 3);
  open();
  auto strict = std::make_shared<ScriptedSubscriber>(
      ScriptedSubscriber::Script{}, Traits{.concurrency = 1, .max_in_flight = 8, .on_replay = Traits::OnReplay::reset_only});
  attach(strict, {.kind = StartAt::Kind::hold});
  ASSERT_TRUE(poll_until([&] { return strict->starts() == 1 && status().state == "held"; }));
  auto request = from_beginning();
  request.rate = 2000;
  std::optional<state::StreamId> replay;
  ASSERT_TRUE(poll_until([&] {
    auto started = engine->replay_start(request);
    if (started) replay = started.value();
    return started.has_value();
  }));
  ASSERT_TRUE(poll_until([&] { return strict->ok_count() >= 20; }));
  ASSERT_TRUE(engine->replay_cancel(*replay));
  feed.append_many(10, 3);
  ASSERT_TRUE(settled());
  EXPECT_EQ(engine->replay(*replay).value().way_out, "hookhost replay crm --from 0 --reset starts over");
  const auto handled = strict->ok_count();
  const auto refused = engine->replay_resume(*replay);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::refused);
  EXPECT_NE(refused.error().message.find("--reset"), std::string::npos) << refused.error().message;
  EXPECT_EQ(strict->ok_count(), handled);
  request.reset = true;
  request.rate = 0;
  ASSERT_TRUE(done(engine->replay_start(request).value())) << "the way out";
}

TEST_F(Replay, FromBeyondThePositionMovesOneThatHasHandledNothing) {
  feed.append_many(10, 2);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, {.kind = StartAt::Kind::hold});
  ASSERT_TRUE(poll_until([&] { return subscriber->starts() == 1; }));
  feed.append_many(10, 2);
  auto request = from_beginning();
  request.from = StartAt{.kind = StartAt::Kind::offset, .offset = Offset{15}};
  ASSERT_TRUE(engine->replay_start(request));
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->ok_count(), 5U);
}

TEST_F(Replay, KvIsNotWritableBesideLive) {
  feed.append_many(20, 2);
  open();
  std::atomic<int> writable{0};
  auto subscriber = std::make_shared<ScriptedSubscriber>([&](const Delivery& delivery, auto&) {
    if (delivery.replay && delivery.kv_writable) ++writable;
    return ScriptedSubscriber::ok();
  });
  attach(subscriber);
  ASSERT_TRUE(settled());
  ASSERT_TRUE(done(engine->replay_start(from_beginning()).value()));
  EXPECT_EQ(writable, 0);
  auto request = from_beginning();
  request.live = LiveMode::wait;
  ASSERT_TRUE(done(engine->replay_start(request).value()));
  EXPECT_EQ(writable, 20);
}

TEST_F(Replay, BesideLiveEndsAsFailedWhenACallInsistsOnKv) {
  feed.append_many(50, 5);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  subscriber->refuses_without_kv = true;
  attach(subscriber);
  ASSERT_TRUE(settled());
  const auto replay = engine->replay_start(from_beginning());
  ASSERT_TRUE(replay) << replay.error().text();
  ASSERT_TRUE(poll_until([&] { return engine->replay(replay.value()).value().state == "failed"; }));
  EXPECT_NE(engine->replay(replay.value()).value().reason.find("--reset"), std::string::npos);
  feed.append_many(50, 5);
  ASSERT_TRUE(settled()) << "live goes on";
  EXPECT_TRUE(poll_until([&] { return store.lane_rows(id) == 0; })) << "it does not go on, so it owes nothing";
  EXPECT_FALSE(engine->replay_resume(replay.value()));
}

TEST_F(Replay, BesideLiveIsRefusedForASubscriberThatKeepsKv) {
  feed.append_many(20, 2);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery&, std::vector<state::KvWrite>& kv) {
    kv.push_back({"seen", "1"});
    return ScriptedSubscriber::ok();
  });
  attach(subscriber);
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] { return store.kv(id).contains("seen"); }));
  const auto refused = engine->replay_start(from_beginning());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::refused);
  EXPECT_NE(refused.error().message.find("--reset"), std::string::npos);
  auto request = from_beginning();
  request.live = LiveMode::wait;
  ASSERT_TRUE(done(engine->replay_start(request).value()));
  request = from_beginning();
  request.reset = true;
  ASSERT_TRUE(done(engine->replay_start(request).value()));
}

TEST_F(Replay, AResetThatIsAskedForWhileTheInstanceStartsIsCarriedOut) {
  feed.append_many(10, 2);
  open();
  std::atomic<bool> release{false};
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  subscriber->on_start = [&](const StartRequest& request) -> Result<std::uint64_t> {
    poll_until([&] { return release.load(); });
    return request.token;
  };
  attach(subscriber);
  ASSERT_TRUE(becomes("starting"));
  auto request = from_beginning();
  request.from = {.kind = StartAt::Kind::offset, .offset = Offset{5}};
  request.reset = true;
  std::thread asking([&] { EXPECT_TRUE(engine->replay_start(request)); });
  release = true;
  asking.join();
  ASSERT_TRUE(settled());
  EXPECT_TRUE(subscriber->reset_seen());
}

}  // namespace
}  // namespace hookhost::delivery
