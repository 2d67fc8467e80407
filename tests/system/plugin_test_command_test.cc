// `hookhost plugin test`: beside a running host, with plugins that hang and crash.
#include <gmock/gmock.h>

#include "support/http_receiver.h"
#include "system/command_line.h"

namespace hookhost::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class PluginTestCommand : public CommandTest {
 protected:
  // What a crash leaves behind goes with the test.
  Ran test_plugin(std::vector<std::string> more) {
    host.write_config();
    more.insert(more.begin(), {"plugin", "test"});
    return host.run(more, {"TMPDIR=" + host.path("")});
  }
  static std::string body_that(const std::string& what) { return R"({"data":{"do":")" + what + R"("}})"; }
};

TEST_F(PluginTestCommand, DisturbsNoRunningHost) {
  const HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  add_probe("probe", "", "counts: \"" + host.path("counts") + "\"");
  host.plugins["jsonl"] = "{library: \"" + paths::jsonl_export() + "\", config: {path: ../out.jsonl}}";
  host.plugins["crm"] = "{library: \"" + paths::prospect_crm() + "\", config: {path: ../crm.db}}";
  host.plugins["slack"] = "{library: \"" + paths::slack_notify() + "\", events: [linkedin.message.received], config: {allow_http: true, url: \"" + receiver.url() + "\"}}";
  ASSERT_TRUE(host.start());
  for (int i = 0; i < 5; ++i) send("chat_1");
  for (const char* name : {"probe", "jsonl", "crm", "slack"}) ASSERT_TRUE(host.catches_up(name)) << name;
  const std::string exported = contents(host.path("out.jsonl"));
  const auto posts = receiver.bodies().size();

  EXPECT_EQ(test_plugin({"probe", "--config", R"({"journal":")" + host.path("other") + R"(","counts":")" + host.path("other.counts") + "\"}"}).status, 0);
  EXPECT_EQ(contents(host.path("other.counts")), "") << "it begins without the host's kv";
  for (const char* name : {"jsonl", "crm"}) {
    const Ran ran = test_plugin({name, "--type", "linkedin.*", "--json"});
    EXPECT_EQ(ran.status, 0) << ran;
    for (const auto& step : ran.objects()) {
      if (step.at("step").as_string() == "handle") { EXPECT_EQ(step.at("outcome").as_string(), "ignored") << ran; }
    }
  }
  const Ran posted = test_plugin({"slack"});
  EXPECT_EQ(posted.status, 0) << posted;
  ASSERT_EQ(receiver.bodies().size(), posts + 1);
  EXPECT_THAT(receiver.bodies().back(), HasSubstr("[test] "));

  EXPECT_EQ(offsets({}).size(), 5U);
  for (int i = 0; i < 5; ++i) send("chat_1");
  for (const char* name : {"probe", "jsonl", "crm", "slack"}) {
    ASSERT_TRUE(host.catches_up(name)) << name;
    EXPECT_EQ(host.subscriber(name).at("outcomes").at("ok").to_number<int>(), 10) << name;
  }
  EXPECT_THAT(contents(host.path("out.jsonl")), StartsWith(exported));
  EXPECT_EQ(lines_of(contents(host.path("out.jsonl"))).size(), 10U);
  // The next life goes on from where the host was: no token was moved.
  ASSERT_EQ(host.terminate(), 0);
  ASSERT_TRUE(host.start());
  for (const char* name : {"jsonl", "crm"}) ASSERT_TRUE(host.catches_up(name)) << host.diagnostics();
  EXPECT_THAT(host.diagnostics(), Not(HasSubstr("older than what was handled")));
}

TEST_F(PluginTestCommand, OnlyWhatThePluginNeedsIsResolved) {
  add_probe("probe");
  host.plugins["other"] = "{library: \"" + library("test_probe") + "\", config: {journal: \"${HOOKHOST_TEST_NOT_SET}\"}}";
  EXPECT_EQ(test_plugin({"probe", "--type", "push"}).status, 0);
  const Ran other = test_plugin({"other"});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("HOOKHOST_TEST_NOT_SET"));
  EXPECT_FALSE(std::filesystem::exists(host.path("data"))) << "no data directory is made";
}

TEST_F(PluginTestCommand, APluginThatHangsIsWaitedForUntilItsTimeout) {
  add_probe("probe", "timeout: 300ms, ");
  Ran ran = test_plugin({"probe", "--type", "x.y", "--data", body_that("hang")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("hangs"), HasSubstr("handle did not return within 300 ms"))) << ran;
  for (const char* where : {"start", "checkpoint"}) {
    host.plugins["hostile"] = "{library: \"" + paths::plugins() + "/test_hostile.so\", timeout: 300ms, config: {mode: " + std::string(where) + "_hangs}}";
    ran = test_plugin({"hostile", "--type", "push"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr(std::string(where) + " did not return within 300 ms")) << ran;
  }
}

TEST_F(PluginTestCommand, APluginThatCrashesIsNamedWithWhatItDid) {
  add_probe("probe");
  for (const auto& [what, cause] : std::map<std::string, std::string>{{"segfault", "SIGSEGV"}, {"abort", "SIGABRT"}, {"exit", "exit()"}}) {
    const Ran ran = test_plugin({"probe", "--type", "x.y", "--data", body_that(what)});
    EXPECT_NE(ran.status, 0);
    EXPECT_THAT(ran.err, HasSubstr("the process ends by " + cause + " inside plugin probe, in handle of x.y")) << ran;
    EXPECT_THAT(ran.out, HasSubstr("start ")) << "what was before it is said";
  }
}

TEST_F(PluginTestCommand, AFileIsCheckedAsServeDoes) {
  for (const auto& [file, why] : std::map<std::string, std::string>{{"test_broken_MAJOR", "ABI"}, {"test_broken_NOTE", "note"}}) {
    const Ran ran = plain({"plugin", "test", paths::plugins() + "/" + file + ".so"});
    EXPECT_EQ(ran.status, 1) << ran;
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_EQ(ran.out, "");
  }
}

}  // namespace
}  // namespace hookhost::test
