// The command line as a whole: where options may stand, exit statuses, what needs a configuration or a host, what is not yet there.
#include <gmock/gmock.h>

#include "system/command_line.h"

namespace hookhost::test {
namespace {

using Commands = CommandTest;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(Commands, ConfigAndJsonMayStandAnywhereOnTheLine) {
  ASSERT_TRUE(host.start());
  ASSERT_EQ(host.run({"send", "kakiyo", "linkedin.message.received"}).status, 0);
  const std::string c = host.config_path();
  const Ran first = plain({"-c", c, "--json", "events", "list"});
  ASSERT_EQ(first.objects().size(), 1U) << first;
  for (const auto& line : std::vector<std::vector<std::string>>{{"events", "-c", c, "--json", "list"},
                                                                {"events", "list", "--limit", "1", "--json", "-c", c},
                                                                {"--json", "events", "list", "--config", c}}) {
    EXPECT_EQ(plain(line).out, first.out);
  }
}

TEST_F(Commands, OptionsMayStandBeforeTheNames) {
  ASSERT_TRUE(host.start());
  const Ran sent = host.run({"send", "--set", "data.chatId=chat_9", "kakiyo", "linkedin.message.sent"});
  ASSERT_EQ(sent.status, 0) << sent;
  EXPECT_EQ(text(host.events().at(0), "key"), "chat_9");
}

TEST_F(Commands, UsageIsTwoAndSaysWhatIsWrong) {
  host.write_config();
  ASSERT_EQ(host.run({"team", "key", "add", "team_1"}).status, 0);  // what registers makes the data directory
  for (const auto& [line, says] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"evnts"}, "evnts"},
           {{"send", "kakiyo"}, "TYPE"},
           {{"send", "kakiyo", "a", "b"}, "TYPE"},
           {{"send", "--url", "http://127.0.0.1:1/", "--scheme", "github", "push"}, "--secret-env"},
           {{"send", "--url", "http://127.0.0.1:1/", "--scheme", "hmac", "--secret-env", "HOME", "x"}, "hmac wants a source"},
           {{"send", "--url", "http://127.0.0.1:1/", "--scheme", "gitlab", "--secret-env", "HOME", "x"}, "standard-webhooks"},
           {{"send", "--url", "http://127.0.0.1:1/", "--scheme", "github", "--secret-env", "HOOKHOST_NOT_SET", "x"}, "HOOKHOST_NOT_SET"},
           {{"send", "kakiyo", "x", "--data", "{"}, "--data"},
           {{"send", "kakiyo", "x", "--set", "nonsense"}, "--set"},
           {{"send", "kakiyo", "x", "--rate", "fast"}, "--rate"},
           {{"replay", "crm", "--from", "beginning", "--rate", "5/m"}, "N/s"},
           {{"send", "kakiyo", "x", "--count", "many"}, "--count"},
           {{"verify", "--source", "kakiyo", "--body", "/dev/null", "--header", "nonsense"}, "--header"},
           {{"events", "list", "--limit", "few"}, "--limit"},
           {{"send", "kakiyo", "x", "--count", "-1"}, "--count"},
           {{"send", "kakiyo", "x", "--count", "99999999999999999999"}, "--count"},
           {{"events", "list", "--limit", "-1"}, "--limit"},
           {{"events", "tail", "--limit", "18446744073709551616"}, "--limit"},
           {{"dead-letters", "show", "crm", "-1"}, "OFFSET"},
           {{"dead-letters", "list", "--offset", "-1"}, "--offset"},
           {{"events", "show", ""}, "id or offset"},
           {{"deliveries", "show"}, "--event is required"},
           {{"deliveries", "show", "first"}, "an offset or an event's id"},
           {{"deliveries", "retry-now", "--subscriber", "crm", "0"}, "--event is required"},
           {{"plugin", "list", "crm"}, "not expected: crm"},
           {{"replays", "watch", ""}, "ID"},
           {{"replays", "cancel", "1x"}, "ID"},
           {{"events"}, "subcommand"},
           {{"dead-letters", "retry", "--since", "yesterday"}, "yesterday"}}) {
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 2) << testing::PrintToString(line) << ran;
    EXPECT_THAT(ran.err, HasSubstr(says)) << testing::PrintToString(line);
    EXPECT_EQ(ran.out, "") << testing::PrintToString(line);
  }
  EXPECT_EQ(host.run({"--help"}).status, 0);
  EXPECT_THAT(plain({"--version"}).out, HasSubstr("hookhost"));
}

TEST_F(Commands, WhatIsNotThereIsThree) {
  host.write_config();
  EXPECT_THAT(host.run({"events", "list"}).err, HasSubstr("hookhost serve")) << "no event log yet";
  ASSERT_TRUE(host.start());
  for (const auto& [line, says] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"send", "nobody", "push"}, "kakiyo"},
           {{"verify", "--source", "nobody", "--body", "/dev/null"}, "kakiyo"},
           {{"verify", "--source", "kakiyo", "--body", "/nowhere"}, "/nowhere"},
           {{"types", "example", "no.such"}, "types list"},
           {{"events", "show", "17"}, "events list"},
           {{"events", "show", "evt_00000000000000000000000000"}, "events list"},
           {{"status", "nobody"}, "nobody"},
           {{"plugin", "pause", "nobody"}, "nobody"},
           {{"deliveries", "retry-now", "--subscriber", "nobody", "--event", "0"}, "nobody"},
           {{"deliveries", "show", "17"}, "there is no event 17: the event log ends at 0"},
           {{"dead-letters", "retry", "--all"}, "dead-letters list"},
           {{"dead-letters", "show", "nobody", "0"}, "no such dead letter"},
           {{"replay", "nobody", "--from", "beginning", "--yes"}, "nobody"},
           {{"replays", "cancel", "7"}, "7"}}) {
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 3) << testing::PrintToString(line) << ran;
    EXPECT_THAT(ran.err, HasSubstr(says)) << testing::PrintToString(line);
  }
  const Ran nowhere = plain({"status"});
  EXPECT_EQ(nowhere.status, 3);
  EXPECT_THAT(nowhere.err, HasSubstr("/etc/hookhost/hookhost.yaml"));
}

TEST_F(Commands, WithoutAConfigurationTypesAndNewPluginsWork) {
  const Ran list = plain({"types", "list", "--json"});
  ASSERT_EQ(list.status, 0) << list;
  for (const auto& type : list.objects()) {
    const Ran example = plain({"types", "example", text(type, "provider") + ":" + text(type, "type")});
    EXPECT_EQ(example.status, 0) << example;
    EXPECT_EQ(example.objects().size(), 1U) << "one payload";
  }
  EXPECT_GE(list.objects().size(), 6U);
  EXPECT_EQ(plain({"plugin", "new", "mine"}).status, 0);
  for (const char* name : {"test", "all", "clean", "install", "help", "package", "edit_cache", "rebuild_cache"}) {
    const Ran reserved = plain({"plugin", "new", name});
    EXPECT_EQ(reserved.status, 2) << reserved;
    EXPECT_THAT(reserved.err, HasSubstr("CMake")) << name;
  }
}

TEST_F(Commands, WithoutAHostTheyWorkUnderTheLockOfTheDataDirectory) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  ASSERT_EQ(host.run({"send", "kakiyo", "linkedin.message.received"}).status, 0);
  ASSERT_TRUE(host.catches_up("probe"));
  ASSERT_EQ(host.terminate(), 0);

  const Ran status = host.run({"status"});
  EXPECT_EQ(status.status, 0) << status;
  EXPECT_THAT(status.out, HasSubstr("host: not running"));
  EXPECT_EQ(host.run({"plugin", "pause", "probe"}).status, 0);
  EXPECT_EQ(host.run({"reload"}).status, 4) << "nobody to reload";
  EXPECT_EQ(host.run({"send", "kakiyo", "linkedin.message.received"}).status, 4) << "nobody to receive it";
  ASSERT_TRUE(host.start());
  EXPECT_EQ(text(host.subscriber("probe"), "state"), "paused") << "what was done without a host stands";
}

TEST_F(Commands, OnlyServeAndCheckNeedAllSecretsAndAnUnsetOneIsNamed) {
  host.sources["late"] = R"({scheme: github, secrets: ["${HOOKHOST_LATE_SECRET}"]})";
  const std::vector<std::string> late{"HOOKHOST_LATE_SECRET=late-test-secret"};
  ASSERT_TRUE(host.start({}, late));
  for (const auto& line : std::vector<std::vector<std::string>>{{"status"}, {"events", "list"}, {"deliveries", "list"}, {"dead-letters", "list"},
                                                                {"plugin", "list"}, {"send", "kakiyo", "linkedin.message.received"}}) {
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 0) << testing::PrintToString(line) << ran;
  }
  for (const auto& line : std::vector<std::vector<std::string>>{{"check"}, {"serve"}, {"send", "late", "push"}, {"verify", "--source", "late", "--body", "/dev/null"}}) {
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 1) << testing::PrintToString(line) << ran;
    EXPECT_THAT(ran.err, HasSubstr("HOOKHOST_LATE_SECRET")) << testing::PrintToString(line);
    EXPECT_THAT(ran.err, HasSubstr("hookhost.yaml:")) << "and its place";
  }
  EXPECT_EQ(host.run({"check"}, late).status, 0);
  EXPECT_EQ(host.run({"send", "late", "push"}, late).status, 0);
}

TEST_F(Commands, SecretsAreNeverPrinted) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  const std::string token = lines_of(contents(host.data_dir() + "/admin.token")).at(0);
  write_text(host.path("body"), "{}");
  std::string all;
  const auto collect = [&](const std::vector<std::string>& line) {
    const Ran ran = host.run(line);
    all += ran.out + ran.err;
  };
  for (const char* source : {"kakiyo", "github", "stripe", "standard", "orders"}) {
    collect({"send", source, "push", "--json"});
    collect({"verify", "--source", source, "--body", host.path("body")});
    collect({"verify", "--source", source, "--body", host.path("body"), "--json", "--header", "X-Kakiyo-Signature: " + std::string(64, 'a')});
  }
  host.sources["github"] = R"({scheme: github, secrets: ["github-next-secret"]})";
  host.write_config();
  for (const auto& line : std::vector<std::vector<std::string>>{{"check"}, {"status"}, {"status", "--json"}, {"reload", "--dry-run"}, {"reload"}, {"plugin", "list", "--json"}}) collect(line);
  host.sources["github"] = R"({scheme: github, secrets: ["github-third-secret"], until: never})";
  host.write_config();
  collect({"check"});
  collect({"reload"});
  all += host.diagnostics();
  EXPECT_THAT(all, HasSubstr("github")) << "something was printed";
  for (const std::string secret : {"-test-secret", "-next-secret", "-third-secret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) EXPECT_THAT(all, Not(HasSubstr(secret)));
  EXPECT_THAT(all, Not(HasSubstr(token)));
}

TEST_F(Commands, WhatComesLaterIsNotOffered) {
  host.write_config();
  for (const auto& line : std::vector<std::vector<std::string>>{{"backup", "dir"},
                                                                {"events", "export"}, {"events", "import"}, {"plugin", "check", "x.so"}, {"plugin", "reload", "x"}}) {
    const Ran ran = host.run(line);
    const std::string& word = line[0] == "events" || line[0] == "plugin" ? line[1] : line[0];
    EXPECT_EQ(ran.status, 2) << testing::PrintToString(line) << ran;
    EXPECT_THAT(ran.err, HasSubstr(word)) << testing::PrintToString(line);
    EXPECT_THAT(ran.err, HasSubstr("not yet available")) << testing::PrintToString(line);
  }
  EXPECT_THAT(host.run({"--help"}).out, Not(HasSubstr("backup")));
}

TEST_F(Commands, KeysThatComeLaterAreRefusedAsNotYetAvailable) {
  add_probe("probe", "isolation: process, ");
  host.write_config();
  EXPECT_THAT(host.run({"check"}).err, HasSubstr("isolation: process is not yet available")) << host.run({"check"});
  add_probe("probe", "isolation: none, ");
  host.write_config();
  EXPECT_EQ(host.run({"check"}).status, 0);
  std::string config = contents(host.config_path());
  const std::string floor = "disk_free_min: 1MiB";
  config.replace(config.find(floor), floor.size(), floor + ", retention: {hold: {age: 30d}}");
  write_text(host.config_path(), config);
  const Ran hold = host.run({"check"});
  EXPECT_EQ(hold.status, 1);
  EXPECT_THAT(hold.err, HasSubstr("hold"));
  EXPECT_THAT(hold.err, HasSubstr("not yet available"));
}

TEST_F(Commands, StatusOfAMistypedDataDirMakesNothingAndSaysSo) {
  add_probe("probe");
  host.write_config();
  for (const auto& line : std::vector<std::vector<std::string>>{{"status"}, {"status", "--check"}, {"plugin", "list"}, {"plugin", "pause", "probe"}, {"replays", "list"}}) {
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 3) << ran;
    EXPECT_THAT(ran.err, AllOf(HasSubstr("is no data directory"), HasSubstr("data_dir in "), HasSubstr("hookhost serve")));
    EXPECT_FALSE(std::filesystem::exists(host.data_dir())) << testing::PrintToString(line);
  }
  EXPECT_EQ(host.run({"reload"}).status, 4);
  std::filesystem::create_directory(host.data_dir());
  EXPECT_EQ(host.run({"status"}).status, 3) << "somebody's directory";
  EXPECT_TRUE(std::filesystem::is_empty(host.data_dir()));
}

TEST_F(Commands, CheckAndPluginNewPrintJsonWhereItIsAsked) {
  host.write_config();
  const Ran good = host.run({"check", "--json"});
  EXPECT_EQ(good.status, 0) << good;
  ASSERT_EQ(good.objects().size(), 1U);
  EXPECT_EQ(members(good.objects()[0]), (std::vector<std::string>{"file", "sources", "plugins", "endpoints"}));
  EXPECT_EQ(text(good.objects()[0], "sources"), std::to_string(host.sources.size()));
  host.plugins["absent"] = "{library: /nowhere/absent.so}";
  host.sources["standard"] = R"({scheme: standard-webhooks, secrets: ["whsec_!!"]})";
  host.write_config();
  const Ran bad = host.run({"--json", "check"});
  EXPECT_EQ(bad.status, 1) << bad;
  EXPECT_EQ(bad.err, "");
  ASSERT_EQ(bad.objects().size(), 2U) << bad;
  EXPECT_THAT(text(bad.objects()[0], "problem"), HasSubstr("plugins.absent"));
  EXPECT_THAT(text(bad.objects()[1], "problem"), HasSubstr("sources.standard"));
  host.more = "listen2: {}\n";
  host.write_config();
  const Ran unread = host.run({"check", "--json"});
  EXPECT_EQ(unread.status, 1) << unread;
  ASSERT_EQ(unread.objects().size(), 1U) << unread;
  EXPECT_THAT(text(unread.objects()[0], "problem"), HasSubstr("listen2: is not a known key"));

  const Ran made = plain({"plugin", "new", "mine", "--lang", "c", "--json"});
  ASSERT_EQ(made.objects().size(), 1U) << made;
  EXPECT_EQ(text(made.objects()[0], "directory"), "mine");
  EXPECT_EQ(text(made.objects()[0], "language"), "c");
}

TEST_F(Commands, StatusWithoutAHostSaysWhatIsKnownAndThatNoneRuns) {
  add_probe("probe", "retry: [1h], ");
  add_probe("off");
  ASSERT_TRUE(host.start());
  send("chat_1", {{"do", "own_delay"}, {"times", 1}});
  ASSERT_TRUE(poll_until([&] { return text(host.subscriber("probe"), "blocked_keys") == "1"; }));
  add_probe("off", "enabled: false, ");
  ASSERT_NO_FATAL_FAILURE(reload());
  ASSERT_EQ(host.terminate(), 0);
  const Ran all = host.run({"status"});
  EXPECT_EQ(all.status, 0) << all;
  EXPECT_THAT(all.out, AllOf(HasSubstr("host: not running"), HasSubstr("attention: events are refused: no host runs"), Not(HasSubstr("starting"))));
  EXPECT_EQ(host.run({"status", "--check"}).status, 1);
  const auto by_name = host.run({"status", "--json"}).objects();
  ASSERT_EQ(by_name.size(), 2U);
  EXPECT_EQ(text(by_name[0], "state"), "disabled") << "by its configuration";
  EXPECT_EQ(text(by_name[1], "state"), "not_running");
  EXPECT_EQ(text(by_name[1], "blocked_keys"), "1");
  EXPECT_THAT(host.run({"status", "probe"}).out, AllOf(HasSubstr("host: not running"), HasSubstr("state: not_running")));
  const auto plugins = host.run({"plugin", "list", "--json"}).objects();
  ASSERT_EQ(plugins.size(), 2U);
  EXPECT_EQ(text(plugins[0], "state"), "disabled");
  EXPECT_EQ(text(plugins[1], "state"), "not_running");
}

}  // namespace
}  // namespace hookhost::test
