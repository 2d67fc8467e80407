// Changes of endpoints that are sent to: whom they wait for, what the configuration forbids later, what a failure leaves.
#include <gtest/gtest.h>

#include <future>

#include "support/http_receiver.h"
#include "support/poll.h"
#include "endpoint_rooms.h"

namespace hookhost::app {
namespace {

using namespace std::chrono_literals;
using test::HttpReceiver;
using test::poll_until;

// Time stands still but where a test lets it go on: what waits for a delay waits for ever.
class EndpointChanges : public EndpointRooms {
 protected:
  EndpointChanges() : EndpointRooms(Time::stands) {
    config.endpoint_defaults.allow_http = true;
    config.endpoint_defaults.allowed_networks = {parse_network("127.0.0.0/8").value()};
    EXPECT_TRUE(set->load(config));
    EXPECT_TRUE(apply());
  }
  bool apply() { return accept() && set->apply(config); }

  // A receiver that answers when it is let go: before it ends itself.
  HttpReceiver::Answer hanging() {
    return [this](const std::string&) {
      poll_until([&] { return released.load(); }, 120s);
      return HttpReceiver::status(200);
    };
  }
  struct LetGo {
    std::atomic<bool>& released;
    ~LetGo() { released = true; }
  };
  static HttpReceiver::Answer good() {
    return [](const std::string&) { return HttpReceiver::status(200); };
  }
  std::string made(const std::string& team, const std::string& url) {
    const auto one = set->create(team, {.name = "a", .url = url, .events = std::vector<std::string>{"*"}, .timeout = 5min});
    EXPECT_TRUE(one) << one.error().message;
    return one ? one.value().id : "";
  }
  std::string reason_of(const std::string& team, const std::string& id) { return set->endpoint(team, id).value().paused_reason.value_or(""); }
  ErrorCode code_of(const Result<api::Changed>& changed) { return changed ? ErrorCode{} : changed.error().code; }
  // Time goes on while it is waited.
  bool in_time(const std::function<bool()>& done) {
    return poll_until([&] {
      clock.advance(1ms);
      return done();
    });
  }

  std::atomic<bool> released{false};
};

TEST_F(EndpointChanges, SwitchedOnWithANewUrlOneWaitsForNoReceiverAndSendsNothingToTheOldOne) {
  HttpReceiver old(hanging()), fresh(good());
  const LetGo at_end{released};
  const std::string id = made("team_a", old.url());
  ASSERT_TRUE(in_time([&] { return state_of(id) == "live"; }));
  feed.append({.key = "k", .team = "team_a"});
  ASSERT_TRUE(in_time([&] { return old.bodies().size() == 1; }));
  ASSERT_TRUE(set->update("team_a", id, {.active = false}));
  feed.append({.key = "k", .team = "team_a"});
  ASSERT_TRUE(set->update("team_a", id, {.url = fresh.url(), .active = true, .backlog = true})) << "the one that is under way is not waited for";
  EXPECT_TRUE(in_time([&] { return fresh.bodies().size() == 2; })) << "it comes again";
  EXPECT_EQ(old.bodies().size(), 1U);
}

TEST_F(EndpointChanges, RemovedItWaitsForNoReceiver) {
  HttpReceiver receiver(hanging());
  const LetGo at_end{released};
  const std::string id = made("team_a", receiver.url());
  ASSERT_TRUE(in_time([&] { return state_of(id) == "live"; }));
  feed.append({.key = "k", .team = "team_a"});
  ASSERT_TRUE(in_time([&] { return receiver.bodies().size() == 1; }));
  ASSERT_TRUE(set->remove("team_a", id));
  EXPECT_EQ(state_of(id), "(unknown)");
}

// A replay counts what it will send.
TEST_F(EndpointChanges, WhileOneReadsTheEventLogOthersAreMadeChangedAndRemoved) {
  HttpReceiver receiver(good());
  for (int n = 0; n < 3; ++n) feed.append({.key = "k", .team = "team_a"});
  const std::string a = made("team_a", receiver.url());
  ASSERT_TRUE(in_time([&] { return state_of(a) == "live"; }));
  feed.close_gate();
  auto replay = std::async(std::launch::async, [&] { return set->replay("team_a", a, {.since = "beginning", .until = {}}); });
  ASSERT_TRUE(poll_until([&] { return feed.waiting_at_gate() > 0; }));
  auto others = std::async(std::launch::async, [&] {
    const std::string b = made("team_b", receiver.url());
    const bool changed = set->update("team_b", b, {.name = "renamed"}).has_value() && set->update("team_b", b, {.active = false}).has_value();
    return changed && set->endpoints("team_a").size() == 1 && set->update("team_a", a, {.name = "renamed"}).has_value() && set->remove("team_b", b).has_value();
  });
  const bool done = others.wait_for(60s) == std::future_status::ready;
  EXPECT_TRUE(done) << "they wait for the replay";
  EXPECT_NE(replay.wait_for(0s), std::future_status::ready);
  feed.open_gate();
  EXPECT_TRUE(others.get());
  EXPECT_TRUE(replay.get());
}

TEST_F(EndpointChanges, ByAReloadThatClosesHttpOneStandsStillWithTheReasonUntilItIsOpenedAgain) {
  HttpReceiver receiver(good());
  const std::string id = made("team_a", receiver.url());
  ASSERT_TRUE(in_time([&] { return state_of(id) == "live"; }));
  config.endpoint_defaults.allow_http = false;
  ASSERT_TRUE(apply());
  EXPECT_EQ(state_of(id), "disabled");
  EXPECT_NE(reason_of("team_a", id).find("https://"), std::string::npos) << reason_of("team_a", id);
  feed.append({.key = "k", .team = "team_a"});

  EXPECT_TRUE(set->update("team_a", id, {.name = "renamed"})) << "its URL was not named";
  EXPECT_EQ(code_of(set->update("team_a", id, {.url = receiver.url()})), ErrorCode::usage);
  EXPECT_TRUE(set->update("team_a", id, {.active = false})) << "switched off it may always be";
  EXPECT_EQ(code_of(set->update("team_a", id, {.active = true})), ErrorCode::conflict);
  EXPECT_EQ(set->replay("team_a", id, {.since = "beginning", .until = {}}).error().code, ErrorCode::conflict);
  EXPECT_EQ(set->test("team_a", "linkedin.message.sent", "").error().code, ErrorCode::not_found);

  config.endpoint_defaults.allow_http = true;
  ASSERT_TRUE(apply());
  ASSERT_TRUE(set->update("team_a", id, {.active = true, .backlog = true}));
  EXPECT_TRUE(in_time([&] { return receiver.bodies().size() == 1; })) << "held, and not lost";
}

TEST_F(EndpointChanges, ByAReloadThatClosesItsNetworkOneStandsStill) {
  HttpReceiver receiver(good());
  const std::string id = made("team_a", receiver.url());
  config.endpoint_defaults.allowed_networks.clear();
  ASSERT_TRUE(apply());
  EXPECT_EQ(state_of(id), "disabled");
  EXPECT_NE(reason_of("team_a", id).find("127.0.0.1"), std::string::npos);
  set = make();  // and so after a restart
  ASSERT_TRUE(set->load(config));
  ASSERT_TRUE(apply());
  EXPECT_EQ(state_of(id), "disabled");
}

TEST_F(EndpointChanges, OfATeamThatIsTakenOutKeysAreRefusedAndWebhooksStandStillUntilItIsBack) {
  HttpReceiver of_a(good()), of_b(good());
  config.teams = {{"team_a", {.name = "team_a"}}, {"team_b", {.name = "team_b"}}};
  ASSERT_TRUE(apply());
  const std::string key_a = set->make_key("team_a", "").value().second, key_b = set->make_key("team_b", "").value().second;
  const std::string a = made("team_a", of_a.url()), b = made("team_b", of_b.url());
  ASSERT_TRUE(in_time([&] { return state_of(a) == "live" && state_of(b) == "live"; }));
  const config::Team taken = config.teams.at("team_a");
  config.teams.erase("team_a");
  ASSERT_TRUE(apply());
  EXPECT_EQ(set->team_of_key(key_a).error().code, ErrorCode::invalid_api_key);
  EXPECT_EQ(set->team_of_key(key_b).value(), "team_b");
  EXPECT_EQ(state_of(a), "disabled");
  for (const char* team : {"team_a", "team_b"}) feed.append({.key = "k", .team = team});
  ASSERT_TRUE(in_time([&] { return of_b.bodies().size() == 1; }));
  EXPECT_EQ(set->resume(a).error().code, ErrorCode::refused) << "not by the operator either";
  for (const char* way_out : {"add it there and reload", "hookhost endpoint remove webhook_"}) {
    EXPECT_NE(set->resume(a).error().message.find(way_out), std::string::npos) << set->resume(a).error().message;
    EXPECT_NE(set->endpoint("team_a", a).value().paused_reason.value_or("").find(way_out), std::string::npos);
  }
  config.teams.emplace("team_a", taken);
  ASSERT_TRUE(apply());
  EXPECT_EQ(set->team_of_key(key_a).value(), "team_a");
  EXPECT_TRUE(in_time([&] { return of_a.bodies().size() == 1; })) << "it missed nothing";
}

// What an edit has closed, the removal of more lines does not open.
TEST_F(EndpointChanges, OfATeamThatIsTakenOutNothingComesBackWhenAllTeamsAreDeleted) {
  HttpReceiver of_a(good()), of_b(good());
  const auto named = [](const std::string& name) { return std::pair<const std::string, config::Team>(name, {.name = name}); };
  config.teams = {named("team_a"), named("team_b")};
  ASSERT_TRUE(apply());
  const std::string key_a = set->make_key("team_a", "").value().second, key_b = set->make_key("team_b", "").value().second;
  const std::string a = made("team_a", of_a.url());
  made("team_b", of_b.url());
  config.teams = {named("team_b")};
  ASSERT_TRUE(apply());
  config.teams.clear();
  ASSERT_TRUE(apply());
  const auto holds = [&] {
    EXPECT_EQ(set->team_of_key(key_a).error().code, ErrorCode::invalid_api_key);
    EXPECT_EQ(set->make_key("team_a", "").error().code, ErrorCode::usage);
    EXPECT_EQ(state_of(a), "disabled");
    EXPECT_EQ(set->team_of_key(key_b).value(), "team_b") << "it was not taken out";
    EXPECT_TRUE(set->make_key("team_c", ""));
  };
  holds();
  start_again();
  ASSERT_TRUE(set->load(config));
  ASSERT_TRUE(apply());
  holds();
  config.teams = {named("team_a"), named("team_b"), named("team_c")};
  ASSERT_TRUE(apply());
  config.teams.clear();
  ASSERT_TRUE(apply());
  EXPECT_EQ(set->team_of_key(key_a).value(), "team_a") << "named again, it is a team like any other";
  EXPECT_NE(state_of(a), "disabled");
}

TEST_F(EndpointChanges, AReplayReadsTheEventsOnceToCountAndOnceToDeliverThem) {
  constexpr std::uint64_t kEvents = 200;
  HttpReceiver receiver(good());
  const std::string id = made("team_a", receiver.url());
  ASSERT_TRUE(in_time([&] { return state_of(id) == "live"; }));
  for (std::uint64_t n = 0; n < kEvents; ++n) feed.append({.key = "k" + std::to_string(n % 8), .team = "team_a"});
  ASSERT_TRUE(in_time([&] { return set->endpoint("team_a", id).value().status.outcomes.ok == kEvents; }));
  const auto before = feed.looked();
  EXPECT_EQ(set->replay("team_a", id, {.since = "beginning", .until = {}}).value(), kEvents);
  ASSERT_TRUE(in_time([&] { return set->endpoint("team_a", id).value().status.outcomes.ok == 2 * kEvents; }));
  EXPECT_LT(feed.looked() - before, 3 * kEvents);
}

TEST_F(EndpointChanges, ATeamHasABoundedNumberOfWebhooks) {
  config.api.webhooks_max = 2;
  ASSERT_TRUE(apply());
  const std::string url = "http://127.0.0.1:1/";
  const api::EndpointWishes wishes{.name = "a", .url = url, .events = std::vector<std::string>{"*"}};
  const std::string first = made("team_a", url);
  made("team_a", url);
  const auto third = set->create("team_a", wishes);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::conflict);
  made("team_b", url);
  for (int n = 0; n < 3; ++n) EXPECT_TRUE(set->create(std::nullopt, wishes)) << "the operator counts for himself";
  ASSERT_TRUE(set->remove("team_a", first));
  made("team_a", url);
}

TEST_F(EndpointChanges, OneThatCannotBeForgottenIsRemovedAllTheSameAndForgottenAtTheNextStart) {
  const std::string id = made("team_a", "http://127.0.0.1:1/");
  ASSERT_TRUE(in_time([&] { return state_of(id) == "live"; }));
  store.fail_commits_of_forgetting(true);
  EXPECT_TRUE(set->remove("team_a", id));
  store.fail_commits_of_forgetting(false);
  EXPECT_TRUE(set->endpoints("team_a").empty());
  EXPECT_EQ(set->remove("team_a", id).error().code, ErrorCode::not_found);
  EXPECT_EQ(state_of(id), "disabled") << "nothing is sent to it";
  set = make();
  ASSERT_TRUE(set->load(config));
  ASSERT_TRUE(apply());
  EXPECT_EQ(state_of(id), "(unknown)");
}

TEST_F(EndpointChanges, WhatIsWrongWithAReplayIsToldBeforeWhyItCannotBeNow) {
  const std::string id = made("team_a", "http://127.0.0.1:1/");
  ASSERT_TRUE(set->pause(id));
  EXPECT_EQ(set->replay("team_a", id, {.since = "yesterday-ish", .until = {}}).error().code, ErrorCode::usage);
  EXPECT_EQ(set->replay("team_a", id, {.since = "beginning", .until = "99"}).error().code, ErrorCode::usage);
  const auto refused = set->replay("team_a", id, {.since = "beginning", .until = {}});
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(refused.error().message.find("active"), std::string::npos) << "it would not help: " << refused.error().message;
  ASSERT_TRUE(set->resume(id));
  ASSERT_TRUE(set->update("team_a", id, {.active = false}));
  EXPECT_NE(set->replay("team_a", id, {.since = "beginning", .until = {}}).error().message.find("\"active\": true"), std::string::npos);
}

}  // namespace
}  // namespace hookhost::app
