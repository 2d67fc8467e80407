#include <atomic>
#include <future>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

using StartingPlace = EngineTest;

TEST_F(StartingPlace, NowIsTheDefaultAndTellsWhatCameBefore) {
  feed.append_many(40, 4);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, StartAt{});
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->count(), 0U);
  EXPECT_TRUE(poll_until([&] { return status().earlier_events == 40; }));
  feed.append_many(1, 1);
  EXPECT_TRUE(poll_until([&] { return subscriber->ok_offsets() == std::vector<std::uint64_t>{40}; }));
}

TEST_F(StartingPlace, AnOffsetATimeAndAnAge) {
  feed.append_many(40, 1);
  open();
  EXPECT_EQ(engine->accept(SubscriberId{"a"}, "plugin", {.kind = StartAt::Kind::offset, .offset = Offset{7}}).value().position, Offset{7});
  EXPECT_FALSE(engine->accept(SubscriberId{"b"}, "plugin", {.kind = StartAt::Kind::offset, .offset = Offset{41}}));
  const auto time = test::FakeFeed::start_ + 30s;
  EXPECT_EQ(engine->accept(SubscriberId{"c"}, "plugin", {.kind = StartAt::Kind::time, .time = time}).value().position, Offset{30});
  const auto age = clock().wall() - time + 500ms;
  EXPECT_EQ(engine->accept(SubscriberId{"d"}, "plugin", {.kind = StartAt::Kind::age, .age = age}).value().position, Offset{30});
}

TEST_F(StartingPlace, WhoseFormerOneIsLostMissesNothing) {
  feed.append_many(40, 1);
  feed.remove_before(Offset{10});
  open();
  using Kind = StartAt::Kind;
  const auto place = [&](const char* name, StartAt at) {
    at.position_lost = true;
    const auto accepted = engine->accept(SubscriberId{name}, "plugin", at);
    return accepted ? std::pair(accepted.value().position.value, state::to_string(accepted.value().condition)) : std::pair(UINT64_MAX, std::string_view());
  };
  const auto live = [](std::uint64_t offset) { return std::pair(offset, std::string_view("live")); };
  EXPECT_EQ(place("now", {}), live(10));
  EXPECT_EQ(place("hold", {.kind = Kind::hold}), std::pair(std::uint64_t{10}, std::string_view("held")));
  EXPECT_EQ(place("age", {.kind = Kind::age, .age = 1s}), live(10));
  EXPECT_EQ(place("beginning", {.kind = Kind::beginning}), live(10));
  EXPECT_EQ(place("offset", {.kind = Kind::offset, .offset = Offset{17}}), live(17));
  EXPECT_EQ(place("beyond", {.kind = Kind::offset, .offset = Offset{41}}), live(10)) << "of an event log that is lost too";
  EXPECT_EQ(place("time", {.kind = Kind::time, .time = test::FakeFeed::start_ + 30s}), live(30));
}

TEST_F(StartingPlace, IsResolvedOnceAndStoredBeforeAnythingIsLoaded) {
  feed.append_many(10, 1);
  open();
  const auto first = engine->accept(id, "plugin", StartAt{});
  ASSERT_TRUE(first);
  EXPECT_TRUE(first.value().first_time);
  feed.append_many(10, 1);
  kill_and_open();
  const auto again = engine->accept(id, "plugin", StartAt{});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again.value().first_time);
  EXPECT_EQ(again.value().position, Offset{10});
}

TEST_F(StartingPlace, HoldIsFedNothingUntilAResume) {
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, {.kind = StartAt::Kind::hold});
  feed.append_many(10, 1);
  ASSERT_TRUE(becomes("held"));
  ASSERT_TRUE(poll_until([&] { return subscriber->starts() == 1; })) << "it is loaded and shown";
  EXPECT_EQ(subscriber->count(), 0U);
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->ok_count(), 10U);
}

TEST_F(StartingPlace, WithoutAnInstanceOrHeldItTellsHowLongItsNextEventWaits) {
  open();
  ASSERT_TRUE(engine->accept(id, "plugin", {.kind = StartAt::Kind::hold}));
  EXPECT_EQ(status().lag, Duration::zero());
  feed.append_many(10, 1);
  ASSERT_TRUE(poll_until([&] { return status().lag_events == 10; }));
  const auto alone = status().lag;
  EXPECT_GT(alone, Duration::zero());
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, {.kind = StartAt::Kind::hold});
  ASSERT_TRUE(poll_until([&] { return subscriber->starts() == 1; }));
  EXPECT_GE(status().lag, alone) << "held";
  for (const auto& one : engine->status()) EXPECT_GE(one.lag, alone) << "of all, too";
  ASSERT_TRUE(engine->resume(id));
  ASSERT_TRUE(settled());
  EXPECT_EQ(status().lag, Duration::zero());
}

TEST_F(StartingPlace, WhoAttachesIsToldOnceHowTheFirstStartEnded) {
  open();
  ASSERT_TRUE(engine->accept(id, "plugin", {.kind = StartAt::Kind::hold}));
  const auto told = [&](std::function<Result<std::uint64_t>(const StartRequest&)> on_start) {
    auto subscriber = std::make_shared<ScriptedSubscriber>();
    subscriber->on_start = std::move(on_start);
    std::promise<Result<>> end;
    EXPECT_TRUE(engine->attach(wishes(), subscriber, 1s, [&](const Result<>& result) { end.set_value(result); }));
    return end.get_future().get();
  };
  EXPECT_TRUE(told({}));
  EXPECT_EQ(status().start_error, "");
  const auto refused = told([](const auto&) { return fail(ErrorCode::invalid_config, "no such channel"); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_config);
  EXPECT_EQ(status().start_error, "no such channel");
  EXPECT_EQ(status().state, "held") << "whatever becomes of the instance";
  std::atomic<int> tries{0};
  const auto later = told([&](const StartRequest& request) -> Result<std::uint64_t> {
    if (++tries == 1) return fail(ErrorCode::unavailable, "not yet");
    return request.token;
  });
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(poll_until([&] { return tries == 2 && status().start_error.empty(); })) << "it is tried again";
}

TEST_F(StartingPlace, EventsThatRetentionTookAreAGap) {
  feed.append_many(100, 4);
  open();
  ASSERT_TRUE(engine->accept(id, "plugin", {.kind = StartAt::Kind::beginning}));
  feed.remove_before(Offset{60});
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber);
  ASSERT_TRUE(settled());
  EXPECT_EQ(subscriber->ok_count(), 40U);
  ASSERT_TRUE(poll_until([&] { return store.gaps(id).value().size() == 1; }));
  EXPECT_EQ(status().gaps, 1U);
  ASSERT_TRUE(engine->acknowledge_gaps(id));
  EXPECT_EQ(status().gaps, 0U);
}

// delivery.db is ahead of the event log, which came from an older copy: what is new there must not be passed over.
TEST_F(StartingPlace, BeyondTheEndIsNotTrusted) {
  feed.append_many(10, 1);
  open();
  ASSERT_TRUE(engine->accept(id, "plugin", {.kind = StartAt::Kind::beginning}));
  close();
  ASSERT_TRUE(store.commit_now({.subscriber = id, .position = state::Position{Offset{12}, {Offset{14}, Offset{15}}}}));
  open();
  EXPECT_EQ(status().position, Offset{10});
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber);
  feed.append_many(7, 1);
  EXPECT_TRUE(poll_until([&] { return subscriber->ok_offsets() == std::vector<std::uint64_t>{10, 11, 12, 13, 14, 15, 16}; }));
}

}  // namespace
}  // namespace hookhost::delivery
