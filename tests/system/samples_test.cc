// What the pages show is true: each whole plugin in them builds against the install tree alone, each fragment stands in a source that is built, and
// the configurations of the shipped plugins' pages load.
#include "support/http_receiver.h"
#include "support/sdk_project.h"
#include "system/journal.h"

namespace hookhost::test {
namespace {

namespace fs = std::filesystem;

struct Block {
  std::string page, language, text;
};

// The fenced blocks of a page, in order.
std::vector<Block> blocks_of(const std::string& page) {
  std::vector<Block> out;
  bool inside = false;
  for (const auto& line : lines_of(contents(page))) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) out.push_back({page, line.substr(3), ""});
    } else if (inside) {
      out.back().text += line + "\n";
    }
  }
  return out;
}

std::vector<std::string> pages() {
  std::vector<std::string> out{paths::source() + "/README.md", paths::source() + "/sdk/README.md"};
  for (const auto& entry : fs::directory_iterator(paths::source() + "/plugins")) {
    if (entry.is_directory()) out.push_back(entry.path() / "README.md");
  }
  return out;
}

std::string trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(' ');
  return begin == std::string::npos ? "" : line.substr(begin);
}

// Whether the fragment's lines stand one behind the other in that text, however they are indented there.
bool stands_in(const std::string& fragment, const std::string& whole) {
  std::string flat_fragment, flat_whole;
  for (const auto& line : lines_of(fragment)) flat_fragment += trimmed(line) + "\n";
  for (const auto& line : lines_of(whole)) flat_whole += trimmed(line) + "\n";
  return flat_whole.find(flat_fragment) != std::string::npos;
}

class Samples : public SystemTest {
 protected:
  static std::string built_sources() {
    std::string out;
    for (const char* folder : {"/sdk/examples", "/plugins"}) {
      for (const auto& entry : fs::recursive_directory_iterator(paths::source() + folder)) {
        if (entry.is_regular_file()) out += contents(entry.path()) + "\n";
      }
    }
    return out;
  }
};

TEST_F(Samples, WholePluginsBuildAndFragmentsAreQuotedFromWhatIsBuilt) {
  const SdkInstall sdk(host.path("sdk"));
  const std::string sources = built_sources();
  int plugins = 0, fragments = 0;
  std::string project;  // the page's own CMakeLists.txt
  for (const auto& page : pages()) {
    for (const auto& block : blocks_of(page)) {
      if (block.language == "cmake") project = block.text;
    }
  }
  ASSERT_NE(project.find("hookhost_add_plugin(hello hello.cpp)"), std::string::npos) << project;
  for (const auto& page : pages()) {
    for (const auto& block : blocks_of(page)) {
      SCOPED_TRACE(page + "\n" + block.text);
      if (block.language != "c" && block.language != "cpp") continue;
      if (block.text.find("HOOKHOST_PLUGIN") == std::string::npos) {
        ++fragments;
        EXPECT_TRUE(stands_in(block.text, sources));
        continue;
      }
      const std::string directory = host.path("sample" + std::to_string(++plugins));
      fs::create_directory(directory);
      std::string its_project = project;
      if (block.language == "c") {
        its_project.replace(its_project.find("hello.cpp"), 9, "hello.c");
        its_project.replace(its_project.find("LANGUAGES CXX"), 13, "LANGUAGES C");
      }
      write_text(directory + "/CMakeLists.txt", its_project);
      write_text(directory + "/hello." + block.language, block.text);
      const Ran built = sdk.build(directory);
      ASSERT_EQ(built.status, 0) << built;
      host.plugins["sample" + std::to_string(plugins)] = "{library: \"" + directory + "/build/hello.so\", required: true}";
    }
  }
  EXPECT_EQ(plugins, 2);
  EXPECT_EQ(fragments, 2);
  ASSERT_TRUE(host.start());
  ASSERT_FALSE(KakiyoSender(host.public_port()).send(message("chat_1", 1)).empty());
  for (const auto& [name, value] : host.plugins) {
    ASSERT_TRUE(host.catches_up(name));
    EXPECT_EQ(host.subscriber(name).at("outcomes").at("ok").to_number<int>(), 1) << host.diagnostics();
  }
}

TEST_F(Samples, AQuoteThatIsNotInTheSourcesIsSeen) {
  EXPECT_TRUE(stands_in("  b\n    c\n", "a\nb\n  c\nd\n"));
  EXPECT_FALSE(stands_in("b\nd\n", "a\nb\nc\nd\n"));
}

// The deferred sample against a CRM that is down, then up, then refuses.
TEST_F(Samples, CrmPushWaitsForItsCrmAndTellsWhatItAnswered) {
  fs::copy(paths::source() + "/sdk/examples/crm_push", host.path("crm_push"));
  const Ran built = SdkInstall(host.path("sdk")).build(host.path("crm_push"));
  ASSERT_EQ(built.status, 0) << built;
  std::atomic<int> status{200}, at_once{0}, most{0};
  const HttpReceiver crm([&](const std::string&) {
    const int here = ++at_once;
    for (int before = most; before < here && !most.compare_exchange_weak(before, here);) {
    }
    if (status == 200) static_cast<void>(poll_until([&] { return most >= 8; }));
    --at_once;
    return HttpReceiver::status(status);
  });
  host.plugins["crm"] = "{library: ../crm_push/build/crm_push.so, required: true, config: {url: \"" + crm.url() + "\"}}";
  ASSERT_TRUE(host.start());
  KakiyoSender sender(host.public_port());
  for (int n = 0; n < 32; ++n) ASSERT_FALSE(sender.send(message("chat_" + std::to_string(n), n)).empty());
  ASSERT_TRUE(host.catches_up("crm"));
  EXPECT_GE(most, 8) << "many slow posts at once, on one thread of the plugin's";
  EXPECT_EQ(crm.bodies().size(), 32U);
  status = 400;
  ASSERT_FALSE(sender.send(message("chat_1", 100)).empty());
  ASSERT_TRUE(host.catches_up("crm"));
  const auto letters = host.run({"dead-letters", "list", "--json"}).objects();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_NE(json::serialize(letters[0]).find("refused the event: 400"), std::string::npos);
  status = 503;
  ASSERT_FALSE(sender.send(message("chat_1", 101)).empty());
  ASSERT_TRUE(poll_until([&] { return host.subscriber("crm").at("state").as_string() == "waiting"; }));
  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
}

// The configuration on each shipped plugin's page, as it stands there.
TEST_F(Samples, TheConfigurationsOfTheShippedPluginsLoad) {
  fs::create_directories(host.path("lib/hookhost/plugins"));
  for (const std::string& library : {paths::jsonl_export(), paths::prospect_crm(), paths::slack_notify()}) {
    const std::string copy = host.path("lib/hookhost/plugins/" + fs::path(library).filename().string());
    fs::copy_file(library, copy);
    fs::permissions(copy, fs::perms{0700});
  }
  std::string shown = "plugins:\n";
  int blocks = 0;
  for (const auto& page : pages()) {
    bool inside = false;
    for (const auto& line : lines_of(contents(page))) {
      if (inside && !line.starts_with("    ")) inside = false;
      if (inside) shown += line.substr(4) + "\n";
      if (line == "    plugins:" && page.find("/plugins/") != std::string::npos) inside = ++blocks > 0;
    }
  }
  ASSERT_EQ(blocks, 3) << shown;
  host.more = shown;
  ASSERT_TRUE(host.start({}, {"SLACK_WEBHOOK_URL=https://127.0.0.1:9/services/T0/B0/secret-part"})) << shown;
  for (const char* name : {"jsonl", "crm", "sales_channel"}) {
    ASSERT_TRUE(host.catches_up(name));
    EXPECT_EQ(host.subscriber(name).at("state").as_string(), "live") << json::serialize(host.subscriber(name));
  }
}

}  // namespace
}  // namespace hookhost::test
