// All endpoints of a host, without anything being sent: who sees which, what a crash leaves, who may change what.
#include "endpoint_rooms.h"

namespace hookhost::app {
namespace {

class EndpointSetTest : public EndpointRooms {
 protected:
  EndpointSetTest() : EndpointRooms(Time::goes_on) {
    config::Endpoint relay;
    relay.name = "relay";
    relay.url = "https://relay.example/";
    relay.events = {Pattern{}};
    config.endpoints.emplace("relay", relay);
    EXPECT_TRUE(set->load(config));
    EXPECT_TRUE(accept());
  }
  std::string made(const std::optional<std::string>& team, const std::string& url = "https://a.example/") {
    const auto one = set->create(team, {.name = "a", .url = url, .events = std::vector<std::string>{"*"}});
    EXPECT_TRUE(one) << one.error().message;
    return one ? one.value().id : "";
  }
  std::vector<std::string> seen(const std::optional<std::string>& team) {
    std::vector<std::string> out;
    for (const auto& one : set->endpoints(team)) out.push_back(one.id);
    return out;
  }
};

TEST_F(EndpointSetTest, TeamsSeeWhatTheyMadeAndTheOperatorSeesAll) {
  const std::string a = made("team_a"), b = made("team_b"), mine = made(std::nullopt);
  EXPECT_EQ(seen("team_a"), std::vector<std::string>{a});
  EXPECT_EQ(seen("team_c"), std::vector<std::string>{});
  EXPECT_EQ(seen(std::nullopt).size(), 4U) << "with that of the file";
  for (const std::string& foreign : {b, mine, std::string("relay"), std::string("webhook_none")}) {
    EXPECT_EQ(set->endpoint("team_a", foreign).error().code, ErrorCode::not_found) << foreign;
    EXPECT_EQ(set->update("team_a", foreign, {.name = "x"}).error().code, ErrorCode::not_found) << foreign;
    EXPECT_EQ(set->remove("team_a", foreign).error().code, ErrorCode::not_found) << foreign;
    EXPECT_EQ(set->attempts("team_a", foreign, {}).error().code, ErrorCode::not_found) << foreign;
    EXPECT_EQ(set->retry("team_a", foreign, "evt_1").error().code, ErrorCode::not_found) << foreign;
    EXPECT_EQ(set->replay("team_a", foreign, {"beginning", {}}).error().code, ErrorCode::not_found) << foreign;
  }
  EXPECT_EQ(seen(std::nullopt).size(), 4U);
}

TEST_F(EndpointSetTest, ThoseOfTheFileAreChangedThere) {
  for (const auto& refused : {set->update(std::nullopt, "relay", {.name = "x"}).error(), set->remove(std::nullopt, "relay").error()}) {
    EXPECT_EQ(refused.code, ErrorCode::refused);
    EXPECT_NE(refused.message.find("reload"), std::string::npos);
  }
}

TEST_F(EndpointSetTest, WhatWasRegisteredIsThereAfterARestart) {
  const std::string a = made("team_a");
  ASSERT_TRUE(set->update("team_a", a, {.name = "renamed", .active = false}));
  set = make();
  ASSERT_TRUE(set->load(config));
  ASSERT_EQ(seen("team_a"), std::vector<std::string>{a});
  const auto info = set->endpoint("team_a", a).value();
  EXPECT_EQ(info.name, "renamed");
  EXPECT_FALSE(info.active);
}

// Killed between its position and its row, or between the two when it is removed.
TEST_F(EndpointSetTest, APositionWithoutARowIsForgottenAtTheNextStart) {
  ASSERT_TRUE(engine->accept(SubscriberId{"webhook_half"}, "endpoint", {}));
  ASSERT_TRUE(engine->accept(SubscriberId{"forward_half"}, "endpoint", {}));
  ASSERT_TRUE(engine->accept(SubscriberId{"left_the_file"}, "endpoint", {}));
  ASSERT_TRUE(engine->accept(SubscriberId{"a_plugin"}, "plugin", {}));
  const std::string whole = made("team_a");
  ASSERT_TRUE(set->apply(config));
  EXPECT_EQ(state_of("webhook_half"), "(unknown)");
  EXPECT_EQ(state_of("forward_half"), "(unknown)");
  EXPECT_EQ(state_of("left_the_file"), "detached");
  EXPECT_NE(state_of("a_plugin"), "detached");
  EXPECT_NE(state_of(whole), "(unknown)");
  EXPECT_TRUE(set->remove(std::nullopt, "left_the_file"));
  EXPECT_EQ(state_of("left_the_file"), "(unknown)");
  EXPECT_EQ(set->remove(std::nullopt, "a_plugin").error().code, ErrorCode::not_found) << "it is no endpoint";
  EXPECT_EQ(set->pause("a_plugin").error().code, ErrorCode::not_found);
}

TEST_F(EndpointSetTest, ATeamNamesPlacesByTimeAndNotByOffset) {
  const auto refused = set->create("team_a", {.name = "a", .url = "https://a.example/", .events = std::vector<std::string>{"*"}, .since = "99"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_EQ(refused.error().message.find("end of the event log"), std::string::npos) << "it would say how many events there are";
  EXPECT_TRUE(seen("team_a").empty());
}

TEST_F(EndpointSetTest, OwnersAndTheOperatorEachHaveASwitch) {
  const std::string id = made("team_a");
  ASSERT_TRUE(set->pause(id));
  ASSERT_TRUE(set->update("team_a", id, {.active = true}));
  EXPECT_EQ(state_of(id), "paused");
  ASSERT_TRUE(set->update("team_a", id, {.active = false}));
  ASSERT_TRUE(set->resume(id));
  EXPECT_EQ(set->endpoint("team_a", id).value().paused_reason, "switched off by its owner");
  ASSERT_TRUE(set->resume(id)) << "asked for once more";
  EXPECT_TRUE(set->endpoint("team_a", id).value().active);
  EXPECT_NE(state_of(id), "paused");
}

TEST_F(EndpointSetTest, CountsOfATeamNeverGoBack) {
  const std::string a = made("team_a"), b = made("team_a");
  std::vector<delivery::SubscriberStatus> all = engine->status();
  for (auto& one : all) one.outcomes = {.ok = 2, .retry = 1};
  const auto counts = set->count_teams(all);
  ASSERT_EQ(counts.size(), 1U) << "those of the file are counted one by one";
  EXPECT_EQ(counts.at("team_a").endpoints, 2U);
  EXPECT_EQ(counts.at("team_a").succeeded, 4U);
  EXPECT_EQ(counts.at("team_a").failed, 2U);
  EXPECT_TRUE(set->is_of_a_team(SubscriberId{a}));
  EXPECT_FALSE(set->is_of_a_team(SubscriberId{"relay"}));
  ASSERT_TRUE(set->remove("team_a", a));
  ASSERT_TRUE(set->remove("team_a", b));
  EXPECT_EQ(set->count_teams({}).at("team_a").endpoints, 0U) << "the team is still shown";
}

}  // namespace
}  // namespace hookhost::app
