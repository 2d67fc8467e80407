// What a plugin may do wrong while it runs, and what the host makes of it. Those which end the process (a segmentation fault, exit, abort)
// need a worker process to be survived.
#include <future>

#include "base/bytes.h"
#include "unit/plugins/plugin_fixture.h"

namespace hookhost::plugins {
namespace {

using namespace std::chrono_literals;
using delivery::Status;

class HostileTest : public PluginTest {
 protected:
  void SetUp() override {
    auto loaded = load(file("test_hostile"));
    ASSERT_TRUE(loaded) << loaded.error().message;
    library_ = loaded.value();
  }
  delivery::Outcome one(const std::string& mode, Duration timeout = 60s) {
    Hostile plugin(library_, mode);
    EXPECT_TRUE(plugin.start());
    plugin.submit(1, timeout);
    return plugin.answer(1).outcome;
  }
  std::shared_ptr<const Library> library_;
};

TEST_F(HostileTest, WhatIsThrownIsRetry) {
  for (const char* mode : {"throws", "throws_int"}) {
    const auto outcome = one(mode);
    EXPECT_EQ(outcome.status, Status::retry) << mode;
    EXPECT_TRUE(outcome.misbehaved) << mode;
  }
}

TEST_F(HostileTest, WrongAnswersAreRetryAndMisbehaviour) {
  for (const char* mode : {"garbage", "defers_without_defer", "defers_and_answers", "defers_garbage"}) {
    const auto outcome = one(mode);
    EXPECT_EQ(outcome.status, Status::retry) << mode;
    EXPECT_TRUE(outcome.misbehaved) << mode;
    EXPECT_TRUE(is_valid_utf8(outcome.error)) << mode;
  }
}

TEST_F(HostileTest, ItsOwnDelayAndTextAreKept) {
  const auto outcome = one("own_delay");
  EXPECT_EQ(outcome.status, Status::retry);
  EXPECT_EQ(outcome.retry_after, Duration{5s});
  EXPECT_EQ(outcome.error, "later");
}

TEST_F(HostileTest, AnOddErrorIsMadeTextAndCut) {
  const auto outcome = one("odd_answer");
  EXPECT_EQ(outcome.status, Status::unavailable);
  EXPECT_TRUE(is_valid_utf8(outcome.error)) << "it stands in JSON and in delivery.db";
  EXPECT_EQ(outcome.error.size(), 1024U);
}

TEST_F(HostileTest, MetricsOfAnotherFormAreLeftOutAndTheirNumberIsBounded) {
  const auto metrics = std::make_shared<PluginMetrics>();
  Hostile plugin(library_, "odd_metrics");
  plugin.subscriber = make_subscriber(library_, plugin.settings("odd_metrics"), metrics, system_clock());
  ASSERT_TRUE(plugin.start());
  plugin.submit(1);
  EXPECT_EQ(plugin.answer(1).outcome.status, Status::ok);
  const auto samples = metrics->samples();
  ASSERT_EQ(samples.size(), 64U);
  EXPECT_EQ(samples[0].name, "good");
  EXPECT_EQ(samples[0].value, 2) << "a counter never goes down";
  for (const auto& sample : samples) EXPECT_TRUE(sample.name == "good" || sample.name.starts_with("n")) << sample.name;
}

TEST_F(HostileTest, HealthIsAskedForAgainAndAgainAndHurtsNothing) {
  const auto asked = [&](const std::string& mode, const std::function<bool(Hostile&, PluginHealth&)>& seen) {
    Hostile plugin(library_, mode);
    auto settings = plugin.settings(mode);
    settings.health = std::make_shared<PluginHealth>();
    settings.health_interval = 1ms;
    plugin.subscriber = make_subscriber(library_, settings, std::make_shared<PluginMetrics>(), system_clock());
    EXPECT_TRUE(plugin.start());
    EXPECT_TRUE(seen(plugin, *settings.health)) << mode << ": " << settings.health->problem().value_or("not asked");
    plugin.submit(1);
    EXPECT_EQ(plugin.answer(1).outcome.status, Status::ok) << mode;
  };
  const auto says = [](PluginHealth& health, const std::string& problem) {
    return test::poll_until([&] { return health.problem() == problem; });
  };
  asked("health", [&](Hostile& plugin, PluginHealth& health) {
    const bool first = says(health, "");
    plugin.cell = 5;
    const bool ill = says(health, "feverish");
    plugin.cell = 0;
    return first && ill && says(health, "");
  });
  asked("health_throws", [&](Hostile&, PluginHealth& health) { return says(health, "health threw an exception"); });
  asked("ok", [](Hostile&, PluginHealth& health) { return health.problem() == std::nullopt; });
}

TEST_F(HostileTest, NeverCompletingTimesOut) {
  const auto outcome = one("defers_never", 1ms);
  EXPECT_EQ(outcome.status, Status::retry);
  EXPECT_EQ(outcome.error, "timeout");
}

TEST_F(HostileTest, HangingPastTheTimeoutIsRetryWhateverItAnswers) {
  const auto outcome = one("hangs_until_cancelled", 1ms);
  EXPECT_EQ(outcome.status, Status::retry);
  EXPECT_EQ(outcome.error, "timeout");
}

TEST_F(HostileTest, TheFirstOfTwoCompletionsCounts) {
  EXPECT_EQ(one("defers_early_twice").status, Status::reject);
  Hostile plugin(library_, "defers_twice");
  ASSERT_TRUE(plugin.start());
  plugin.submit(3);
  for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(plugin.answer(id).outcome.status, Status::ok);
}

TEST_F(HostileTest, ACallPastItsDeadlineStaysReadableUntilItIsCompleted) {
  Hostile plugin(library_, "defers_and_looks");
  ASSERT_TRUE(plugin.start());
  plugin.submit(4, 1ms);
  for (std::uint64_t id = 1; id <= 4; ++id) EXPECT_EQ(plugin.answer(id).outcome.error, "timeout");
  plugin.submit(1);  // the plugin's threads still look at the first four
  plugin.cell = 1;
  EXPECT_EQ(plugin.answer(5).outcome.status, Status::ok);
  plugin.stop();
  EXPECT_EQ(plugin.sink->count(), 5U) << "a late completion is ignored";
}

TEST_F(HostileTest, ACompletionGoesToTheInstanceThatItNames) {
  Hostile parks(library_, "defers_and_parks");
  Hostile completes(library_, "completes_parked");
  ASSERT_TRUE(parks.start());
  ASSERT_TRUE(completes.start());
  parks.submit(1);
  ASSERT_TRUE(test::poll_until([&] { return parks.cell.load() == 1; }));
  completes.next = 100;
  completes.submit(1);
  EXPECT_EQ(completes.answer(100).outcome.status, Status::ok);
  EXPECT_EQ(parks.answer(1).outcome.status, Status::ignored);
}

TEST_F(HostileTest, NoMoreCallsAreOpenThanWereAskedFor) {
  Hostile plugin(library_, "defers_and_counts", 3);
  ASSERT_TRUE(plugin.start());
  plugin.submit(50);
  for (std::uint64_t id = 1; id <= 50; ++id) EXPECT_EQ(plugin.answer(id).outcome.status, Status::ok);
  EXPECT_LT(plugin.cell, 0);
  EXPECT_GE(plugin.cell, -3);
}

TEST_F(HostileTest, WhatWaitsBehindAnUnavailableGoesBackWithoutACall) {
  Hostile plugin(library_, "unavailable_second");
  ASSERT_TRUE(plugin.start());
  plugin.submit(6);
  EXPECT_EQ(plugin.answer(1).outcome.status, Status::ok);
  EXPECT_TRUE(plugin.answer(2).called);
  for (std::uint64_t id = 2; id <= 6; ++id) EXPECT_EQ(plugin.answer(id).outcome.status, Status::unavailable);
  for (std::uint64_t id = 3; id <= 6; ++id) EXPECT_FALSE(plugin.answer(id).called);
  plugin.submit(1);
  EXPECT_EQ(plugin.answer(7).outcome.status, Status::ok);
  EXPECT_TRUE(plugin.answer(7).called);
}

TEST_F(HostileTest, WhatWasAnsweredBeforeAHangIsNotHeldBack) {
  Hostile plugin(library_, "hangs_second");
  ASSERT_TRUE(plugin.start());
  plugin.submit(3);
  EXPECT_EQ(plugin.answer(1).outcome.status, Status::ok);
  EXPECT_FALSE(plugin.sink->has(2));
  plugin.cell = 1;
  EXPECT_EQ(plugin.answer(3).outcome.status, Status::ok);
}

TEST_F(HostileTest, FloodsAreCut) {
  for (const char* mode : {"floods", "completes_nothing"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(one(mode).status, Status::ok) << mode;
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_LT(std::count(said.begin(), said.end(), '\n'), 1000) << mode;
  }
}

TEST_F(HostileTest, KvIsStagedPerCallAndBounded) {
  Hostile plugin(library_, "kv");
  ASSERT_TRUE(plugin.start());
  plugin.submit(1);
  const auto answer = plugin.answer(1);
  EXPECT_EQ(answer.outcome.status, Status::ok);
  ASSERT_FALSE(answer.kv.empty());
  EXPECT_EQ(answer.kv.back().key, "b");
  plugin.submit(1, 60s, false);
  const auto refused = plugin.answer(2);
  EXPECT_EQ(refused.outcome.status, Status::reject) << "a replay beside live may not write";
  EXPECT_TRUE(refused.kv.empty());
}

TEST_F(HostileTest, CreateAndStartMayFail) {
  const std::map<std::string, ErrorCode> expected = {{"create_refuses", ErrorCode::invalid_config},
                                                     {"create_lies", ErrorCode::not_supported},
                                                     {"create_small", ErrorCode::not_supported},
                                                     {"create_handles_nothing", ErrorCode::not_supported},
                                                     {"start_throws", ErrorCode::unavailable},
                                                     {"start_mad_token", ErrorCode::not_supported},
                                                     {"start_unavailable", ErrorCode::unavailable}};
  for (const auto& [mode, code] : expected) {
    Hostile plugin(library_, mode);
    const auto started = plugin.start();
    ASSERT_FALSE(started) << mode;
    EXPECT_EQ(started.error().code, code) << mode;
  }
}

TEST_F(HostileTest, AnOlderTokenThanTheCommittedOneIsNotTaken) {
  Hostile plugin(library_, "start_old_token");
  const auto token = plugin.start(7);
  ASSERT_TRUE(token);
  EXPECT_EQ(token.value(), 7U);
}

TEST_F(HostileTest, ASerialPluginIsNotRunConcurrently) {
  Hostile plugin(library_, "ok");
  auto settings = plugin.settings("ok");
  settings.concurrency = 4;
  plugin.subscriber = make_subscriber(library_, settings, std::make_shared<PluginMetrics>(), system_clock());
  const auto started = plugin.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::invalid_config);
}

TEST_F(HostileTest, ARefusedCheckpointIsAnError) {
  for (const char* mode : {"checkpoint_refuses", "checkpoint_throws"}) {
    Hostile plugin(library_, mode);
    ASSERT_TRUE(plugin.start());
    std::promise<bool> done;
    plugin.subscriber->checkpoint({8, {Offset{1}}}, [&](Result<> result) { done.set_value(static_cast<bool>(result)); });
    EXPECT_FALSE(done.get_future().get()) << mode;
  }
}

TEST_F(HostileTest, ACheckpointThatAStopOvertakesIsAnswered) {
  Hostile plugin(library_, "hangs");
  ASSERT_TRUE(plugin.start());
  plugin.submit(1);
  ASSERT_TRUE(test::poll_until([&] { return plugin.cell.load() == -1; })) << "the worker is inside the plugin";
  std::atomic<int> answers{0};
  plugin.subscriber->checkpoint({8, {}}, [&](Result<> result) { answers += result ? 10 : 1; });
  plugin.subscriber->stop(system_clock().monotonic());
  EXPECT_EQ(answers.load(), 1);
  plugin.cell = 1;
}

TEST_F(HostileTest, AChangedConfigurationIsTakenOrTheOldOneStaysInForceWhateverItAnswers) {
  Hostile plugin(library_, "configured");
  ASSERT_TRUE(plugin.start());
  const auto offer = [&](const std::string& next) { return plugin.subscriber->reconfigure(R"({"mode":"configured","next":")" + next + "\"}", 60s); };
  const auto in_force = [&] {
    plugin.submit(1);
    return plugin.answer(plugin.next - 1).outcome.error;
  };
  EXPECT_TRUE(offer("first").value());
  EXPECT_EQ(in_force(), "first");
  for (const char* refused : {"refuses", "garbage", "throws"}) {
    const auto taken = offer(refused);
    ASSERT_FALSE(taken) << refused;
    EXPECT_EQ(taken.error().code, ErrorCode::invalid_config) << refused;
    EXPECT_EQ(in_force(), "first") << refused;
  }
  EXPECT_EQ(offer("refuses").error().message, "no such channel");
  EXPECT_FALSE(offer("cannot").value()) << "a new instance is needed";
  EXPECT_EQ(in_force(), "first");
  EXPECT_TRUE(offer("second").value());
  plugin.stop();
  EXPECT_FALSE(offer("third").value()) << "there is nobody to take it";
  ASSERT_TRUE(plugin.start());
  EXPECT_EQ(in_force(), "second") << "of a later instance, too";
}

TEST_F(HostileTest, AChangedConfigurationThatComesToNoTurnOrMeetsNoExtensionNeedsANewInstance) {
  Hostile deaf(library_, "ok");
  ASSERT_TRUE(deaf.start());
  EXPECT_FALSE(deaf.subscriber->reconfigure("{}", 60s).value());
  Hostile plugin(library_, "configured_hangs");
  ASSERT_TRUE(plugin.start());
  plugin.submit(1);
  ASSERT_TRUE(test::poll_until([&] { return plugin.cell.load() == -1; })) << "the worker is inside the plugin";
  EXPECT_FALSE(plugin.subscriber->reconfigure("{}", 1ms).value());
  auto offered = std::async(std::launch::async, [&] { return plugin.subscriber->reconfigure("{}", 60s); });
  plugin.subscriber->stop(system_clock().monotonic());
  plugin.cell = 1;
  EXPECT_FALSE(offered.get().value()) << "a stop came first";
}

TEST_F(HostileTest, AStopThatHangsIsWrittenOff) {
  Hostile plugin(library_, "stop_hangs");
  ASSERT_TRUE(plugin.start());
  auto stopped = std::async(std::launch::async, [&] { plugin.subscriber->stop(system_clock().monotonic()); });
  const bool came_back = stopped.wait_for(30s) == std::future_status::ready;
  plugin.cell = 1;
  EXPECT_TRUE(came_back);
}

}  // namespace
}  // namespace hookhost::plugins
