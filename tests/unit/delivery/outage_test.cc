// A subscriber whose own dependency is down for long, on a clock that the test turns.
#include <atomic>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

class Outage : public EngineTest {
 protected:
  const Clock& clock() override { return time; }

  // Second by second; each time everything that is due then has been called and has answered.
  void pass(std::chrono::seconds duration) {
    for (auto passed = 0s; passed < duration; passed += 1s) {
      time.advance(1s);
      status();  // Order: its round hands over what is due, the next one's answer counts it
      ASSERT_TRUE(poll_until([&] { return status().in_flight == 0; }));
    }
  }
  void open_patiently() {
    options.unavailable_delay = 1s;
    options.unavailable_delay_max = 60s;
    options.poll_max = 1ms;  // the loop sleeps by the machine's clock
    open();
  }
  // How many calls more there were than at the last look.
  std::size_t probes(const ScriptedSubscriber& subscriber) {
    const std::size_t before = std::exchange(looked_, subscriber.count());
    return looked_ - before;
  }

  ManualClock time;

 private:
  std::size_t looked_ = 0;
};

TEST_F(Outage, OfAMinuteAndOfAnHourCostsNoAttempt) {
  std::atomic<bool> down{false}, fails{true};
  const auto script = [&](const Delivery& delivery, auto&) {
    if (down) return ScriptedSubscriber::unavailable();
    return fails && delivery.event->key == "failed before" ? ScriptedSubscriber::retry() : ScriptedSubscriber::ok();
  };
  auto with = wishes();
  with.retry = {10s, 10s};
  with.stop_after = 1;
  auto first = std::make_shared<ScriptedSubscriber>(script);
  open_patiently();
  attach(first, with);
  feed.append({.key = "failed before"});
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1; }));
  fails = false;
  down = true;
  feed.append_many(200, 50);
  ASSERT_TRUE(becomes("waiting"));
  ASSERT_TRUE(poll_until([&] { return status().in_flight == 0; })) << "those that were out when it went down";
  probes(*first);

  pass(60s);
  const std::size_t in_a_minute = probes(*first);
  EXPECT_GE(in_a_minute, 4U) << "after 1, 2, 4, 8, 16 and 32 seconds, give or take a fifth";
  EXPECT_LE(in_a_minute, 7U);
  pass(30min);
  close();
  auto second = std::make_shared<ScriptedSubscriber>(script);
  open_patiently();
  attach(second, with);
  ASSERT_TRUE(becomes("waiting")) << "what the host knew of the outage died with it; one wave finds it out";
  pass(5min);
  probes(*second);
  pass(30min);
  const std::size_t in_half_an_hour = probes(*second);
  EXPECT_GE(in_half_an_hour, 30U / 1.25) << "one event a minute";
  EXPECT_LE(in_half_an_hour, 30U * 1.25 + 1);
  EXPECT_EQ(status().dead_letters + status().held, 0U);
  EXPECT_EQ(status().failed_run, 0U);

  down = false;
  pass(2min);
  ASSERT_TRUE(settled());
  auto calls = first->calls();
  const auto more = second->calls();
  calls.insert(calls.end(), more.begin(), more.end());
  expect_once_in_order(calls, 201);
  for (const auto& call : calls) {
    const bool again = call.key == "failed before" && call.status != Status::retry;
    EXPECT_EQ(call.attempt, again ? 2U : 1U) << call.key;
  }
}

// Events that were being read when the outage began arrive after its pause, all in one round: one of them probes.
TEST_F(Outage, OfWhatWasReadMeanwhileOneEventProbes) {
  struct GateKeeper {
    explicit GateKeeper(test::FakeFeed& of) : feed(of) { feed.close_gate(); }
    ~GateKeeper() { feed.open_gate(); }
    test::FakeFeed& feed;
  };
  std::atomic<int> probing{0};
  std::atomic<bool> goes_down{false}, one_ends{false}, committing{false}, commits{false}, answers{false};
  const auto wait = [](const std::atomic<bool>& flag) { EXPECT_TRUE(poll_until([&] { return flag.load(); })); };
  const auto script = [&](const Delivery& delivery, auto&) {
    const std::string& key = delivery.event->key;
    if (key == "down" && !goes_down) {
      wait(goes_down);
      return ScriptedSubscriber::unavailable();
    }
    if (key == "ends") wait(one_ends);
    if (key.starts_with("again") && delivery.attempt.value == 1) return ScriptedSubscriber::retry();
    if (key != "ends") {
      ++probing;
      wait(answers);
    }
    return ScriptedSubscriber::ok();
  };
  auto with = wishes();
  with.retry = {10s};
  const auto subscriber = std::make_shared<ScriptedSubscriber>(script, Traits{.concurrency = 8, .max_in_flight = 32, .has_checkpoint = true}, 8);
  subscriber->on_checkpoint = [&](const auto&) -> Result<> {
    if (one_ends && !committing.exchange(true)) wait(commits);  // on the engine's thread, which does nothing else meanwhile
    return success();
  };
  open_patiently();
  attach(subscriber, with);
  for (const char* key : {"again 1", "again 2", "again 3", "down", "ends"}) feed.append({.key = key});
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 3 && status().in_flight == 2; }));
  const GateKeeper keeper(feed);
  time.advance(15s);
  ASSERT_TRUE(poll_until([&] { return feed.waiting_at_gate() > 0; }));
  goes_down = true;
  ASSERT_TRUE(becomes("waiting"));
  EXPECT_NE(status().reason.find("unavailable: down"), std::string::npos) << status().reason;
  time.advance(2s);  // the pause is over
  one_ends = true;
  ASSERT_TRUE(poll_until([&] {
    time.advance(1ms);
    return committing.load();
  }));
  const auto looked = feed.looked();
  feed.open_gate();
  ASSERT_TRUE(poll_until([&] { return feed.looked() >= looked + 3; }));
  commits = true;
  ASSERT_TRUE(poll_until([&] { return probing > 0; }));
  EXPECT_EQ(status().in_flight, 1U);
  answers = true;
  pass(30s);
  ASSERT_TRUE(settled());
  expect_once_in_order(subscriber->calls(), 5);
}

}  // namespace
}  // namespace hookhost::delivery
