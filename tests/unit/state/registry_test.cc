// What registry.db keeps, and that a file of the first version becomes one of today.
#include "state/registry.h"

#include <gtest/gtest.h>

#include "state/sqlite.h"
#include "support/temp_dir.h"

namespace hookhost::state {
namespace {

WebhookRow webhook(const std::string& id) {
  return {.id = id,
          .team = "team_1",
          .origin = "v1",
          .name = "CRM",
          .url = "https://example.com/hook",
          .secret = "new",
          .previous_secret = "old",
          .previous_until = from_unix_ns(7'000),
          .events = {"linkedin.message.*", "github:push"},
          .settings = R"({"rate":2.0})",
          .active = false,
          .created_at = from_unix_ns(1'000),
          .changed_at = from_unix_ns(2'000)};
}

class RegisteredTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Registry> open() const { return Registry::open(path_, true).value(); }

  test::TempDir directory_;
  const std::string path_ = directory_ / "registry.db";
};

TEST_F(RegisteredTest, EndpointsAreThereAfterARestart) {
  {
    const auto registry = open();
    ASSERT_TRUE(registry->put(webhook("webhook_b")));
    WebhookRow bare{.id = "webhook_a", .team = {}, .origin = "command", .name = "a", .url = "https://a.example", .secret = {}, .previous_secret = {}, .previous_until = {},
                    .events = {"*"}};
    ASSERT_TRUE(registry->put(bare));
  }
  const auto all = open()->webhooks();
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all.value().size(), 2U);
  EXPECT_EQ(all.value()[0].id, "webhook_a");
  EXPECT_FALSE(all.value()[0].team);
  EXPECT_FALSE(all.value()[0].previous_until);
  EXPECT_TRUE(all.value()[0].active);
  const WebhookRow& row = all.value()[1];
  const WebhookRow wanted = webhook("webhook_b");
  EXPECT_EQ(row.team, wanted.team);
  EXPECT_EQ(row.origin, wanted.origin);
  EXPECT_EQ(row.name, wanted.name);
  EXPECT_EQ(row.url, wanted.url);
  EXPECT_EQ(row.secret, wanted.secret);
  EXPECT_EQ(row.previous_secret, wanted.previous_secret);
  EXPECT_EQ(row.previous_until, wanted.previous_until);
  EXPECT_EQ(row.events, wanted.events);
  EXPECT_EQ(row.settings, wanted.settings);
  EXPECT_FALSE(row.active);
  EXPECT_EQ(row.created_at, wanted.created_at);
  EXPECT_EQ(row.changed_at, wanted.changed_at);
}

TEST_F(RegisteredTest, AnEndpointIsReplacedByItsIdAndErased) {
  const auto registry = open();
  ASSERT_TRUE(registry->put(webhook("webhook_a")));
  auto changed = webhook("webhook_a");
  changed.url = "https://other.example";
  ASSERT_TRUE(registry->put(changed));
  ASSERT_EQ(registry->webhooks().value().size(), 1U);
  EXPECT_EQ(registry->webhooks().value()[0].url, "https://other.example");
  ASSERT_TRUE(registry->erase_webhook("webhook_a"));
  EXPECT_TRUE(registry->erase_webhook("webhook_a")) << "once more is no error";
  EXPECT_TRUE(registry->webhooks().value().empty());
}

TEST_F(RegisteredTest, KeysAreKeptByTheirHashAndNoneTwice) {
  const std::string hash("\0\x01\xff", 3);
  {
    const auto registry = open();
    ASSERT_TRUE(registry->put(TeamKeyRow{"key_1", "team_1", "n8n", hash, from_unix_ns(1'000), {}}));
    EXPECT_FALSE(registry->put(TeamKeyRow{"key_2", "team_2", "", hash, from_unix_ns(1'000), {}}));
    ASSERT_TRUE(registry->put(TeamKeyRow{"key_1", "team_1", "n8n", hash, from_unix_ns(1'000), from_unix_ns(5'000)}));
  }
  const auto all = open()->team_keys().value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].team, "team_1");
  EXPECT_EQ(all[0].label, "n8n");
  EXPECT_EQ(all[0].hash, hash);
  EXPECT_EQ(all[0].revoked_at, from_unix_ns(5'000));
  ASSERT_TRUE(open()->erase_team_key("key_1"));
  EXPECT_TRUE(open()->team_keys().value().empty());
}

TEST_F(RegisteredTest, TeamsThatWereTakenOutAreKeptByName) {
  const std::set<std::string> teams{"team_a", "t: \n%", ""};
  {
    const auto registry = open();
    EXPECT_TRUE(registry->taken_out().value().empty());
    ASSERT_TRUE(registry->put_taken_out({"team_z"}));
    ASSERT_TRUE(registry->put_taken_out(teams));
  }
  EXPECT_EQ(open()->taken_out().value(), teams);
  EXPECT_EQ(Registry::teams_in(path_).value().taken_out, teams);
  ASSERT_TRUE(open()->put_taken_out({}));
  EXPECT_TRUE(open()->taken_out().value().empty());
}

TEST_F(RegisteredTest, AFileOfTheFirstVersionIsBroughtUpToDate) {
  {
    auto database = Database::open(path_, Database::Mode::read_write).value();
    ASSERT_TRUE(database.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                                 "INSERT INTO meta VALUES ('a', 'b'); PRAGMA application_id=0x686b7267; PRAGMA user_version=1"));
  }
  const auto registry = Registry::open(path_, false);
  ASSERT_TRUE(registry) << registry.error().message;
  EXPECT_FALSE(registry.value()->created());
  ASSERT_TRUE(registry.value()->put(webhook("webhook_a")));
  EXPECT_EQ(registry.value()->webhooks().value().size(), 1U);
  auto database = Database::open(path_, Database::Mode::read_only).value();
  auto kept = database.prepare("SELECT value FROM meta WHERE name='a'").value();
  ASSERT_TRUE(kept.row().value());
  EXPECT_EQ(kept.text(0), "b");
}

}  // namespace
}  // namespace hookhost::state
