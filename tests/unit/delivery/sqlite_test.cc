// The engine over the real delivery.db.
#include "engine_fixture.h"
#include "support/temp_dir.h"

namespace hookhost::delivery {
namespace {

TEST(OverSqlite, RetriesAndKvSurviveARestart) {
  const test::TempDir directory;
  test::FakeFeed feed;
  const SubscriberId id{"crm"};
  SubscriberOptions with;
  with.id = id;
  with.events = {Pattern{}};
  with.retry = Schedule(50, 1ms);
  std::size_t handled = 0;
  for (int life = 0; life < 3; ++life) {
    auto store = state::DeliveryStore::open(directory / "delivery.db");
    ASSERT_TRUE(store) << store.error().text();
    Engine engine(feed, *store.value(), system_clock(), {.commit_interval = 2ms, .seed = 3});
    ASSERT_TRUE(engine.start());
    ASSERT_TRUE(engine.accept(id, "plugin", {.kind = StartAt::Kind::beginning}));
    auto subscriber = std::make_shared<ScriptedSubscriber>([](const Delivery& delivery, std::vector<state::KvWrite>& kv) {
      if (delivery.attempt.value == 1 && delivery.event->offset.value % 5 == 0) return ScriptedSubscriber::retry();
      kv.push_back({"e" + std::to_string(delivery.event->offset.value), "done"});
      return ScriptedSubscriber::ok();
    });
    ASSERT_TRUE(engine.attach(with, subscriber));
    feed.append_many(200, 9);
    ASSERT_TRUE(poll_until([&] { return subscriber->ok_count() >= (life == 1 ? 50U : 1U); }));
    engine.stop(system_clock().monotonic() + 5s);
    handled += subscriber->ok_count();
    const auto kv = store.value()->kv_scan(id, "e", "", 10'000);
    ASSERT_TRUE(kv);
    EXPECT_EQ(kv.value().size(), handled) << "each handled event is committed, once";
  }
}

}  // namespace
}  // namespace hookhost::delivery
