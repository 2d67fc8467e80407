// What a subscriber that began is told of the events before its place, and what replays take off that.
#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

class EarlierEventsTest : public EngineTest {
 protected:
  ReplayRequest from_beginning() const { return {.subscriber = id, .from = {.kind = StartAt::Kind::beginning}, .yes = true}; }
  bool done(state::StreamId replay) {
    return poll_until([&] { return engine->replay(replay).value().state == "done"; });
  }
};

TEST_F(EarlierEventsTest, OfManyThatBeginTogetherEachIsToldItsOwnCount) {
  feed.append_many(40, 4);
  open();
  const auto begin = [&](const std::string& name, std::vector<Pattern> events, Earlier earlier) {
    SubscriberOptions one;
    one.id = SubscriberId{name};
    one.events = std::move(events);
    ASSERT_TRUE(engine->accept(one.id, "plugin", {}, earlier));
    ASSERT_TRUE(engine->attach(one, std::make_shared<ScriptedSubscriber>()));
  };
  for (int n = 0; n < 20; ++n) begin("all" + std::to_string(n), {Pattern{}}, Earlier::counted);
  begin("other", {parse_pattern("another.type", false).value()}, Earlier::counted);
  begin("not_asked", {Pattern{}}, Earlier::ignored);
  feed.append_many(10, 4);
  begin("late", {Pattern{}}, Earlier::counted);
  const auto earlier = [&](const std::string& name) { return engine->status(SubscriberId{name}).value().earlier_events; };
  EXPECT_TRUE(poll_until([&] { return earlier("late") == 50; }));
  for (int n = 0; n < 20; ++n) EXPECT_EQ(earlier("all" + std::to_string(n)), 40U);
  EXPECT_EQ(earlier("other"), 0U);
  EXPECT_EQ(earlier("not_asked"), 0U);
}

TEST_F(EarlierEventsTest, ReplaysThatAreDoneLeaveNothingToTell) {
  feed.append_many(30, 3);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, StartAt{});
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] { return status().earlier_events == 30; }));
  auto request = from_beginning();
  request.from = {.kind = StartAt::Kind::offset, .offset = Offset{20}};
  ASSERT_TRUE(done(engine->replay_start(request).value()));
  EXPECT_TRUE(poll_until([&] { return status().earlier_events == 20; })) << status().earlier_events;
  request = from_beginning();
  request.until = StartAt{.kind = StartAt::Kind::offset, .offset = Offset{20}};
  ASSERT_TRUE(done(engine->replay_start(request).value()));
  EXPECT_TRUE(poll_until([&] { return status().earlier_events == 0; })) << status().earlier_events;
}

TEST_F(EarlierEventsTest, AfterAResetAllBeforeItsPlaceAreEarlier) {
  feed.append_many(30, 3);
  open();
  attach(std::make_shared<ScriptedSubscriber>());
  ASSERT_TRUE(settled());
  const auto reset_from = [&](std::uint64_t from) {
    auto request = from_beginning();
    request.reset = true;
    request.from = {.kind = StartAt::Kind::offset, .offset = Offset{from}};
    const auto replay = engine->replay_start(request);
    ASSERT_TRUE(replay) << replay.error().text();
    ASSERT_TRUE(done(replay.value()));
  };
  for (const std::uint64_t from : {30U, 12U, 0U}) {
    ASSERT_NO_FATAL_FAILURE(reset_from(from));
    EXPECT_TRUE(poll_until([&] { return status().earlier_events == from; })) << status().earlier_events << " instead of " << from;
  }
}

TEST_F(EarlierEventsTest, AReplayTakesOffOnlyWhatItHandedOver) {
  feed.append_many(30, 3);
  open();
  auto subscriber = std::make_shared<ScriptedSubscriber>();
  attach(subscriber, StartAt{});
  ASSERT_TRUE(settled());
  feed.append_many(10, 3);
  ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() == 10 && status().earlier_events == 30; }));
  auto request = from_beginning();
  const auto leaves = [&](std::uint64_t from, std::optional<std::uint64_t> until, std::uint64_t left) {
    request.from = {.kind = StartAt::Kind::offset, .offset = Offset{from}};
    request.until = until ? std::optional(StartAt{.kind = StartAt::Kind::offset, .offset = Offset{*until}}) : std::nullopt;
    const auto replay = engine->replay_start(request);
    ASSERT_TRUE(replay) << replay.error().text();
    ASSERT_TRUE(done(replay.value()));
    EXPECT_TRUE(poll_until([&] { return status().earlier_events == left; })) << status().earlier_events << " instead of " << left;
  };
  ASSERT_NO_FATAL_FAILURE(leaves(25, {}, 25)) << "the ten behind its place are no earlier ones";
  ASSERT_NO_FATAL_FAILURE(leaves(20, 28, 20)) << "some for the second time";
  ASSERT_NO_FATAL_FAILURE(leaves(5, 8, 17)) << "amid them";
  request.key = "k1";
  ASSERT_NO_FATAL_FAILURE(leaves(8, 20, 13)) << "of one key";
  request.key.reset();
  ASSERT_NO_FATAL_FAILURE(leaves(0, {}, 0));
}

}  // namespace
}  // namespace hookhost::delivery
