// The exit status of every command there is, in every situation that decides it: 0 done, 1 failed, 2 usage or refused, 3 not found, 4 no host.
// 70, of a poisoned event log, is in poison_test.cc.
#include <gmock/gmock.h>

#include "system/command_line.h"

namespace hookhost::test {
namespace {

struct Expected {
  int status;
  std::vector<std::string> line;
};
using Table = std::vector<Expected>;

class ExitStatus : public CommandTest {
 protected:
  static void expect(const Expected& row, const Ran& ran) {
    EXPECT_EQ(ran.status, row.status) << testing::PrintToString(row.line) << " " << ran;
    if (row.status == 0) { EXPECT_EQ(ran.err, "") << testing::PrintToString(row.line); }
    if (row.status >= 2) { EXPECT_NE(ran.err, "") << testing::PrintToString(row.line) << ": it says why"; }
  }
  void expect(const Table& table) {
    for (const Expected& row : table) expect(row, host.run(row.line));
  }
  // A subscriber with a dead letter and a waiting delivery, one that is reset_only and has a past, one that wants confirmations.
  void start_with_work() {
    add_probe("probe", "retry: [1ms], ");
    add_probe("careful", "", "", "test_probe_ask");
    add_probe("strict", "", "", "test_probe_reset_only");
    ASSERT_TRUE(host.start());
    send("chat_1", {{"do", "reject"}, {"times", 1}});
    send("chat_2", {{"do", "own_delay"}, {"times", 1}});
    for (const char* name : {"probe", "careful", "strict"}) {
      ASSERT_TRUE(poll_until([&] { return text(host.subscriber(name), "dead_letters") == "1" && text(host.subscriber(name), "blocked_keys") == "1"; }));
    }
    write_text(host.path("body"), "{}");
  }
};

TEST_F(ExitStatus, BesideARunningHost) {
  ASSERT_NO_FATAL_FAILURE(start_with_work());
  expect(Table{{0, {"check"}},
               {0, {"status"}},
               {0, {"status", "probe"}},
               {1, {"status", "--check"}},
               {1, {"status", "probe", "--check"}},
               {3, {"status", "nobody"}},
               {0, {"reload", "--dry-run"}},
               {0, {"reload"}},
               {1, {"serve"}},

               {0, {"send", "github", "push"}},
               {3, {"send", "nobody", "push"}},
               {2, {"send", "github"}},
               {2, {"send", "github", "push", "--rate", "1/fortnight"}},
               {4, {"send", "--url", "http://127.0.0.1:" + std::to_string(free_port()) + "/", "--scheme", "github", "--secret-env", "PATH", "push"}},
               {1, {"send", "--url", "http://127.0.0.1:" + std::to_string(host.public_port()) + "/in/github", "--scheme", "github", "--secret-env", "PATH", "push"}},
               {1, {"verify", "--source", "github", "--body", host.path("body")}},
               {3, {"verify", "--source", "nobody", "--body", host.path("body")}},
               {2, {"verify", "--source", "raw", "--body", host.path("body")}},
               {2, {"verify"}},
               {0, {"types", "list"}},
               {0, {"types", "example", "push"}},
               {3, {"types", "example", "no.such"}},

               {0, {"events", "list"}},
               {0, {"events", "list", "--source", "nobody"}},
               {2, {"events", "list", "--since", "yesterday"}},
               {2, {"events", "list", "--type", "a*b"}},
               {0, {"events", "show", "0"}},
               {3, {"events", "show", "4711"}},
               {3, {"events", "show", "evt_00000000000000000000000000"}},
               {0, {"events", "tail", "--since", "beginning", "--limit", "1"}},
               {0, {"events", "verify"}},
               {2, {"events"}},

               {0, {"deliveries", "list"}},
               {0, {"deliveries", "list", "--subscriber", "probe", "--state", "running"}},
               {3, {"deliveries", "list", "--subscriber", "nobody"}},
               {2, {"deliveries", "list", "--state", "lost"}},
               {2, {"deliveries", "list", "--event", "first"}},
               {0, {"deliveries", "show", "--subscriber", "probe", "--event", "1"}},
               {3, {"deliveries", "show", "--event", "0"}},
               {0, {"deliveries", "show", "--subscriber", "probe", "--event", "0"}},
               {2, {"deliveries", "show", "--subscriber", "probe"}},
               {0, {"deliveries", "list", "--attempts", "--subscriber", "probe", "--limit", "1"}},
               {2, {"deliveries", "list", "--attempts"}},
               {2, {"deliveries", "list", "--attempts", "--subscriber", "probe", "--key", "a"}},
               {2, {"deliveries", "list", "--limit", "1"}},
               {3, {"deliveries", "list", "--attempts", "--subscriber", "nobody"}},
               {3, {"deliveries", "retry-now", "--subscriber", "probe", "--event", "0"}},
               {3, {"deliveries", "retry-now", "--subscriber", "nobody", "--event", "1"}},
               {2, {"deliveries", "retry-now", "--event", "1"}},

               {0, {"dead-letters", "list"}},
               {3, {"dead-letters", "list", "--subscriber", "nobody"}},
               {2, {"dead-letters", "list", "--since", "yesterday"}},
               {0, {"dead-letters", "show", "probe", "0"}},
               {3, {"dead-letters", "show", "probe", "1"}},
               {2, {"dead-letters", "show", "probe", "first"}},
               {2, {"dead-letters", "retry"}},
               {3, {"dead-letters", "retry", "--subscriber", "probe", "--offset", "1"}},
               {2, {"dead-letters", "discard"}},
               {0, {"dead-letters", "discard", "--subscriber", "careful"}},
               {3, {"dead-letters", "discard", "--subscriber", "careful", "--all"}},

               {0, {"replay", "careful", "--from", "beginning", "--dry-run"}},
               {2, {"replay", "careful", "--from", "beginning"}},
               {0, {"replay", "careful", "--from", "beginning", "--until", "1", "--yes"}},
               {2, {"replay", "strict", "--from", "beginning"}},
               {0, {"replay", "strict", "--from", "beginning", "--dry-run"}},
               {2, {"replay", "strict", "--from", "beginning", "--reset", "--live", "continue"}},
               {2, {"replay", "probe", "--from", "hold"}},
               {2, {"replay", "probe", "--from", "4711"}},
               {2, {"replay", "probe", "--from", "beginning", "--live", "perhaps"}},
               {2, {"replay", "probe", "--from", "beginning", "--rate", "5/m"}},
               {2, {"replay", "probe"}},
               {3, {"replay", "nobody", "--from", "beginning"}},
               {0, {"replays", "list"}},
               {0, {"replays", "watch", "1"}},
               {2, {"replays", "cancel", "1"}},
               {2, {"replays", "resume", "1"}},
               {3, {"replays", "watch", "4711"}},
               {3, {"replays", "cancel", "4711"}},
               {3, {"replays", "resume", "4711"}},
               {2, {"replays", "watch", "the-last"}},
               {2, {"replays", "watch"}},

               {0, {"plugin", "new", "mine"}},
               {2, {"plugin", "new", "mine"}},
               {2, {"plugin", "new", "Not-A-Name"}},
               {2, {"plugin", "new", "other", "--lang", "pascal"}},
               {0, {"plugin", "test", "probe"}},
               {0, {"plugin", "test", "probe", "--json", "--type", "push"}},
               {1, {"plugin", "test", "probe", "--type", "x.y", "--data", R"({"data":{"do":"reject"}})"}},
               {1, {"plugin", "test", "probe", "--config", "{}"}},
               {2, {"plugin", "test", "probe", "--config", "[]"}},
               {2, {"plugin", "test", "probe", "--type", "x.y"}},
               {2, {"plugin", "test", "probe", "--data", "{}"}},
               {2, {"plugin", "test"}},
               {3, {"plugin", "test", "nobody"}},
               {3, {"plugin", "test", "./nobody.so"}},
               {0, {"plugin", "list"}},
               {0, {"plugin", "pause", "probe"}},
               {2, {"replay", "probe", "--from", "beginning"}},
               {2, {"dead-letters", "retry", "--subscriber", "probe"}},
               {0, {"plugin", "resume", "probe"}},
               {0, {"plugin", "acknowledge-gaps", "probe"}},
               {2, {"plugin", "forget", "probe"}},
               {3, {"plugin", "pause", "nobody"}},
               {3, {"plugin", "resume", "nobody"}},
               {3, {"plugin", "acknowledge-gaps", "nobody"}},
               {3, {"plugin", "forget", "nobody"}},
               {2, {"plugin"}},
               {0, {"deliveries", "retry-now", "--subscriber", "probe", "--event", "1"}},
               {0, {"dead-letters", "retry", "--subscriber", "probe"}}});
  host.more = "listen2: {}\n";
  host.write_config();
  expect(Table{{1, {"reload"}}, {1, {"check"}}, {1, {"status"}}});
}

// An endpoint of the file, one that is registered, and a key.
TEST_F(ExitStatus, OfEndpointsForwardsAndTeamsBesideARunningHost) {
  host.more = "endpoints: {relay: {url: \"https://relay.example/\", events: [\"@raw\"]}}\n";
  ASSERT_TRUE(host.start());
  const std::string url = "https://a.example/";
  const std::string id = text(host.run({"endpoint", "add", url, "--json"}).objects().at(0), "id");
  const std::string key = text(host.run({"team", "key", "add", "team_1", "--json"}).objects().at(0), "id");
  expect(Table{{0, {"endpoint", "list"}},
               {2, {"endpoint"}},
               {2, {"endpoint", "add"}},
               {0, {"endpoint", "add", url, "--no-secret", "--event", "a.*", "--retry", "1s", "--timeout", "3s", "--header", "X-A: b"}},
               {2, {"endpoint", "add", "http://a.example/"}},
               {2, {"endpoint", "add", "https://127.0.0.1/"}},
               {2, {"endpoint", "add", url, "--event", "a*b"}},
               {2, {"endpoint", "add", url, "--since", "yesterday"}},
               {2, {"endpoint", "add", url, "--since", "4711"}},
               {2, {"endpoint", "add", url, "--secret", "s"}},
               {2, {"endpoint", "add", url, "--secret-env", "NOT_SET_ANYWHERE"}},
               {3, {"endpoint", "add", url, "--secret-file", "no-such-file"}},
               {2, {"endpoint", "add", url, "--secret-env", "PATH", "--no-secret"}},
               {2, {"endpoint", "add", url, "--signing", "rot13", "--no-secret"}},
               {2, {"endpoint", "add", url, "--concurrency", "0"}},
               {0, {"endpoint", "update", id, "--name", "crm", "--new-secret", "--json"}},
               {2, {"endpoint", "update", id, "--active", "perhaps"}},
               {2, {"endpoint", "update", id, "--backlog"}},
               {0, {"endpoint", "update", id, "--active", "false"}},
               {0, {"endpoint", "update", id, "--active", "true"}},
               {2, {"endpoint", "update", "relay", "--name", "x"}},
               {3, {"endpoint", "update", "webhook_none", "--name", "x"}},
               {0, {"endpoint", "pause", id}},
               {2, {"replay", id, "--from", "beginning"}},
               {0, {"endpoint", "resume", id}},
               {0, {"endpoint", "pause", "relay"}},
               {0, {"endpoint", "resume", "relay"}},
               {3, {"endpoint", "pause", "nobody"}},
               {3, {"endpoint", "resume", "nobody"}},
               {2, {"endpoint", "remove", "relay"}},
               {0, {"endpoint", "remove", id}},
               {3, {"endpoint", "remove", id}},

               {2, {"forward", "kakiyo"}},
               {3, {"forward", "nobody", url}},
               {2, {"forward", "kakiyo", "no-url"}},
               {2, {"forward", "kakiyo", url, "--from", "yesterday"}},

               {2, {"team"}},
               {0, {"team", "list"}},
               {2, {"team", "key"}},
               {0, {"team", "key", "list"}},
               {2, {"team", "key", "add"}},
               {2, {"team", "key", "add", "not a team"}},
               {0, {"team", "key", "revoke", key}},
               {3, {"team", "key", "revoke", "key_none"}}});
  const Ran made = host.run({"team", "key", "add", "team_2", "--label", "ci"});
  EXPECT_EQ(made.status, 0) << made;
  EXPECT_EQ(made.out.size(), 41U) << "the key alone, for a script";
}

TEST_F(ExitStatus, OfEndpointsForwardsAndTeamsWithoutARunningHost) {
  host.write_config();
  const std::string id = text(host.run({"endpoint", "add", "https://a.example/", "--no-secret", "--json"}).objects().at(0), "id");
  expect(Table{{0, {"endpoint", "list"}},
               {0, {"endpoint", "update", id, "--name", "crm"}},
               {0, {"endpoint", "update", id, "--active", "false"}},
               {4, {"endpoint", "update", id, "--active", "true"}},
               {0, {"endpoint", "update", id, "--active", "true", "--backlog"}},
               {0, {"endpoint", "pause", id}},
               {0, {"endpoint", "resume", id}},
               {0, {"deliveries", "list", "--attempts", "--subscriber", id}},
               {0, {"endpoint", "remove", id}},
               {3, {"endpoint", "remove", id}},
               {4, {"forward", "kakiyo", "http://127.0.0.1:1/"}},
               {0, {"team", "list"}},
               {3, {"team", "key", "revoke", "key_none"}}});
  EXPECT_EQ(host.run({"team", "key", "add", "team_1"}).out.size(), 41U);
}

TEST_F(ExitStatus, WithoutARunningHost) {
  ASSERT_NO_FATAL_FAILURE(start_with_work());
  ASSERT_EQ(host.terminate(), 0);
  expect(Table{{0, {"check"}},
               {0, {"status"}},
               {1, {"status", "--check"}},
               {3, {"status", "nobody"}},
               {4, {"reload"}},
               {4, {"reload", "--dry-run"}},
               {4, {"send", "github", "push"}},
               {1, {"verify", "--source", "github", "--body", host.path("body")}},
               {0, {"events", "list"}},
               {3, {"events", "show", "4711"}},
               {0, {"events", "verify"}},
               {0, {"deliveries", "list"}},
               {4, {"deliveries", "retry-now", "--subscriber", "probe", "--event", "1"}},
               {0, {"dead-letters", "list"}},
               {0, {"dead-letters", "show", "probe", "0"}},
               {4, {"dead-letters", "retry", "--subscriber", "probe"}},
               {0, {"dead-letters", "discard", "--subscriber", "probe"}},
               {0, {"replay", "probe", "--from", "beginning", "--dry-run"}},
               {4, {"replay", "probe", "--from", "beginning"}},
               {3, {"replay", "nobody", "--from", "beginning"}},
               {0, {"replays", "list"}},
               {3, {"replays", "watch", "1"}},
               {4, {"replays", "cancel", "1"}},
               {4, {"replays", "resume", "1"}},
               {0, {"plugin", "test", "probe"}},
               {3, {"plugin", "test", "nobody"}},
               {0, {"plugin", "list"}},
               {0, {"plugin", "pause", "probe"}},
               {0, {"plugin", "resume", "probe"}},
               {3, {"plugin", "pause", "nobody"}},
               {2, {"plugin", "forget", "probe"}}});
}

TEST_F(ExitStatus, WithoutAConfiguration) {
  for (const Expected& row : Table{{3, {"serve"}},
                                   {3, {"check"}},
                                   {3, {"status"}},
                                   {3, {"events", "list"}},
                                   {3, {"send", "kakiyo", "push"}},
                                   {0, {"types", "list"}},
                                   {0, {"plugin", "new", "mine"}},
                                   {0, {"plugin", "test", library("test_probe"), "--config", R"({"journal":"j"})"}},
                                   {1, {"plugin", "test", library("test_probe")}},
                                   {3, {"plugin", "test", "probe"}},
                                   {0, {"--help"}},
                                   {0, {"--version"}},
                                   {0, {"replay", "--help"}},
                                   {2, {}},
                                   {2, {"evnts"}},
                                   {2, {"status", "--jsno"}},
                                   {3, {"status", "-c", "/nowhere/hookhost.yaml"}}}) {
    expect(row, plain(row.line));
  }
}

TEST_F(ExitStatus, WhatCannotBeWrittenIsNotDone) {
  ASSERT_TRUE(host.start());
  send("chat_1");
  for (const auto& words : std::vector<std::vector<std::string>>{{"events", "list"}, {"events", "show", "0"}, {"status"}, {"types", "list"}}) {
    Spawn what{{paths::host(), "-c", host.config_path()}, {}, host.path(""), "/dev/full", host.path("full.err")};
    what.arguments.insert(what.arguments.end(), words.begin(), words.end());
    ChildProcess command(what);
    EXPECT_EQ(command.wait(), 1) << testing::PrintToString(words);
    EXPECT_THAT(contents(host.path("full.err")), testing::HasSubstr("could not be written"));
  }
}

}  // namespace
}  // namespace hookhost::test
