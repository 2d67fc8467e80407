// A changed configuration under a running host: what is applied, what waits for a restart, and what changes nothing.
#include <gmock/gmock.h>

#include "system/journal.h"

namespace hookhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Reload : public SystemTest {
 protected:
  Ran reload() {
    host.write_config();
    return host.run({"reload"});
  }
  int answer_of(const std::string& target) {
    RawClient client = host.connect();
    client.send(signed_post(message("chat_1", ++sent_), target));
    return client.read_answer().status;
  }
  void is_refused_and_changes_nothing(const std::string& why) {
    const Ran ran = reload();
    EXPECT_EQ(ran.status, 1) << ran;
    EXPECT_THAT(ran.err, AllOf(HasSubstr("hookhost.yaml:"), HasSubstr(why)));
    EXPECT_EQ(answer_of("/in/added"), 404) << "not even what is right in it";
    EXPECT_EQ(text_of(host.subscriber("probe"), "state"), "live");
    EXPECT_EQ(answer_of("/in/kakiyo"), 200);
    EXPECT_TRUE(host.catches_up("probe"));
  }
  static std::string text(const json::object& object, const char* member) { return json::serialize(object.at(member)); }
  static std::string text_of(const json::object& object, const char* member) {
    const auto* value = object.if_contains(member);
    return value == nullptr ? "(absent)" : std::string(value->as_string());
  }
};

TEST_F(Reload, WhatOnlyARestartAppliesIsNamedAndTheRestIsApplied) {
  ASSERT_TRUE(host.start());
  host.event_log = "{segment_bytes: 2MiB, disk_free_min: 1MiB}";
  host.more = "delivery: {blocked_lanes_max: 5}\ndrain_timeout: 5s\ndiagnostics: {level: debug}\n";
  host.sources["added"] = R"({scheme: kakiyo, secrets: ["system-test-secret"]})";
  host.write_config();
  std::string config = contents(host.config_path());
  for (const auto& [what, with] : std::map<std::string, std::string>{{"../data", "../elsewhere"},
                                                                     {std::to_string(host.public_port()) + "\"", std::to_string(free_port()) + "\", threads: 1"},
                                                                     {std::to_string(host.admin_port()) + "\"", std::to_string(host.admin_port()) + "\", token: other"}}) {
    config.replace(config.find(what), what.size(), with);
  }
  write_text(host.config_path(), config);
  // The command reads the changed file too: it must find the host as the old one has it.
  const RawAnswer answer = [&] {
    RawClient client(host.admin_port());
    client.send("POST /api/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n" + host.authorization() + "\r\n{}");
    return client.read_answer();
  }();
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::object report = json::parse(answer.body).as_object();
  EXPECT_EQ(json::serialize(report.at("needs_restart")), R"(["data_dir","listen","admin","event_log","delivery"])");
  EXPECT_EQ(json::serialize(report.at("changes")), R"(["source added: added","diagnostics: changed","drain_timeout: changed"])");
  EXPECT_EQ(answer_of("/in/added"), 200);
  EXPECT_FALSE(std::filesystem::exists(host.path("elsewhere")));
}

TEST_F(Reload, PrintsTheDifferenceKeyByKeyAndNoSecret) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  host.sources["kakiyo"] = R"({scheme: kakiyo, secrets: ["system-test-secret", "second-secret"], duplicates: {by: body, window: 2h}})";
  host.sources["added"] = "{unsigned: true}";
  add_probe("probe", "timeout: 3s, stop_after: 7, ");
  host.event_log = "{segment_bytes: 2MiB}";
  const Ran ran = reload();
  EXPECT_EQ(ran.status, 0) << ran;
  EXPECT_EQ(ran.out, "source added: added\nsource kakiyo: changed secrets, duplicates\nplugin probe: changed timeout, stop_after\nevent_log: changed, needs restart\n");
  EXPECT_EQ(host.run({"reload"}).out, "event_log: changed, needs restart\n") << "until it is restarted";
  EXPECT_THAT(host.diagnostics(), Not(HasSubstr("second-secret")));
}

TEST_F(Reload, OfAnInvalidFileChangesNothing) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  host.sources["added"] = R"({scheme: kakiyo, secrets: ["system-test-secret"]})";
  host.more = "listen2: {}\n";
  ASSERT_NO_FATAL_FAILURE(is_refused_and_changes_nothing("hookhost.yaml:5:1: listen2: is not a known key"));
  host.more = "drain_timeout: soon\n";
  ASSERT_NO_FATAL_FAILURE(is_refused_and_changes_nothing("hookhost.yaml:5:16: drain_timeout:"));
  host.more.clear();
  host.sources["other"] = R"({scheme: kakiyo, secrets: ["${HOOKHOST_NOT_SET}"]})";
  ASSERT_NO_FATAL_FAILURE(is_refused_and_changes_nothing("HOOKHOST_NOT_SET"));
  host.sources.erase("other");
  host.plugins["second"] = "{library: /nowhere/second.so}";
  ASSERT_NO_FATAL_FAILURE(is_refused_and_changes_nothing("plugins.second: "));
  host.plugins.erase("second");
  host.plugins["second"] = "{library: \"" + library("test_probe") + "\", start_at: 1000000, config: {journal: \"" + host.path("second.journal") + "\"}}";
  ASSERT_NO_FATAL_FAILURE(is_refused_and_changes_nothing("beyond the end"));
  // Nor does one beside it, which is right and stands first, get a position.
  add_probe("first");
  ASSERT_NO_FATAL_FAILURE(is_refused_and_changes_nothing("beyond the end"));
  EXPECT_EQ(host.run({"reload", "--dry-run"}).status, 1);
  EXPECT_EQ(host.run({"status", "first"}).status, 3);
  host.plugins.erase("first");
  host.plugins.erase("second");
  // A running plugin is not taken down by a slip in its own lines.
  add_probe("probe", "concurrency: 9, ");
  ASSERT_NO_FATAL_FAILURE(is_refused_and_changes_nothing("plugins.probe.concurrency"));
  add_probe("probe", "events: [\"no.such\"], order_by: none, ");
  ASSERT_NO_FATAL_FAILURE(is_refused_and_changes_nothing("plugins.probe.order_by"));
  add_probe("probe");
  EXPECT_EQ(reload().status, 0);
  EXPECT_EQ(answer_of("/in/added"), 200);
}

TEST_F(Reload, AChangedConfigIsTakenByTheRunningInstanceRefusedOrNeedsANewOne) {
  const auto started = [&] {
    const std::string text = host.diagnostics();
    return text.find("took its changed config without a new start") != std::string::npos;
  };
  const auto error = [&] {
    const json::value said = host.run({"plugin", "list", "--json"}).objects().at(0).at("error");
    return said.is_null() ? std::string() : std::string(said.as_string());
  };
  set_mode("other", "retry");
  add_probe("probe", "retry: [1h], ");
  ASSERT_TRUE(host.start());
  ASSERT_EQ(answer_of("/in/kakiyo"), 200);
  ASSERT_TRUE(host.catches_up("probe"));
  const std::string before = host.plugins["probe"];
  const auto with = [&](const std::string& take) {
    std::string changed = before;
    changed.replace(changed.find("probe.mode"), 10, "other.mode");
    return changed.replace(changed.rfind("}}"), 2, ", take: " + take + "}}");
  };
  host.plugins["probe"] = with("\"no\"");
  const Ran refused = reload();
  EXPECT_EQ(refused.status, 1) << refused;
  const auto why = HasSubstr("plugins.probe.config: refused by the plugin: told to refuse; the old one stays in force");
  EXPECT_THAT(refused.err, why);
  EXPECT_THAT(error(), why);
  ASSERT_EQ(answer_of("/in/kakiyo"), 200);
  ASSERT_TRUE(host.catches_up("probe")) << "the old mode";
  EXPECT_EQ(ends(journal("probe")).size(), 2U);
  EXPECT_FALSE(started());
  host.plugins["probe"] = with("\"yes\"");
  EXPECT_EQ(reload().status, 0);
  EXPECT_TRUE(started()) << host.diagnostics();
  EXPECT_EQ(error(), "");
  ASSERT_EQ(answer_of("/in/kakiyo"), 200);
  EXPECT_TRUE(poll_until([&] { return ends(journal("probe"), "-1").size() == 1; })) << "the new mode";
  host.plugins["probe"] = before;
  EXPECT_EQ(reload().status, 0);
  ASSERT_EQ(host.run({"deliveries", "retry-now", "--subscriber", "probe", "--event", "2"}).status, 0);
  ASSERT_TRUE(host.catches_up("probe")) << "a new instance, with the old mode";
  EXPECT_TRUE(in_order_per_key(journal("probe")));
}

TEST_F(Reload, APluginThatRefusesItsChangedConfigIsNamedAndTheOldOneGoesOn) {
  const auto shown = [&](const char* member) { return text_of(host.run({"plugin", "list", "--json"}).objects().at(0), member); };
  add_probe("probe");
  ASSERT_TRUE(host.start());
  ASSERT_EQ(answer_of("/in/kakiyo"), 200);
  ASSERT_TRUE(host.catches_up("probe"));
  const std::string good = host.plugins["probe"];
  std::string bad = good;
  host.plugins["probe"] = bad.replace(bad.find("probe.journal"), 13, "missing/probe.journal");
  host.sources["added"] = R"({scheme: kakiyo, secrets: ["system-test-secret"]})";
  const auto why = AllOf(HasSubstr("hookhost.yaml:"), HasSubstr("plugins.probe: the journal cannot be opened; the old one stays in force"));
  const Ran refused = reload();
  EXPECT_EQ(refused.status, 1) << refused;
  EXPECT_THAT(refused.err, why);
  EXPECT_THAT(refused.out, HasSubstr("plugin probe: changed config"));
  EXPECT_THAT(refused.err, Not(HasSubstr(host.path("conf"))));
  EXPECT_EQ(shown("state"), "degraded");
  EXPECT_THAT(shown("error"), why);
  EXPECT_THAT(host.run({"status", "--check"}).out, HasSubstr("attention: plugin probe is degraded"));
  EXPECT_EQ(answer_of("/in/added"), 200) << "the rest is applied";
  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_THAT(ends(journal("probe")), testing::SizeIs(2)) << "as it was, nothing is lost";
  const Ran again = host.run({"reload", "--json"});
  EXPECT_EQ(again.status, 1) << "it is tried again";
  EXPECT_THAT(text(again.objects().at(0), "failed"), HasSubstr("plugins.probe: "));

  host.plugins["probe"] = good;
  EXPECT_EQ(reload().status, 0);
  EXPECT_EQ(shown("state"), "loaded");
  ASSERT_EQ(answer_of("/in/kakiyo"), 200);
  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_THAT(ends(journal("probe")), testing::SizeIs(3));
}

TEST_F(Reload, APluginThatDoesNotStartIsNamedAndFailedAndItsPositionStands) {
  const auto state = [&](const std::string& name) {
    for (const auto& one : host.run({"plugin", "list", "--json"}).objects()) {
      if (text_of(one, "name") == name) return text_of(one, "state");
    }
    return std::string("(absent)");
  };
  add_probe("probe");
  ASSERT_TRUE(host.start());
  add_probe("late", "start_at: beginning, ");
  const std::string good = host.plugins["late"];
  host.plugins["late"].replace(good.find("late.journal"), 12, "missing/late.journal");
  const Ran refused = reload();
  EXPECT_EQ(refused.status, 1) << refused;
  EXPECT_THAT(refused.err, HasSubstr("plugins.late: the journal cannot be opened"));
  EXPECT_THAT(refused.err, Not(HasSubstr("stays in force")));
  EXPECT_EQ(state("late"), "failed");
  EXPECT_EQ(state("probe"), "loaded");
  EXPECT_EQ(text_of(host.subscriber("late"), "state"), "failed");
  ASSERT_EQ(answer_of("/in/kakiyo"), 200);
  host.plugins["late"] = good;
  EXPECT_EQ(reload().status, 0);
  EXPECT_EQ(state("late"), "loaded");
  ASSERT_TRUE(host.catches_up("late"));
  EXPECT_THAT(ends(journal("late")), testing::SizeIs(1));
}

TEST_F(Reload, BySighupDoesTheSameAndTellsInTheDiagnostics) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  host.sources["added"] = R"({scheme: kakiyo, secrets: ["system-test-secret"]})";
  host.more = "listen2: {}\n";
  host.write_config();
  host.process().signal(SIGHUP);
  ASSERT_TRUE(poll_until([&] { return host.diagnostics().find("nothing was changed") != std::string::npos; }));
  EXPECT_THAT(host.diagnostics(), HasSubstr("hookhost.yaml:5:1: listen2"));
  EXPECT_EQ(answer_of("/in/added"), 404);
  host.more.clear();
  host.event_log = "{segment_bytes: 2MiB, disk_free_min: 1MiB}";
  host.write_config();
  host.process().signal(SIGHUP);
  ASSERT_TRUE(poll_until([&] { return answer_of("/in/added") == 200; }));
  EXPECT_TRUE(poll_until([&] { return host.diagnostics().find("event_log: changed, needs restart") != std::string::npos; }));
  EXPECT_THAT(host.diagnostics(), HasSubstr("source added: added"));
}

TEST_F(Reload, TriesAPluginAgainThatCouldNotBeLoaded) {
  add_probe("probe");
  const std::string library = host.path("late.so");
  host.plugins["late"] = "{library: \"" + library + "\", config: {journal: \"" + host.path("late.journal") + "\"}}";
  ASSERT_TRUE(host.start());
  EXPECT_THAT(host.diagnostics(), AllOf(HasSubstr("a plugin could not be loaded"), HasSubstr("hookhost.yaml:"), HasSubstr("plugins.late")));
  EXPECT_EQ(answer_of("/in/kakiyo"), 200) << "the host serves without it";
  std::filesystem::copy_file(SystemTest::library("test_probe"), library);
  EXPECT_EQ(reload().status, 0);
  EXPECT_TRUE(host.catches_up("late"));
  EXPECT_EQ(ends(journal("late")).size(), 1U) << "its position stood";
}

TEST_F(Reload, ARequestIsJudgedByTheConfigurationAtItsHead) {
  ASSERT_TRUE(host.start());
  const std::string request = signed_post(message("chat_1", ++sent_));
  const std::size_t head = request.find("\r\n\r\n") + 4;
  RawClient client = host.connect();
  client.send(post("", "", "/in/nowhere"));  // Order: its answer says that the connection is read
  ASSERT_EQ(client.read_answer().status, 404);
  client.send("POST /in/kakiyo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n" + request.substr(request.find("Content-Length")).substr(0, head - request.find("Content-Length")));
  ASSERT_EQ(client.read_answer(false, true).status, 100);
  host.sources["kakiyo"] = R"({scheme: kakiyo, secrets: ["another-secret"]})";
  ASSERT_EQ(reload().status, 0);
  EXPECT_EQ(answer_of("/in/kakiyo"), 401) << "a new one is judged by the new secret";
  client.send(request.substr(head));
  EXPECT_EQ(client.read_answer().status, 200);
}

}  // namespace
}  // namespace hookhost::test
