// Teams' keys: of the YAML file and made by command.
#include "app/team_keys.h"

#include <gtest/gtest.h>

#include "signing/digest.h"
#include "support/temp_dir.h"

namespace hookhost::app {
namespace {

class TeamKeysTest : public testing::Test {
 protected:
  TeamKeysTest() { EXPECT_TRUE(keys.load()); }

  void configure(const std::map<std::string, std::vector<std::string>>& teams) {
    std::map<std::string, config::Team> out;
    for (const auto& [name, texts] : teams) {
      config::Team team;
      team.name = name;
      for (const auto& text : texts) team.api_keys.emplace_back(text);
      out.emplace(name, team);
    }
    keys.configure({out, {}});
  }
  std::string made(const std::string& team) {
    const auto key = keys.make(team, "for a test");
    EXPECT_TRUE(key);
    return key ? key.value().second : "";
  }
  std::string team_of(const std::string& key) {
    const auto team = keys.team_of(key);
    if (!team) { EXPECT_EQ(team.error().code, ErrorCode::invalid_api_key); }
    return team ? team.value() : "(none)";
  }

  test::TempDir directory;
  ManualClock clock;
  std::unique_ptr<state::Registry> registry = std::move(state::Registry::open(directory / "registry.db", true).value());
  TeamKeys keys{*registry, clock};
};

// Kakiyo's ids have 20 characters and stand in front of the key; others are teams too, and a key says nothing of them.
TEST_F(TeamKeysTest, HaveFortyCharactersWhateverTheTeamsIdIs) {
  for (const std::string team : {"abcdefghij1234567890", "a", "team_12345abcde", "a-team.of_more-than-twenty-characters"}) {
    const std::string key = made(team);
    EXPECT_EQ(key.size(), kKeySize) << team;
    EXPECT_EQ(key.starts_with(team), team.size() == kTeamIdSize) << team;
    EXPECT_EQ(team_of(key), team);
  }
}

TEST_F(TeamKeysTest, AreKeptAsHashesAndKnownAfterARestart) {
  const std::string key = made("team_1");
  const auto rows = registry->team_keys().value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].hash, signing::sha256(key));
  TeamKeys later(*registry, clock);
  ASSERT_TRUE(later.load());
  EXPECT_EQ(later.team_of(key).value(), "team_1");
}

TEST_F(TeamKeysTest, EndAtOnceWhenTheyAreRevokedAndStayListed) {
  const std::string key = made("team_1"), other = made("team_1");
  const std::string id = keys.list().at(0).id;
  const bool first = team_of(key) != "(none)";
  ASSERT_TRUE(first);
  for (const auto& one : keys.list()) EXPECT_FALSE(one.revoked_at);
  ASSERT_TRUE(keys.revoke(id));
  ASSERT_TRUE(keys.revoke(id)) << "twice is once";
  EXPECT_EQ((team_of(key) == "(none)") + (team_of(other) == "(none)"), 1);
  TeamKeys later(*registry, clock);
  ASSERT_TRUE(later.load());
  EXPECT_EQ(later.team_of(key).has_value() + later.team_of(other).has_value(), 1);
  EXPECT_EQ(keys.revoke("key_none").error().code, ErrorCode::not_found);
}

TEST_F(TeamKeysTest, OfTheFileComeAndGoWithIt) {
  configure({{"team_1", {"first", "second"}}, {"team_2", {"third"}}, {"team_3", {""}}});
  EXPECT_EQ(team_of("second"), "team_1");
  EXPECT_EQ(team_of("third"), "team_2");
  EXPECT_EQ(team_of(""), "(none)") << "a secret that was not asked for is no key";
  EXPECT_EQ(team_of("firs"), "(none)");
  configure({{"team_2", {"third"}}});
  EXPECT_EQ(team_of("first"), "(none)");
  EXPECT_EQ(keys.list().size(), 1U);
  EXPECT_EQ(keys.list()[0].id, "") << "it cannot be revoked here";
}

TEST_F(TeamKeysTest, OfATeamThatIsNotThereAreMarkedAndNotGood) {
  const std::string key = made("team_1");
  EXPECT_FALSE(keys.list().at(0).is_refused);
  configure({{"team_2", {"first"}}});
  ASSERT_EQ(keys.list().size(), 2U);
  EXPECT_TRUE(keys.list().at(0).is_refused);
  EXPECT_FALSE(keys.list().at(1).is_refused);
  keys.configure({{}, {"team_1"}});
  EXPECT_TRUE(keys.list().at(0).is_refused) << "no teams stand there any more, and this one was taken out";
  EXPECT_EQ(team_of(key), "(none)");
  EXPECT_EQ(keys.make("team_1", "").error().code, ErrorCode::usage);
  keys.configure({});
  EXPECT_EQ(team_of(key), "team_1");
  EXPECT_EQ(keys.teams(), std::set<std::string>{"team_1"});
  ASSERT_TRUE(keys.revoke(keys.list().at(0).id));
  EXPECT_FALSE(keys.list().at(0).is_refused) << "it is revoked";
  EXPECT_TRUE(keys.teams().empty());
}

TEST_F(TeamKeysTest, AreMadeForTeamsThatThereAre) {
  for (const std::string& team : {std::string(), std::string("a b"), std::string("a/b"), std::string("\xc3\xa4"), std::string(65, 'a')}) {
    EXPECT_EQ(keys.make(team, "").error().code, ErrorCode::usage) << team;
  }
  EXPECT_EQ(keys.make("team_1", std::string(257, 'l')).error().code, ErrorCode::usage);
  configure({{"team_1", {}}});
  EXPECT_TRUE(keys.make("team_1", ""));
  EXPECT_EQ(keys.make("team_2", "").error().code, ErrorCode::usage) << "it does not stand under teams";
}

}  // namespace
}  // namespace hookhost::app
