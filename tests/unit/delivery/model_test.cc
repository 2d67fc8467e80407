// A subscriber under a random schedule, checked against what DESIGN promises: each event comes to an end that its outcomes decide, in order of
// its key, never two of a key at once (ScriptedSubscriber sees to that), whatever the operator does and whenever the host dies.
#include <atomic>
#include <random>
#include <set>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

using Parked = state::ParkedRow::Kind;

// What an event does, decided by its offset and the seed alone, so that every life of the host plays the same.
struct Fate {
  enum class Kind : std::uint8_t { good, retried, slow, never, rejected } kind = Kind::good;
  std::uint32_t failures = 0;  // retried: so many first attempts

  [[nodiscard]] bool dies() const { return kind == Kind::never || kind == Kind::rejected; }
};

class Model : public EngineTest {
 protected:
  static constexpr std::uint32_t kDelays = 4;

  void SetUp() override {
    options.window_events_max = 16U << dice(4);
    options.done_above_max = 8U << dice(4);
    if (dice(2) == 0) options.places_max = 4U << dice(8);
    options.blocked_lanes_max = dice(3) == 0 ? 4 : 10'000;
    keys = 2 + dice(30);
    with = wishes();
    with.events = {Pattern{.source = "", .provider = "", .kind = Pattern::Kind::exact, .type = "thing.happened"}};
    with.retry = Schedule(kDelays, 1ms);
    with.stop_after = dice(3) == 0 ? 0 : 6;
    open();
    new_life();
  }

  std::uint64_t dice(std::uint64_t sides) {
    const std::lock_guard lock(mutex);
    return random() % sides;
  }
  [[nodiscard]] Fate fate(std::uint64_t offset) const {
    std::mt19937_64 own(seed ^ (offset * 0x9e3779b97f4a7c15ULL));
    const auto sort = own() % 100;
    if (sort < 20) return {Fate::Kind::retried, 1 + static_cast<std::uint32_t>(own() % kDelays)};
    if (sort < 23) return {Fate::Kind::never, 0};
    if (sort < 26) return {Fate::Kind::rejected, 0};
    if (sort < 30) return {Fate::Kind::slow, 0};
    return {};
  }
  Outcome play(const Delivery& delivery) {
    const Fate what = fate(delivery.event->offset.value);
    if (what.kind == Fate::Kind::slow) poll_until([] { return false; }, std::chrono::milliseconds(dice(8)));
    if (repaired) return ScriptedSubscriber::ok();
    if (outage) return ScriptedSubscriber::retry("outage");
    if (dice(400) == 0) return ScriptedSubscriber::unavailable();
    if (what.kind == Fate::Kind::never) return ScriptedSubscriber::retry();
    if (what.kind == Fate::Kind::rejected) return ScriptedSubscriber::reject();
    if (delivery.attempt.value <= what.failures) {
      auto outcome = ScriptedSubscriber::retry();
      if (dice(2) == 0) outcome.retry_after = std::chrono::milliseconds(dice(4));
      return outcome;
    }
    return dice(10) == 0 ? Outcome{Status::ignored, false, false, {}, {}} : ScriptedSubscriber::ok();
  }
  // Counts in kv how often each event was handled.
  void new_life() {
    auto holder = std::make_shared<std::weak_ptr<ScriptedSubscriber>>();
    auto subscriber = std::make_shared<ScriptedSubscriber>(
        [this, holder](const Delivery& delivery, std::vector<state::KvWrite>& kv) {
          auto outcome = play(delivery);
          if (outcome.status != Status::ok && outcome.status != Status::ignored) return outcome;
          {
            const std::lock_guard lock(mutex);
            handled.insert(delivery.event->offset.value);
          }
          const auto self = holder->lock();
          if (!self || !delivery.kv_writable || !counts) return outcome;
          const auto name = std::to_string(delivery.event->offset.value);
          const auto known = self->kv()->get(name);
          kv.push_back({name, std::to_string(known && known.value() ? std::stoi(*known.value()) + 1 : 1)});
          return outcome;
        },
        Traits{.concurrency = 4, .max_in_flight = 32, .on_replay = Traits::OnReplay::safe}, 3);
    *holder = subscriber;
    lives.push_back(subscriber);
    attach(subscriber, with);
  }
  void more_events(std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      const auto key = dice(keys + 1);
      events.insert(feed.append({.key = key == 0 ? "" : "k" + std::to_string(key)}).value);
    }
  }
  // Something that an operator, or the world, does.
  void disturb() {
    switch (dice(11)) {
      case 0: (void)engine->pause(id); break;
      case 1:
      case 2: (void)engine->resume(id); break;
      case 3: kill_and_open(); return new_life();
      case 4: close(); open(); return new_life();
      case 5: return new_life();  // a reload: the old one is drained beside what runs
      case 6: store.fail_commits(1); break;
      case 7: lives.back()->die("killed by the test", {}); break;
      case 8: outage = !outage; break;
      case 9: (void)engine->disable(id, "enabled: false"); return new_life();
      case 10: (void)engine->detach(id); return new_life();
    }
  }
  void replay_something() {
    const auto all = engine->replays().value();
    const bool runs = !all.empty() && (all[0].state == "running" || all[0].state == "blocked");
    if (runs && all[0].mode != "reset" && dice(2) == 0) return (void)engine->replay_cancel(all[0].id);
    if (!all.empty() && all[0].state == "cancelled" && dice(2) == 0) return (void)engine->replay_resume(all[0].id);
    ReplayRequest request;
    request.subscriber = id;
    request.reset = dice(6) == 0;
    request.from = {.kind = StartAt::Kind::offset, .offset = request.reset ? Offset{} : Offset{dice(store.load(id).value()->row.position.frontier.value + 1)}};
    if (!request.reset && dice(3) != 0) request.live = dice(2) == 0 ? LiveMode::wait : LiveMode::carry_on;
    if (dice(3) == 0) request.rate = 1000;
    (void)engine->replay_start(request);
  }
  void run(int steps, bool replays) {
    for (int step = 0; step < steps && !HasFailure(); ++step) {
      more_events(dice(40));
      const auto some = lives.back()->count() + dice(60);
      poll_until([&] { return lives.back()->count() >= some; }, 20ms);
      disturb();
      if (replays && dice(2) == 0) replay_something();
    }
    outage = false;
    ASSERT_TRUE(ends());
  }
  // Resumed until nothing is owed: no replay runs, nothing waits, nothing is held.
  testing::AssertionResult ends() {
    const bool over = poll_until([&] {
      const auto now = status();
      if (now.state == "paused" || now.state == "stopped") (void)engine->resume(id);
      return now.state == "live" && now.lag_events == 0 && now.pending == 0 && now.blocked_keys == 0 && now.held == 0 && !now.replay;
    }, 60s);
    if (!over) {
      const auto now = status();
      return testing::AssertionFailure() << now.state << " (" << now.reason << ") position " << now.position.value << " lag " << now.lag_events << " pending "
                                         << now.pending << " blocked " << now.blocked_keys << " held " << now.held << " replay " << now.replay.value_or(0);
    }
    // Those of a cancelled replay stay: it may go on.
    const auto has_lanes = [&] {
      const auto loaded = store.load(id).value();
      return std::any_of(loaded->lanes.begin(), loaded->lanes.end(), [](const auto& lane) { return lane.stream == state::kMainStream; });
    };
    if (!poll_until([&] { return !has_lanes(); })) return testing::AssertionFailure() << "lanes are left in the store";
    return testing::AssertionSuccess();
  }
  std::vector<std::pair<SubscriberId, state::ParkedRow>> rows(Parked kind) { return store.parked({id, kind, {}, {}, 0, {}}).value(); }
  // Every call of one event, for the message of a failure.
  std::string story(std::uint64_t offset) {
    std::string out = " of key " + feed.at(Offset{offset})->key + ":";
    for (std::size_t life = 0; life < lives.size(); ++life) {
      for (const auto& call : lives[life]->calls()) {
        if (call.offset.value != offset) continue;
        out += " [life " + std::to_string(life) + " start " + std::to_string(call.start) + " attempt " + std::to_string(call.attempt) + (call.replay ? " replay " : " ") +
               std::string(to_string(call.status)) + "]";
      }
    }
    return out;
  }
  std::set<std::uint64_t> parked(Parked kind) {
    std::set<std::uint64_t> out;
    const auto all = rows(kind);
    for (const auto& [name, row] : all) out.insert(row.offset.value);
    return out;
  }
  void retry_all_dead_letters() {
    const auto all = rows(Parked::dead);
    for (const auto& [name, row] : all) {
      const auto again = engine->retry_dead_letter(id, row.stream, row.offset);
      EXPECT_TRUE(again) << again.error().text();
    }
  }
  // Of one instance's good calls those of a key never go back.
  void expect_order() {
    std::set<std::uint64_t> left;  // what was exhausted has left the order, and may be held and come late
    for (const auto& life : lives) {
      for (const auto& call : life->calls()) {
        if (call.status == Status::retry && call.attempt == kDelays + 1) left.insert(call.offset.value);
      }
    }
    for (const auto& life : lives) {
      std::map<std::pair<int, std::string>, std::uint64_t> last;
      for (const auto& call : life->calls()) {
        if (call.key.empty() || call.status != Status::ok || left.contains(call.offset.value)) continue;
        auto& before = last[{call.start, call.key}];
        EXPECT_LE(before, call.offset.value + 1) << "key " << call.key;
        before = call.offset.value + 1;
      }
    }
  }

  const std::uint64_t seed = test::seed();
  std::mutex mutex;
  std::mt19937_64 random{seed};
  std::uint64_t keys = 0;
  SubscriberOptions with;
  bool counts = true;
  std::atomic<bool> outage{false}, repaired{false};
  std::set<std::uint64_t> events, handled;
  std::vector<std::shared_ptr<ScriptedSubscriber>> lives;
};

TEST_F(Model, EveryEventIsHandledOnceOrDeadInOrderOfItsKey) {
  ASSERT_NO_FATAL_FAILURE(run(test::quick() ? 60 : 250, false));
  expect_order();
  const auto dead = parked(Parked::dead);
  ASSERT_TRUE(poll_until([&] { return status().dead_letters == dead.size(); })) << status().dead_letters << " of " << dead.size();
  const auto kv = store.kv(id);
  for (const auto offset : events) {
    const auto count = kv.find(std::to_string(offset));
    if (dead.contains(offset)) {
      EXPECT_EQ(count, kv.end()) << "event " << offset << " is dead and was handled";
    } else {
      EXPECT_EQ(count == kv.end() ? "0" : count->second, "1") << "event " << offset << story(offset);
    }
    if (fate(offset).dies()) { EXPECT_TRUE(dead.contains(offset)) << "event " << offset; }
  }
  repaired = true;
  retry_all_dead_letters();
  ASSERT_TRUE(ends());
  ASSERT_TRUE(poll_until([&] { return parked(Parked::dead).empty(); }));
  for (const auto& [offset, count] : store.kv(id)) EXPECT_EQ(count, "1") << "event " << offset << story(std::stoull(offset));
  EXPECT_EQ(store.kv(id).size(), events.size());
  EXPECT_EQ(status().dead_letters, 0U);
}

TEST_F(Model, ReplaysOfEverySortLoseNothing) {
  counts = false;
  ASSERT_NO_FATAL_FAILURE(run(test::quick() ? 60 : 250, true));
  const auto dead = parked(Parked::dead);
  ASSERT_TRUE(poll_until([&] { return status().dead_letters == store.count_parked(id, Parked::dead).value(); }))
      << status().dead_letters << ", in the store " << store.count_parked(id, Parked::dead).value();
  for (const auto offset : events) EXPECT_TRUE(handled.contains(offset) || dead.contains(offset)) << "event " << offset << " was lost";
  repaired = true;
  retry_all_dead_letters();
  ASSERT_TRUE(ends());
  ASSERT_TRUE(poll_until([&] { return parked(Parked::dead).empty(); })) << parked(Parked::dead).size();
  EXPECT_EQ(handled, events);
}

}  // namespace
}  // namespace hookhost::delivery
