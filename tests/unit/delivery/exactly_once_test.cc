// Effectively once: kv of the host, and effects that a checkpoint's token covers, over refusals, failed commits, deaths and kills.
#include <atomic>
#include <random>

#include "delivery/kv_overlay.h"
#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

class EffectivelyOnce : public EngineTest {
 protected:
  // Counts every event it is given into kv, one counter a key.
  static delivery::Outcome count(const Delivery& delivery, std::vector<state::KvWrite>& kv, const std::shared_ptr<KvReader>& reader) {
    const auto known = reader->get(delivery.event->key);
    const int before = known && known.value() ? std::stoi(*known.value()) : 0;
    kv.push_back({delivery.event->key, std::to_string(before + 1)});
    kv.push_back({"e" + std::to_string(delivery.event->offset.value), "0"});
    return ScriptedSubscriber::ok();
  }
};

// A store of its own, as a plugin with transactions has: effects and the token in one step.
struct OwnStore {
  std::mutex mutex;
  std::map<std::uint64_t, int> durable, staged;
  std::uint64_t token = 0;
  bool commits_all = false;  // whatever the offsets say; one call at a time

  std::shared_ptr<ScriptedSubscriber> subscriber(std::function<bool()> refuse = {}) {
    auto out = std::make_shared<ScriptedSubscriber>(
        [this](const Delivery& delivery, auto&) {
          const std::lock_guard lock(mutex);
          ++staged[delivery.event->offset.value];
          return ScriptedSubscriber::ok();
        },
        Traits{.concurrency = commits_all ? 1U : 4U, .max_in_flight = 32, .has_checkpoint = true}, commits_all ? 1 : 2);
    out->on_start = [this](const StartRequest&) -> Result<std::uint64_t> {
      const std::lock_guard lock(mutex);
      staged.clear();
      return token;
    };
    out->on_checkpoint = [this, refuse](const Checkpoint& checkpoint) -> Result<> {
      if (refuse && refuse()) return fail(ErrorCode::io_error, "refused");
      const std::lock_guard lock(mutex);
      for (const auto offset : checkpoint.offsets) {
        EXPECT_EQ(staged[offset.value], 1) << "covers what was not handled";
        ++durable[offset.value];
        staged.erase(offset.value);
      }
      EXPECT_TRUE(!commits_all || staged.empty()) << "calls that returned are not covered";
      EXPECT_GT(checkpoint.token, token);
      token = checkpoint.token;
      return success();
    };
    return out;
  }
  void expect_each_once(std::size_t events) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(durable.size(), events);
    for (const auto& [offset, times] : durable) EXPECT_EQ(times, 1) << "event " << offset;
  }
};

TEST_F(EffectivelyOnce, KvOverRandomDeathsFailedCommitsAndKills) {
  const auto seed = test::seed();
  std::mutex mutex;
  std::mt19937_64 random(seed);
  const auto dice = [&](std::uint64_t sides) {
    const std::lock_guard lock(mutex);
    return random() % sides;
  };
  open();
  std::map<std::string, int> expected;
  const int rounds = test::quick() ? 5 : 12;
  std::shared_ptr<ScriptedSubscriber> subscriber;
  for (int round = 0; round < rounds; ++round) {
    auto holder = std::make_shared<std::weak_ptr<ScriptedSubscriber>>();
    subscriber = std::make_shared<ScriptedSubscriber>([&, holder](const Delivery& delivery, std::vector<state::KvWrite>& kv) {
      if (dice(100) < 10) return ScriptedSubscriber::retry();
      const auto self = holder->lock();
      return self ? count(delivery, kv, self->kv()) : ScriptedSubscriber::retry();
    });
    *holder = subscriber;
    auto with = wishes();
    with.retry = Schedule(100, 1ms);
    attach(subscriber, with);
    for (int n = 0; n < 200; ++n) {
      const auto key = "k" + std::to_string(dice(10));
      feed.append({.key = key});
      ++expected[key];
    }
    const auto some = subscriber->count() + dice(150);
    poll_until([&] { return subscriber->count() >= some; });
    if (round % 3 == 0) subscriber->die("killed by the test", {});
    if (round % 3 == 1) store.fail_commits(1);
    if (round % 3 == 2 && round + 1 < rounds) kill_and_open();
  }
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] {
    int sum = 0;
    for (const auto& [key, value] : store.kv(id)) sum += std::stoi(value);
    return sum >= rounds * 200;
  }, 5s)) << [&] {
    std::string text;
    for (std::uint64_t n = 0; n < feed.durable_end().value; ++n) {
      if (!store.kv(id).contains("e" + std::to_string(n))) text += " " + std::to_string(n) + ":" + feed.at(Offset{n})->key;
    }
    return text;
  }();
  for (const auto& [key, times] : expected) EXPECT_EQ(store.kv(id)[key], std::to_string(times)) << key;
}

TEST_F(EffectivelyOnce, TokensOverRefusalsAndKills) {
  const auto seed = test::seed();
  std::mutex mutex;
  std::mt19937_64 random(seed);
  const auto dice = [&](std::uint64_t sides) {
    const std::lock_guard lock(mutex);
    return random() % sides;
  };
  OwnStore own;
  open();
  const int rounds = test::quick() ? 5 : 12;
  for (int round = 0; round < rounds; ++round) {
    const auto subscriber = own.subscriber([&] { return dice(20) == 0; });
    attach(subscriber);
    feed.append_many(300, 17);
    const auto some = dice(250);
    poll_until([&] { return subscriber->count() >= some; });
    if (round % 3 == 0) subscriber->die("killed by the test", {});
    if (round % 3 == 1) store.fail_commits(static_cast<int>(1 + dice(2)));
    if (round + 1 < rounds) kill_and_open();
  }
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] {
    const std::lock_guard lock(own.mutex);
    return own.durable.size() >= static_cast<std::size_t>(rounds) * 300;
  }));
  own.expect_each_once(static_cast<std::size_t>(rounds) * 300);
}

// One call at a time: whoever commits all that it did when a checkpoint comes has committed what that covers, and nothing else.
TEST_F(EffectivelyOnce, ASerialOneThatCommitsAllThatItDidIsRight) {
  OwnStore own;
  own.commits_all = true;
  open();
  for (int round = 0; round < 4; ++round) {
    const auto subscriber = own.subscriber();
    attach(subscriber);
    feed.append_many(500, 17);
    poll_until([&] { return subscriber->count() >= 250; });
    if (round < 3) kill_and_open();
  }
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] {
    const std::lock_guard lock(own.mutex);
    return own.durable.size() >= 2000;
  }));
  own.expect_each_once(2000);
}

TEST_F(EffectivelyOnce, ATokenThatTheHostDidNotCommitCountsAsDone) {
  OwnStore own;
  std::atomic<bool> cut{false};
  feed.append_many(10, 1);
  open();
  auto subscriber = own.subscriber();
  // The power goes between the checkpoint and the commit.
  const auto inner = subscriber->on_checkpoint;
  subscriber->on_checkpoint = [&, inner](const Checkpoint& checkpoint) {
    auto done = inner(checkpoint);
    if (!cut.exchange(true)) store.cut();
    return done;
  };
  attach(subscriber);
  ASSERT_TRUE(poll_until([&] { return cut.load(); }));
  kill_and_open();
  attach(own.subscriber());
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] {
    const std::lock_guard lock(own.mutex);
    return own.durable.size() == 10;
  }));
  own.expect_each_once(10);
}

TEST_F(EffectivelyOnce, ThreeDeathsOnOneEventMakeItADeadLetter) {
  feed.append_many(20, 4);
  open();
  auto holder = std::make_shared<std::weak_ptr<ScriptedSubscriber>>();
  std::atomic<int> deaths{0};
  auto subscriber = std::make_shared<ScriptedSubscriber>([&, holder](const Delivery& delivery, auto&) {
    if (delivery.event->offset == Offset{5}) {
      ++deaths;
      if (const auto self = holder->lock()) self->die("segmentation fault", {delivery.id});
    }
    return ScriptedSubscriber::ok();
  });
  *holder = subscriber;
  attach(subscriber);
  ASSERT_TRUE(poll_until([&] { return store.count_parked(id, state::ParkedRow::Kind::dead).value() == 1; }));
  ASSERT_TRUE(settled());
  EXPECT_EQ(deaths, 3);
  EXPECT_EQ(store.parked_one(id, 0, Offset{5}).value()->reason, "crashed");
}

TEST_F(EffectivelyOnce, KvOverlayShowsWhatIsNotCommittedYet) {
  KvOverlay overlay(store, id);
  state::Batch batch;
  batch.subscriber = id;
  batch.kv = {{"a1", "old"}, {"a2", "old"}, {"b", "old"}};
  ASSERT_TRUE(store.commit_now(batch));
  overlay.put({{"a1", std::nullopt}, {"a3", "new"}}, 1);
  overlay.put({{"a2", "newer"}}, 2);
  EXPECT_FALSE(overlay.get("a1").value());
  EXPECT_EQ(overlay.get("a3").value(), "new");
  using Page = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(overlay.scan("a", "", 10).value(), (Page{{"a2", "newer"}, {"a3", "new"}}));
  EXPECT_EQ(overlay.scan("a", "", 1).value(), (Page{{"a2", "newer"}}));
  EXPECT_EQ(overlay.scan("a", "a2", 1).value(), (Page{{"a3", "new"}}));
  overlay.committed(1);
  EXPECT_EQ(overlay.get("a1").value(), "old");
  EXPECT_EQ(overlay.get("a2").value(), "newer");
}

}  // namespace
}  // namespace hookhost::delivery
