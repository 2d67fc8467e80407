// What an author reads who got it wrong: a wrong signature is one error that says what was expected, and no page of templates stands around it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/sdk_project.h"

namespace hookhost::test {
namespace {

using ::testing::HasSubstr;

struct Mistake {
  const char* name;
  const char* member;     // in place of a good class's members
  const char* expected;   // in the first error
};

constexpr const char* kInfo = R"(static constexpr hookhost::Info info{.id = "com.example.wrong", .version = "1", .events = {"*"}};)";
constexpr const char* kConstructor = "Wrong(hookhost::Host, const hookhost::Config&) {}";
constexpr const char* kHandle = "hookhost::Outcome handle(const hookhost::Event&, hookhost::Call&) { return hookhost::ok(); }";

// Each takes the place of the good member of its kind, or is added.
constexpr Mistake kMistakes[] = {
    {"no_info", "", "expected in the plugin's class: static constexpr hookhost::Info info"},
    {"no_constructor", "Wrong() {}", "expected a public constructor: (hookhost::Host host, const hookhost::Config& config)"},
    {"handle_answers_nothing", "void handle(const hookhost::Event&, hookhost::Call&) {}", "expected: public hookhost::Outcome handle("},
    {"start_without_resume", "void start() {}", "expected: public void or std::uint64_t start(const hookhost::Resume& resume)"},
    {"stop_with_argument", "void stop(int) {}", "expected: public void stop()"},
    {"checkpoint_by_token", "void checkpoint(std::uint64_t) {}", "expected: public void checkpoint(const hookhost::Checkpoint& point)"},
    {"health_as_text", "std::string health() { return {}; }", "expected: public bool or hookhost::Outcome health()"},
    {"reconfigure_answers_nothing", "void reconfigure(const hookhost::Config&) {}", "expected: public bool reconfigure(const hookhost::Config& config)"},
    {"id_with_spaces", R"(static constexpr hookhost::Info info{.id = "com example", .version = "1", .events = {"*"}};)", "Info.id wants 1 to 127 letters"},
    {"no_events", R"(static constexpr hookhost::Info info{.id = "com.example.wrong", .version = "1", .events = {}};)", "events wants 1 to 32 patterns"},
    {"pattern", R"(static constexpr hookhost::Info info{.id = "com.example.wrong", .version = "1", .events = {"a*"}};)", "a pattern is *, prefix.*"},
};

class WrongPlugins : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (find_tool(GetParam()).empty()) GTEST_SKIP() << GetParam() << " is not installed";
  }
  Ran compile(const std::string& source, const std::string& flag = "-Wall") {
    write_text(directory_ / "wrong.cpp", source);
    return run_tool({find_tool(GetParam()), "-std=c++20", "-fsyntax-only", "-Wextra", flag, "-I" SDK_INCLUDE, directory_ / "wrong.cpp"}, directory_.path());
  }
  static std::string plugin_of(const std::string& members) {
    return "#include <hookhost/plugin.hpp>\nclass Wrong {\n public:\n" + members + "\n};\nHOOKHOST_PLUGIN(Wrong)\n";
  }
  static std::string good_plugin() { return plugin_of(std::string(kInfo) + "\n" + kConstructor + "\n" + kHandle); }

  TempDir directory_;
};

TEST_P(WrongPlugins, AreToldInOneReadableError) {
  for (const Mistake& mistake : kMistakes) {
    if (quick() && (&mistake - kMistakes) % 3 != 0) continue;
    SCOPED_TRACE(mistake.name);
    const std::string name = mistake.name, wrong = mistake.member;
    const bool is_info = wrong.find("hookhost::Info") != std::string::npos;
    const std::string info = is_info || name == "no_info" ? "" : kInfo, constructor = name == "no_constructor" ? "" : kConstructor,
                      handle = wrong.find(" handle(") != std::string::npos ? "" : kHandle;
    const Ran ran = compile(plugin_of(info + "\n" + constructor + "\n" + handle + "\n" + wrong));
    EXPECT_NE(ran.status, 0);
    EXPECT_THAT(ran.err, HasSubstr(mistake.expected));
    EXPECT_THAT(ran.err, HasSubstr("wrong.cpp:")) << "the author's own line";
    const auto lines = lines_of(ran.err);
    const auto errors = std::count_if(lines.begin(), lines.end(), [](const auto& line) { return line.find("error:") != std::string::npos; });
    // What a consteval constructor refuses, the compilers tell at each place that needs it.
    EXPECT_LE(errors, is_info ? 5 : 2) << ran;
    EXPECT_LE(lines.size(), is_info ? 100U : 60U) << ran;
  }
}

TEST_P(WrongPlugins, AGoodOneCompilesAndAMinorThatTheHeaderLacksDoesNot) {
  EXPECT_EQ(compile(good_plugin()).status, 0);
  EXPECT_EQ(compile(good_plugin() + "HOOKHOST_REQUIRES(0);\n").status, 0);
  const char* expected = "build with a header that has this minor";
  EXPECT_THAT(compile(good_plugin() + "HOOKHOST_REQUIRES(1);\n").err, HasSubstr(expected));
  EXPECT_THAT(compile(good_plugin() + "HOOKHOST_REQUIRES(1);\n", "-DHOOKHOST_ABI_MINOR_NEEDED=1").err, HasSubstr(expected)) << "the header has 1.0";
}

INSTANTIATE_TEST_SUITE_P(Sdk, WrongPlugins, ::testing::Values("g++", "clang++"),
                         [](const auto& one) { return std::string(one.param) == "g++" ? "gcc" : "clang"; });

}  // namespace
}  // namespace hookhost::test
