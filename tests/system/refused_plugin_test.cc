// A plugin whose file is refused: the host says why and what to do, runs none of its code, serves everybody else, and hands it what it missed once
// the file is mended.
#include <gmock/gmock.h>

#include "system/journal.h"

namespace hookhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RefusedPlugin : public SystemTest {
 protected:
  // A copy under that name with those permissions, as a plugin of the same name.
  void add_copy(const std::string& name, const std::string& of, unsigned mode, const std::string& options = "") {
    const std::string copy = host.path(name + ".so");
    std::filesystem::copy_file(of, copy);
    std::filesystem::permissions(copy, std::filesystem::perms(mode));
    host.plugins[name] = "{library: \"" + copy + "\", " + options + "config: {journal: \"" + host.path(name + ".journal") + "\"}}";
  }
  json::object shown(const std::string& name) {
    for (const auto& plugin : host.run({"plugin", "list", "--json"}).objects()) {
      if (plugin.at("name").as_string() == name) return plugin;
    }
    return {};
  }
  void expect_refused(const std::string& name, const std::string& why) {
    const json::object plugin = shown(name);
    ASSERT_FALSE(plugin.empty()) << name;
    EXPECT_EQ(plugin.at("state").as_string(), "failed") << name;
    EXPECT_THAT(json::serialize(plugin.at("error")), AllOf(HasSubstr(why), HasSubstr("hookhost.yaml:"), Not(HasSubstr("/")))) << "names only";
    const json::object subscriber = host.subscriber(name);
    EXPECT_EQ(subscriber.at("state").as_string(), "failed") << "one word for one state";
    EXPECT_EQ(subscriber.at("reason"), plugin.at("error"));
  }
  void expect_diagnosed(const std::string& why) { EXPECT_THAT(host.diagnostics(), HasSubstr(why)) << "whole"; }
  void send(int count) {
    KakiyoSender sender(host.public_port());
    for (int i = 0; i < count; ++i) ASSERT_FALSE(sender.send(message("chat_1", ++sent_)).empty());
  }

  const std::string probe_ = library("test_probe");
  int sent_ = 0;
};

TEST_F(RefusedPlugin, IsReportedRunsNothingHarmsNobodyAndGetsWhatItMissedOnceMended) {
  add_copy("good", probe_, 0700);
  add_copy("open", probe_, 0777);
  add_copy("pinned", probe_, 0700, "sha256: \"" + std::string(64, 'a') + "\", ");
  add_copy("deadly", paths::plugins() + "/test_broken_CONSTRUCTOR.so", 0722);  // its constructor ends the process that runs it
  add_copy("other_major", paths::plugins() + "/test_broken_MAJOR.so", 0700);   // so does this one's
  write_text(host.path("text.so"), "no library\n");
  host.plugins["text"] = "{library: \"" + host.path("text.so") + "\"}";
  host.plugins["gone"] = "{library: \"" + host.path("gone.so") + "\"}";
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(expect_refused("open", "others may change open.so; chmod go-w open.so"));
  expect_diagnosed("chmod go-w " + host.path("open.so"));
  ASSERT_NO_FATAL_FAILURE(expect_refused("pinned", "SHA-256"));
  ASSERT_NO_FATAL_FAILURE(expect_refused("deadly", "chmod go-w"));
  ASSERT_NO_FATAL_FAILURE(expect_refused("other_major", "needs plugin ABI 2, this host has 1"));
  ASSERT_NO_FATAL_FAILURE(expect_refused("text", "no ELF file"));
  ASSERT_NO_FATAL_FAILURE(expect_refused("gone", "gone.so"));
  expect_diagnosed(host.path("gone.so"));
  ASSERT_NO_FATAL_FAILURE(send(10));
  ASSERT_TRUE(host.catches_up("good"));
  EXPECT_EQ(ends(journal("good")).size(), 10U);
  const Ran status = host.run({"status", "--check"});
  EXPECT_EQ(status.status, 1) << "monitoring sees it";
  EXPECT_NE(status.out.find("attention: open is failed: "), std::string::npos) << status;

  std::filesystem::permissions(host.path("open.so"), std::filesystem::perms{0700});
  const Ran reloaded = host.run({"reload"});
  ASSERT_EQ(reloaded.status, 1) << reloaded;
  EXPECT_NE(reloaded.err.find("plugins.gone: "), std::string::npos) << "it is tried again, too";
  EXPECT_EQ(reloaded.err.find("plugins.open: "), std::string::npos) << reloaded;
  EXPECT_THAT(reloaded.err, Not(HasSubstr("/"))) << "names only";
  ASSERT_TRUE(poll_until([&] { return shown("open").at("state").as_string() == "loaded"; })) << host.diagnostics();
  ASSERT_TRUE(host.catches_up("open"));
  EXPECT_EQ(ends(journal("open")).size(), 10U) << "it stood still, and lost nothing";
  EXPECT_EQ(host.terminate(), 0);
}

TEST_F(RefusedPlugin, ThatIsRequiredKeepsTheHostFromStarting) {
  add_copy("open", probe_, 0777, "required: true, ");
  host.write_config();
  EXPECT_NE(host.spawn().wait(), 0);
  EXPECT_NE(host.diagnostics().find("a required plugin failed"), std::string::npos) << host.diagnostics();
  EXPECT_NE(host.diagnostics().find("chmod go-w"), std::string::npos);
}

TEST_F(RefusedPlugin, WhoseStartFailsKeepsTheHostFromStartingWhenItIsRequired) {
  host.plugins["out"] = "{library: \"" + paths::jsonl_export() + "\", required: true, config: {path: \"" + host.path("missing/events.jsonl") + "\"}}";
  host.write_config();
  EXPECT_NE(host.spawn().wait(), 0);
  EXPECT_NE(host.diagnostics().find("a required plugin failed: "), std::string::npos) << host.diagnostics();
  EXPECT_NE(host.diagnostics().find(": plugins.out"), std::string::npos) << host.diagnostics();
  std::filesystem::create_directory(host.path("missing"));
  ASSERT_TRUE(host.start());
  EXPECT_TRUE(host.catches_up("out"));
}

TEST_F(RefusedPlugin, WhoseStartFailsIsTriedAgainByAReload) {
  host.plugins["out"] = "{library: \"" + paths::jsonl_export() + "\", config: {path: \"" + host.path("missing/events.jsonl") + "\"}}";
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return host.subscriber("out").at("state").as_string() == "failed"; })) << json::serialize(host.subscriber("out"));
  ASSERT_NO_FATAL_FAILURE(send(3));
  std::filesystem::create_directory(host.path("missing"));
  EXPECT_EQ(host.run({"reload"}).status, 0);
  ASSERT_TRUE(host.catches_up("out"));
  EXPECT_EQ(lines_of(contents(host.path("missing/events.jsonl"))).size(), 3U);
}

}  // namespace
}  // namespace hookhost::test
