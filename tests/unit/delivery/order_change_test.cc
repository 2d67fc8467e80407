// The order changes while keys wait that are blocked by the order before: nothing that stands behind them is lost, and the new one is taken up when
// they are through.
#include <algorithm>
#include <atomic>
#include <random>
#include <set>

#include "engine_fixture.h"

namespace hookhost::delivery {
namespace {

class OrderChange : public EngineTest {
 protected:
  std::shared_ptr<ScriptedSubscriber> subscriber() {
    return made_.emplace_back(std::make_shared<ScriptedSubscriber>([this](const Delivery& delivery, auto&) {
      return broken && refused.contains(delivery.event->offset.value) ? ScriptedSubscriber::retry("not yet") : ScriptedSubscriber::ok();
    }));
  }
  void attach_with(const char* order) {
    auto with = wishes();
    with.retry = Schedule(1000, 5ms);
    with.order_by = OrderBy::of(order);
    attach(subscriber(), with);
  }
  // Of a few keys, and another few values at /z.
  void append(std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      feed.append({.key = "k" + std::to_string(sent_ % 3), .body = R"({"z":)" + std::to_string(sent_ % 2) + "}"});
      ++sent_;
    }
  }
  [[nodiscard]] std::map<std::uint64_t, int> handled() const {
    std::map<std::uint64_t, int> out;
    for (const auto& one : made_) {
      for (const std::uint64_t offset : one->ok_offsets()) ++out[offset];
    }
    return out;
  }
  void expect_each_once(std::size_t count) const {
    const auto all = handled();
    EXPECT_EQ(all.size(), count);
    for (const auto& [offset, times] : all) EXPECT_EQ(times, 1) << "offset " << offset;
  }
  [[nodiscard]] std::shared_ptr<ScriptedSubscriber> last() const { return made_.back(); }
  [[nodiscard]] std::string order_in_store() {
    const std::string plan = store.load(id).value()->row.plan;
    const auto at = plan.find(";order=");
    return at == std::string::npos ? "key" : plan.substr(at + 7);
  }

  std::atomic<bool> broken{true};
  std::set<std::uint64_t> refused{0};

 private:
  std::vector<std::shared_ptr<ScriptedSubscriber>> made_;
  std::size_t sent_ = 0;
};

class EachOrderChange : public OrderChange, public testing::WithParamInterface<std::tuple<const char*, const char*, const char*>> {};

TEST_P(EachOrderChange, LosesNothingThatStandsBehindABlockedKey) {
  const auto [before, after, how] = GetParam();
  open();
  attach_with(before);
  append(12);
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1 && status().lag_events == 0 && status().in_flight == 0; }));
  if (std::string(how) == "restart") {
    close();
    open();
  } else if (std::string(how) == "kill") {
    ASSERT_TRUE(poll_until([&] { return !store.load(id).value()->lanes.empty(); }));
    kill_and_open();
  }
  attach_with(after);
  ASSERT_TRUE(poll_until([&] { return status().reason.find(std::string("'") + after + "' is taken up when") != std::string::npos; })) << status().reason;
  append(12);
  broken = false;
  ASSERT_TRUE(settled());
  ASSERT_TRUE(poll_until([&] { return order_in_store() == after; })) << order_in_store();
  ASSERT_TRUE(poll_until([&] { return status().reason.empty(); })) << status().reason;
  append(12);
  ASSERT_TRUE(poll_until([&] { return handled().size() == 36; })) << handled().size();
  ASSERT_TRUE(settled());
  if (std::string(how) != "kill") expect_each_once(36);
}

constexpr const char* kOrders[] = {"key", "all", "/z", "none"};

std::vector<std::tuple<const char*, const char*, const char*>> changes() {
  std::vector<std::tuple<const char*, const char*, const char*>> out;
  for (const char* before : kOrders) {
    for (const char* after : kOrders) {
      for (const char* how : {"reload", "restart", "kill"}) {
        if (before != after) out.emplace_back(before, after, how);
      }
    }
  }
  return out;
}

std::string name_of(const testing::TestParamInfo<std::tuple<const char*, const char*, const char*>>& of) {
  const auto name = [](const std::string& order) { return order == "/z" ? "pointer" : order; };
  return name(std::get<0>(of.param)) + "_" + name(std::get<1>(of.param)) + "_" + std::get<2>(of.param);
}

INSTANTIATE_TEST_SUITE_P(Pairs, EachOrderChange, testing::ValuesIn(changes()), name_of);

TEST_F(OrderChange, IsTakenUpAtOnceWhereNothingWaits) {
  broken = false;
  open();
  attach_with("all");
  append(12);
  ASSERT_TRUE(settled());
  attach_with("key");
  ASSERT_TRUE(poll_until([&] { return order_in_store() == "key"; }));
  refused = {12};
  broken = true;
  append(12);
  ASSERT_TRUE(poll_until([&] { return handled().size() == 12 + 8U; })) << "the other two keys go on";
  broken = false;
  ASSERT_TRUE(settled());
  expect_each_once(24);
}

// Where one of the two orders is `all`, nothing new overtakes what waits: a handler that asks for it may count on it.
TEST_F(OrderChange, ToAllLetsNothingNewOvertakeWhatWaits) {
  open();
  attach_with("key");
  append(12);
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1 && status().lag_events == 0 && status().in_flight == 0; }));
  attach_with("all");
  append(12);
  ASSERT_TRUE(poll_until([&] { return status().reason.find("new events wait for that") != std::string::npos; })) << status().reason;
  broken = false;
  ASSERT_TRUE(settled());
  expect_each_once(24);
  const auto calls = last()->ok_offsets();
  ASSERT_GE(calls.size(), 12U);
  EXPECT_TRUE(std::is_sorted(calls.end() - 12, calls.end()));
  EXPECT_EQ(*(calls.end() - 12), 12U) << "after all of the others";
}

// Of a file that was made before the order was noted.
TEST_F(OrderChange, LanesOfWhichNoOrderIsSaidAreOfTheOneThatIsConfigured) {
  open();
  attach_with("all");
  append(12);
  ASSERT_TRUE(poll_until([&] { return !store.load(id).value()->lanes.empty() && order_in_store() == "all"; }));
  close();
  state::Batch older;
  older.subscriber = id;
  older.plan = "run=1";
  ASSERT_TRUE(store.commit_now(std::move(older)));
  open();
  attach_with("all");
  ASSERT_TRUE(poll_until([&] { return order_in_store() == "all"; })) << "and it is noted from then on";
  broken = false;
  ASSERT_TRUE(settled());
  expect_each_once(12);
}

// Of an instance that was given up while it started, and comes back when another one has the store.
struct LateStart final : Subscriber {
  [[nodiscard]] const Traits& traits() const override { return some; }
  [[nodiscard]] Result<std::uint64_t> start(const StartRequest& request) override {
    began = true;
    EXPECT_TRUE(poll_until([this] { return comes_back.load(); }));
    return request.token;
  }
  void submit(std::vector<Delivery>) override {}
  void checkpoint(Checkpoint, std::function<void(Result<>)> done) override { done(success()); }
  std::vector<std::uint64_t> stop(MonotonicTime) override { return {}; }

  const Traits some;
  std::atomic<bool> began{false}, comes_back{false};
};

TEST_F(OrderChange, AStartThatWasGivenUpChangesNothingWhenItComesBack) {
  broken = false;
  refused = {3};
  open();
  attach_with("all");
  broken = true;
  append(6);
  ASSERT_TRUE(poll_until([&] { return order_in_store() == "all"; }));
  broken = false;
  ASSERT_TRUE(settled());
  auto other = wishes();
  other.order_by = OrderBy::of("key");
  const auto late = std::make_shared<LateStart>();
  ASSERT_TRUE(engine->attach(other, late));
  ASSERT_TRUE(poll_until([&] { return late->began.load(); }));
  ASSERT_TRUE(engine->disable(id, "it hangs", 1ms));
  refused = {7};
  broken = true;
  attach_with("all");
  append(6);
  ASSERT_TRUE(poll_until([&] { return status().blocked_keys == 1 && !store.load(id).value()->lanes.empty(); }));
  late->comes_back = true;
  ASSERT_TRUE(poll_until([&] { return late.use_count() == 1; })) << "its job is over";
  EXPECT_EQ(order_in_store(), "all");
  kill_and_open();
  attach_with("all");
  broken = false;
  ASSERT_TRUE(poll_until([&] { return handled().size() == 12; })) << handled().size();
}

class CancelledReplay : public OrderChange {
 protected:
  void cancel_a_replay_with_a_blocked_key() {
    broken = false;
    open();
    attach_with("key");
    append(12);
    ASSERT_TRUE(settled());
    broken = true;
    const auto replay = engine->replay_start({.subscriber = id, .from = {.kind = StartAt::Kind::beginning}, .yes = true});
    ASSERT_TRUE(replay) << replay.error().message;
    replay_ = replay.value();
    ASSERT_TRUE(poll_until([&] { return handled().size() == 12 && handled()[5] == 2 && handled()[11] == 2 && status().blocked_keys == 1 && status().in_flight == 0; }));
    ASSERT_TRUE(engine->replay_cancel(replay_));
  }
  void resume_it_and_expect_all_of_it() {
    broken = false;
    ASSERT_TRUE(poll_until([&] { return static_cast<bool>(engine->replay_resume(replay_)); }));
    ASSERT_TRUE(poll_until([&] { return engine->replay(replay_).value().state == "done"; }));
    for (const auto& [offset, times] : handled()) EXPECT_GE(times, 2) << "offset " << offset;
  }

 private:
  state::StreamId replay_ = 0;
};

// Whatever clears the lanes of a subscriber takes those of a cancelled replay with them.
TEST_F(CancelledReplay, GoesOnAfterAResumeFromNow) {
  ASSERT_NO_FATAL_FAILURE(cancel_a_replay_with_a_blocked_key());
  ASSERT_TRUE(engine->pause(id));
  ASSERT_TRUE(engine->resume_from_now(id));
  ASSERT_TRUE(settled());
  resume_it_and_expect_all_of_it();
}

// A cancelled replay's lanes name their keys by the order before: resumed, it reads them again.
TEST_F(CancelledReplay, GoesOnWithoutALoss) {
  ASSERT_NO_FATAL_FAILURE(cancel_a_replay_with_a_blocked_key());
  ASSERT_TRUE(settled());
  attach_with("all");
  ASSERT_TRUE(poll_until([&] { return order_in_store() == "all"; }));
  resume_it_and_expect_all_of_it();
}

// Every life has an order of its own, and ends as it happens to.
TEST_F(OrderChange, InRandomLivesLosesNothing) {
  std::mt19937_64 random(test::seed());
  for (std::uint64_t offset = 0; offset < 800; offset += 1 + random() % 20) refused.insert(offset);
  open();
  std::size_t sent = 0;
  for (int life = 0; life < (test::quick() ? 15 : 40); ++life) {
    attach_with(kOrders[random() % std::size(kOrders)]);
    const std::size_t count = random() % 20;
    append(count);
    sent += count;
    broken = random() % 3 > 0;
    for (auto rounds = random() % 200; rounds > 0; --rounds) status();
    const auto end = random() % 3;
    if (end == 0) kill_and_open();
    if (end == 1) {
      close();
      open();
    }
  }
  broken = false;
  attach_with("key");
  ASSERT_TRUE(poll_until([&] { return handled().size() == sent; })) << handled().size() << " of " << sent;
  ASSERT_TRUE(settled());
}

}  // namespace
}  // namespace hookhost::delivery
