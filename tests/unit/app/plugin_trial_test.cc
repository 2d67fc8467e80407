// One instance without a host around it, and the events that it is handed.
#include "app/plugin_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "app/test_events.h"
#include "support/paths.h"
#include "support/temp_dir.h"

namespace hookhost::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Pattern> patterns(const std::vector<std::string>& texts) {
  std::vector<Pattern> out;
  for (const auto& text : texts) out.push_back(parse_pattern(text, true).value());
  return out;
}

TestEvents events_of(const std::vector<std::string>& handed, const std::vector<std::string>& wanted = {}, const std::optional<std::string>& body = std::nullopt) {
  return test_events(patterns(handed), patterns(wanted), body, WallTime{}).value();
}

std::vector<std::string> types_of(const TestEvents& events) {
  std::vector<std::string> out;
  for (const auto& event : events.events) out.push_back(event->type);
  return out;
}

std::string refusal(const std::vector<std::string>& handed, const std::vector<std::string>& wanted, const std::optional<std::string>& body = std::nullopt) {
  const auto events = test_events(patterns(handed), patterns(wanted), body, WallTime{});
  return events ? "none" : events.error().message;
}

TEST(TestEventsOfAPlugin, AreTheExamplesThatItIsHanded) {
  EXPECT_THAT(types_of(events_of({"linkedin.message.*"})), ElementsAre("linkedin.message.sent", "linkedin.message.received"));
  EXPECT_THAT(types_of(events_of({"*"}, {"github:*"})), ElementsAre("push", "pull_request.opened"));
  EXPECT_THAT(types_of(events_of({"prospect.*"}, {"prospect.unqualified"})), ElementsAre("prospect.unqualified"));
  const auto some = events_of({"push", "issues.opened"});
  EXPECT_THAT(types_of(some), ElementsAre("push"));
  EXPECT_THAT(some.without_example, ElementsAre("issues.opened"));
}

TEST(TestEventsOfAPlugin, AreDescribedAsIntakeWould) {
  const auto message = events_of({"linkedin.message.received"}).events.front();
  EXPECT_EQ(message->key, "chat_54321");
  EXPECT_EQ(message->team, "team_12345abcde");
  EXPECT_EQ(message->provider, "kakiyo");
  EXPECT_FALSE(message->verified);
  const auto push = events_of({"push"}).events.front();
  EXPECT_EQ(push->key, "octocat/hello-world");
  EXPECT_EQ(events_of({"@code"}, {"push"}).events.front()->source, "code") << "of the source that the plugin listens to";
  const auto own = events_of({"*"}, {"kakiyo:a.b"}, R"({"data":{"chatId":"c1"}})").events.front();
  EXPECT_EQ(own->key, "c1");
  EXPECT_EQ(own->type, "a.b");
}

TEST(TestEventsOfAPlugin, ThatCannotBeAreRefusedWithTheWayOut) {
  EXPECT_THAT(refusal({"linkedin.*"}, {"push"}), HasSubstr("never handed push, only linkedin.*"));
  EXPECT_THAT(refusal({"*"}, {"a.b"}), HasSubstr("no example of a.b; give the event's body with --type TYPE --data"));
  EXPECT_THAT(refusal({"*"}, {}, "{}"), HasSubstr("name its type with --type"));
  EXPECT_THAT(refusal({"*"}, {"push", "a.b"}, "{}"), HasSubstr("name its type with --type"));
}

class PluginTrialTest : public testing::Test {
 protected:
  PluginTrial trial(const std::string& mode) {
    const std::string copy = directory / "hostile.so";
    std::filesystem::copy_file(test::paths::plugins() + "/test_hostile.so", copy);
    std::filesystem::permissions(copy, std::filesystem::perms(0700));
    auto library = plugins::Library::load(os::local_file_system(), copy, directory / "private", "").value();
    return {std::move(library), {"hostile", R"({"mode":")" + mode + R"("})", "/"}, std::chrono::milliseconds{200}, system_clock()};
  }
  std::vector<std::string> outcomes(PluginTrial trial) {
    const auto events = events_of({"*"}, {"github:*"}).events;
    std::vector<std::string> out;
    const auto note = [&](const PluginTrial::Step& step) { out.push_back(step.outcome + (step.message.empty() ? "" : ": " + step.message)); };
    note(trial.start());
    if (out.back() != "ok") return out;
    for (const auto& event : events) note(trial.hand(event));
    note(trial.checkpoint());
    note(trial.stop());
    EXPECT_FALSE(trial.hangs());
    return out;
  }
  test::TempDir directory;
};

TEST_F(PluginTrialTest, KeepsKvInMemory) { EXPECT_THAT(outcomes(trial("kv")), ElementsAre("ok", "ok", "ok", "ok", "ok")); }

TEST_F(PluginTrialTest, SaysWhatAMisbehavingPluginDid) {
  EXPECT_THAT(outcomes(trial("throws")), ElementsAre("ok", HasSubstr("retry: the handler threw"), HasSubstr("retry"), "ok", "ok"));
}
TEST_F(PluginTrialTest, EndsADeferredCallAtItsTimeout) {
  EXPECT_THAT(outcomes(trial("defers_never")), ElementsAre("ok", "retry: timeout", "retry: timeout", "ok", "ok"));
}
TEST_F(PluginTrialTest, EndsWithAStartThatFails) { EXPECT_THAT(outcomes(trial("start_unavailable")), ElementsAre("failed: the database is down")); }
TEST_F(PluginTrialTest, SaysThatACheckpointWasRefused) {
  EXPECT_THAT(outcomes(trial("checkpoint_refuses")), ElementsAre("ok", "ok", "ok", HasSubstr("failed: plugin hostile refused a checkpoint"), "ok"));
}

}  // namespace
}  // namespace hookhost::app
