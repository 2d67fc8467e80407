// What a subscriber keeps while it is not fed: stopped, detached, and what forget takes away.
#include <gmock/gmock.h>

#include "support/tables.h"
#include "system/journal.h"

namespace hookhost::test {
namespace {

using testing::IsEmpty;

class KeptState : public SystemTest {
 protected:
  void with_counts() { add_probe("probe", "", "counts: \"" + host.path("counts") + "\""); }
  void restart() {
    ASSERT_EQ(host.terminate(), 0);
    ASSERT_TRUE(host.start());
  }
  // The types of the events that the probe of that name was handed, in their order.
  std::vector<std::string> types_of(const std::string& name) {
    std::map<std::uint64_t, std::string> types;
    for (const auto& event : host.events()) types[event.at("offset").to_number<std::uint64_t>()] = std::string(event.at("type").as_string());
    std::vector<std::string> out;
    for (const auto& [offset, times] : ends(journal(name))) out.push_back(types.at(offset));
    return out;
  }
  // Rows that speak of it, of all tables.
  std::multiset<std::string> traces_of(const std::string& name) {
    std::multiset<std::string> out = rows_of(host.data_dir() + "/delivery.db", "SELECT 'subscriber', * FROM subscriber WHERE id='" + name + "'");
    for (const char* table : {"lane", "parked", "kv", "attempts", "replay", "gap"}) {
      out.merge(rows_of(host.data_dir() + "/delivery.db", std::string("SELECT '") + table + "', * FROM " + table + " WHERE subscriber='" + name + "'"));
    }
    return out;
  }
};

// Rejects in between are the plugin's verdict: they neither count nor end the run, and no resume brings them back.
TEST_F(KeptState, StoppedAfterTwentyExhaustedWithRejectsInBetweenSurvivesARestartAndAResumeDeliversEachOnce) {
  add_probe("probe", "retry: [2ms], stop_after: 20, ");
  add_probe("watcher", "", "", "test_probe_watcher");
  ASSERT_TRUE(host.start());
  std::set<std::uint64_t> rejected;
  for (int i = 0; i < 20; ++i) {
    const std::string chat = "chat_" + std::to_string(i % 5);
    if (i % 4 == 3) send(chat, {{"do", "reject"}});
    send(chat, {{"do", "throw"}});
  }
  ASSERT_TRUE(is("probe", "stopped")) << host.diagnostics();
  for (int i = 0; i < 5; ++i) send("chat_" + std::to_string(i));
  EXPECT_EQ(host.subscriber("probe").at("held").to_number<int>(), 20) << json::serialize(host.subscriber("probe"));
  EXPECT_EQ(host.subscriber("probe").at("dead_letters").to_number<int>(), 5);

  host.kill_9();
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(is("probe", "stopped"));
  EXPECT_EQ(host.subscriber("probe").at("held").to_number<int>(), 20);
  EXPECT_THAT(ends(journal("probe")), IsEmpty());
  set_mode("probe", "repaired");
  ASSERT_EQ(host.run({"plugin", "resume", "probe"}).status, 0);
  ASSERT_TRUE(host.catches_up("probe"));
  const auto lines = journal("probe");
  EXPECT_EQ(ends(lines).size(), 25U);
  for (const auto& [offset, times] : ends(lines)) EXPECT_EQ(times, 1) << offset;
  EXPECT_TRUE(in_order_per_key(lines)) << "the held ones first";
  const auto left = host.run({"dead-letters", "list", "--json"}).objects();
  EXPECT_EQ(left.size(), 5U);
  for (const auto& letter : left) EXPECT_EQ(letter.at("reason").as_string(), "rejected");

  ASSERT_TRUE(host.catches_up("watcher"));
  const auto seen = types_of("watcher");
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "hookhost.subscriber.stopped"), 1);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "hookhost.subscriber.recovered"), 1);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "hookhost.subscriber.exhausted"), 19) << "the last one is held from the first: " << testing::PrintToString(seen);
  EXPECT_EQ(seen.size(), 21U) << "and nothing of Kakiyo's";
  EXPECT_EQ(types_of("probe"), std::vector<std::string>(25, "linkedin.message.received")) << "who declares * gets none of the host's own";
}

TEST_F(KeptState, PositionAndKvOutliveTheTimeOutsideTheConfigurationAndForgetDeletesThem) {
  with_counts();
  ASSERT_TRUE(host.start());
  for (int i = 0; i < 3; ++i) send("chat_1");
  send("chat_2", {{"do", "reject"}});
  ASSERT_TRUE(host.catches_up("probe"));
  ASSERT_EQ(host.run({"plugin", "pause", "probe"}).status, 0);
  send("chat_1");
  host.plugins.clear();
  ASSERT_NO_FATAL_FAILURE(restart());
  ASSERT_TRUE(is("probe", "detached"));
  EXPECT_EQ(host.run({"plugin", "resume", "probe"}).status, 2) << "not while it is detached";
  send("chat_1");
  with_counts();
  ASSERT_NO_FATAL_FAILURE(reload());
  ASSERT_TRUE(is("probe", "paused")) << "as it was when it went";
  ASSERT_EQ(host.run({"plugin", "resume", "probe"}).status, 0);
  ASSERT_TRUE(host.catches_up("probe"));
  ASSERT_NO_FATAL_FAILURE(restart());
  ASSERT_TRUE(host.catches_up("probe"));
  const auto kept = counts(host.path("counts"));
  EXPECT_EQ(kept.size(), 5U);
  for (const auto& [id, count] : kept) EXPECT_EQ(count, 1) << id;
  EXPECT_EQ(host.subscriber("probe").at("dead_letters").to_number<int>(), 1);

  EXPECT_EQ(host.run({"plugin", "forget", "probe"}).status, 2) << "not while it is configured";
  add_probe("probe", "enabled: false, ");
  ASSERT_NO_FATAL_FAILURE(reload());
  EXPECT_EQ(host.run({"plugin", "forget", "probe"}).status, 2) << "nor while it is only disabled";
  EXPECT_THAT(traces_of("probe"), testing::SizeIs(testing::Ge(7))) << "its row, five of kv, a dead letter";
  host.plugins.clear();
  ASSERT_NO_FATAL_FAILURE(reload());
  EXPECT_EQ(host.run({"plugin", "forget", "probe"}).status, 0);
  EXPECT_EQ(host.run({"plugin", "forget", "probe"}).status, 3);
  EXPECT_THAT(traces_of("probe"), IsEmpty());

  with_counts();
  ASSERT_NO_FATAL_FAILURE(reload());
  ASSERT_TRUE(is("probe", "live"));
  EXPECT_EQ(host.subscriber("probe").at("lag_events").to_number<int>(), 0) << "a new one, which begins now";
  EXPECT_THAT(counts(host.path("counts")), IsEmpty());
}

TEST_F(KeptState, ForgetWorksWithoutAHostWhenTheConfigurationHasItNoMore) {
  with_counts();
  ASSERT_TRUE(host.start());
  send("chat_1");
  ASSERT_TRUE(host.catches_up("probe"));
  ASSERT_EQ(host.terminate(), 0);
  EXPECT_EQ(host.run({"plugin", "forget", "probe"}).status, 2);
  host.plugins.clear();
  host.write_config();
  EXPECT_EQ(host.run({"plugin", "forget", "probe"}).status, 0);
  EXPECT_THAT(traces_of("probe"), IsEmpty());
}

}  // namespace
}  // namespace hookhost::test
