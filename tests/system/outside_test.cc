// A plugin that is built outside the repository, against nothing but what `cmake --install` leaves, then enabled and handed the past while new
// events arrive: the three uses of the product, as its users meet them.
#include <algorithm>
#include <atomic>
#include <thread>

#include "support/sdk_project.h"
#include "system/journal.h"

namespace hookhost::test {
namespace {

constexpr int kChats = 5;

// Sends events one after the other until it is told to stop.
class LiveTraffic {
 public:
  LiveTraffic(std::uint16_t port, std::int64_t first) : sent_(first), thread_([this, port] {
    KakiyoSender sender(port);
    while (!stop_) {
      const std::int64_t n = sent_ + 1;
      if (sender.send(message("chat_" + std::to_string(n % kChats), n)).empty()) break;
      sent_ = n;
    }
  }) {}
  ~LiveTraffic() { end(); }
  std::int64_t sent() const { return sent_; }
  void end() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<std::int64_t> sent_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class Outside : public SystemTest {
 protected:
  // The probe's source, or another, as any author's own file.
  void build_the_plugin(const std::string& definition = "", const std::string& source = "probe.cpp") {
    std::filesystem::create_directory(host.path("mine"));
    const std::string folder = paths::source() + "/tests/system/";
    std::filesystem::copy(folder + source, host.path("mine/mine.cpp"));
    std::filesystem::copy(folder + "kv_dump.h", host.path("mine/kv_dump.h"));
    write_text(host.path("mine/CMakeLists.txt"), "cmake_minimum_required(VERSION 3.16)\nproject(mine LANGUAGES CXX)\nfind_package(hookhost CONFIG REQUIRED)\n"
                                                 "hookhost_add_plugin(mine mine.cpp)\n" + definition);
    const Ran built = SdkInstall(host.path("sdk")).build(host.path("mine"));
    ASSERT_EQ(built.status, 0) << built;
  }
  void enable(const std::string& options) {
    host.plugins["mine"] = "{library: ../mine/build/mine.so, " + options + ", config: {journal: \"" + host.path("mine.journal") + "\", ledger: \"" +
                           host.path("mine.ledger") + "\", work_us: 200}}";
    host.write_config();
    const Ran reloaded = host.run({"reload"});
    ASSERT_EQ(reloaded.status, 0) << reloaded;
  }
  // What the ledger holds, checkpoints left out.
  struct Effect {
    std::uint64_t offset = 0;
    std::string key, stream;
  };
  [[nodiscard]] std::vector<Effect> effects() const {
    std::vector<Effect> out;
    for (const auto& line : lines_of(contents(host.path("mine.ledger")))) {
      if (line.starts_with("checkpoint")) continue;
      std::istringstream in(line);
      in >> out.emplace_back().offset >> out.back().key >> out.back().stream;
    }
    return out;
  }
  void send_past(std::int64_t events) {
    KakiyoSender sender(host.public_port());
    for (std::int64_t n = 1; n <= events; ++n) ASSERT_FALSE(sender.send(message("chat_" + std::to_string(n % kChats), n)).empty());
  }
  void replay_beside(LiveTraffic& live, const std::string& mode, const std::string& expected_reason) {
    const std::int64_t before = live.sent();
    ASSERT_TRUE(poll_until([&] { return live.sent() > before + 20; }));
    const Ran dry = host.run({"replay", "mine", "--from", "beginning", "--dry-run"});
    ASSERT_EQ(dry.status, 0) << dry;
    EXPECT_NE(dry.out.find(expected_reason), std::string::npos) << dry;
    const Ran replay = host.run({"replay", "mine", "--from", "beginning", "--live", mode, "--yes", "--json"});
    ASSERT_EQ(replay.status, 0) << replay;
    EXPECT_EQ(replay.objects().back().at("state").as_string(), "done") << replay;
    const std::int64_t after = live.sent();
    ASSERT_TRUE(poll_until([&] { return live.sent() > after + 50; }));
    live.end();
    ASSERT_TRUE(host.catches_up("mine"));
  }
};

TEST_F(Outside, HeldThenReplayedWithLiveWaitingHandlesEachEventOnceInOrderThenIsLive) {
  ASSERT_NO_FATAL_FAILURE(build_the_plugin());
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send_past(400));
  ASSERT_NO_FATAL_FAILURE(enable("start_at: hold"));
  ASSERT_TRUE(poll_until([&] { return host.subscriber("mine").at("state").as_string() == "held"; })) << host.diagnostics();
  EXPECT_TRUE(poll_until([&] { return host.subscriber("mine").at("earlier_events").to_number<int>() == 400; })) << json::serialize(host.subscriber("mine"));
  LiveTraffic live(host.public_port(), 400);
  ASSERT_NO_FATAL_FAILURE(replay_beside(live, "wait", "live events wait"));

  const auto lines = journal("mine");
  const auto handled = ends(lines);
  EXPECT_EQ(handled.size(), static_cast<std::size_t>(live.sent()));
  for (const auto& [offset, times] : handled) EXPECT_EQ(times, 1) << "offset " << offset;
  EXPECT_TRUE(in_order_per_key(lines));
  EXPECT_TRUE(never_two_calls_of_one_key(lines));
  EXPECT_TRUE(lines.front().is_replay);
}

TEST_F(Outside, AKill9AmidAReplayThatLiveWaitsForLosesNothingAndDoublesNoEffectThatIsCutBackToItsToken) {
  constexpr std::int64_t kPast = 2000;
  ASSERT_NO_FATAL_FAILURE(build_the_plugin("", "ledger.cpp"));
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send_past(kPast));
  ASSERT_NO_FATAL_FAILURE(enable("start_at: hold"));
  ASSERT_TRUE(poll_until([&] { return host.subscriber("mine").at("state").as_string() == "held"; })) << host.diagnostics();
  LiveTraffic killed(host.public_port(), kPast);
  ASSERT_TRUE(poll_until([&] { return killed.sent() > kPast + 20; }));
  ASSERT_EQ(host.run({"replay", "mine", "--from", "beginning", "--live", "wait", "--yes", "--no-watch"}).status, 0);
  ASSERT_TRUE(poll_until([&] { return effects().size() > 100; }));
  host.kill_9();
  killed.end();
  const auto before = effects();
  EXPECT_LT(before.size(), static_cast<std::size_t>(kPast)) << "amid the replay";
  for (const auto& effect : before) EXPECT_EQ(effect.stream, "replay") << "live waits; offset " << effect.offset;

  ASSERT_TRUE(host.start());
  LiveTraffic live(host.public_port(), killed.sent());  // what was under way at the kill comes again, as its sender would send it
  const Ran done = host.run({"replays", "watch", "1", "--json"});
  EXPECT_EQ(done.objects().back().at("state").as_string(), "done") << done;
  const std::int64_t after = live.sent();
  ASSERT_TRUE(poll_until([&] { return live.sent() > after + 50; }));
  live.end();
  ASSERT_TRUE(host.catches_up("mine"));
  EXPECT_EQ(host.subscriber("mine").at("state").as_string(), "live");

  EXPECT_TRUE(poll_until([&] { return effects().size() >= static_cast<std::size_t>(live.sent()); })) << "with the checkpoint that comes";
  EXPECT_EQ(contents(host.path("mine.ledger")).find("does not cover"), std::string::npos);
  const auto all = effects();
  ASSERT_EQ(all.size(), static_cast<std::size_t>(live.sent()));
  std::map<std::string, std::uint64_t> last;
  std::set<std::uint64_t> offsets;
  for (const auto& [offset, key, stream] : all) {
    EXPECT_TRUE(offsets.insert(offset).second) << "offset " << offset << " twice";
    if (offset < static_cast<std::uint64_t>(kPast)) { EXPECT_EQ(stream, "replay") << "offset " << offset; }
    const auto [known, is_new] = last.emplace(key, offset);
    if (!is_new) { EXPECT_LT(known->second, offset) << "of " << key; }
    known->second = offset;
  }
  EXPECT_EQ(*offsets.rbegin() + 1, offsets.size()) << "no gap where it became live";
  EXPECT_EQ(all.back().stream, "live");
}

TEST_F(Outside, ReplayedBesideLiveIntoAPastHandlesAtLeastOnceAndNeverTwoOfAKeyAtOnce) {
  ASSERT_NO_FATAL_FAILURE(build_the_plugin("target_compile_definitions(mine PRIVATE PROBE_CONCURRENT)\n"));
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(enable("concurrency: 4"));
  ASSERT_NO_FATAL_FAILURE(send_past(400));
  ASSERT_TRUE(host.catches_up("mine"));
  LiveTraffic live(host.public_port(), 400);
  ASSERT_NO_FATAL_FAILURE(replay_beside(live, "continue", "live events go on beside it"));

  const auto lines = journal("mine");
  const auto handled = ends(lines);
  EXPECT_EQ(handled.size(), static_cast<std::size_t>(live.sent()));
  for (const auto& [offset, times] : handled) {
    if (offset < 400) { EXPECT_EQ(times, 2) << "offset " << offset << ": live, then in the replay"; }
  }
  EXPECT_TRUE(never_two_calls_of_one_key(lines));
  EXPECT_GE(std::count_if(lines.begin(), lines.end(), [](const JournalLine& line) { return line.is_replay; }), 400);
}

TEST_F(Outside, AReplayGoesOnAfterKill9AndAfterCancelAndResume) {
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send_past(300));
  add_probe("probe", "start_at: hold, ", "work_us: 5000");
  host.write_config();
  ASSERT_EQ(host.run({"reload"}).status, 0);
  ASSERT_EQ(host.run({"replay", "probe", "--from", "beginning", "--yes", "--no-watch"}).status, 0);
  ASSERT_TRUE(poll_until([&] { return ends(journal("probe")).size() > 50; }));
  host.kill_9();
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return ends(journal("probe")).size() > 120; })) << host.diagnostics();
  const auto list = host.run({"replays", "list", "--json"});
  const std::string id = std::to_string(list.objects().at(0).at("id").to_number<int>());
  ASSERT_EQ(host.run({"replays", "cancel", id}).status, 0);
  const auto at_cancel = ends(journal("probe")).size();
  EXPECT_LT(at_cancel, 300U);
  const Ran cancelled = host.run({"replays", "watch", id, "--json"});
  EXPECT_EQ(cancelled.objects().at(0).at("state").as_string(), "cancelled") << cancelled;
  ASSERT_EQ(host.run({"replays", "resume", id}).status, 0);
  const Ran done = host.run({"replays", "watch", id, "--json"});
  EXPECT_EQ(done.objects().at(0).at("state").as_string(), "done") << done;
  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(ends(journal("probe")).size(), 300U);
}

// Both languages, both compilers, CMake and pkg-config; what is included is the SDK and the compiler's own.
class Examples : public testing::TestWithParam<std::pair<const char*, const char*>> {
 protected:
  static void sees_only_the_sdk(const std::string& build, const std::string& prefix) {
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(build)) {
      if (entry.path().extension() != ".d") continue;
      ++files;
      const std::string text = contents(entry.path());
      EXPECT_NE(text.find(prefix + "/include/hookhost/"), std::string::npos) << entry.path();
      for (const std::string& foreign : {std::string("boost"), std::string("google/protobuf"), paths::source() + "/sdk"}) EXPECT_EQ(text.find(foreign), std::string::npos) << foreign << " in " << entry.path();
    }
    EXPECT_GT(files, 0);
  }
  void loads(HostProcess& host, const std::string& library) {
    host.plugins["example"] = "{library: \"" + library + "\", required: true}";
    ASSERT_TRUE(host.start());
    ASSERT_FALSE(KakiyoSender(host.public_port()).send(message("chat_1", ++messages)).empty());
    ASSERT_TRUE(host.catches_up("example"));
    EXPECT_EQ(host.subscriber("example").at("outcomes").at("ok").to_number<int>(), 1) << host.diagnostics();
    EXPECT_EQ(host.terminate(), 0);
    host.plugins.clear();
  }

  int messages = 0;
};

TEST_P(Examples, BuildOutsideAndHandleAnEvent) {
  const std::string c = find_tool(GetParam().first), cpp = find_tool(GetParam().second);
  if (c.empty() || cpp.empty()) GTEST_SKIP() << GetParam().first << " is not installed";
  HostProcess host;
  const SdkInstall sdk(host.path("sdk"));
  for (const std::string example : {"echo_c", "hello_cpp"}) {
    SCOPED_TRACE(example);
    std::filesystem::copy(paths::source() + "/sdk/examples/" + example, host.path(example));
    const Ran built = sdk.build(host.path(example), {"-DCMAKE_C_COMPILER=" + c, "-DCMAKE_CXX_COMPILER=" + cpp});
    ASSERT_EQ(built.status, 0) << built;
    sees_only_the_sdk(host.path(example + "/build"), sdk.prefix());
    ASSERT_NO_FATAL_FAILURE(loads(host, host.path(example + "/build/" + example.substr(0, example.find('_')) + ".so")));
  }
  const Ran flags = run_tool({find_tool("pkg-config"), "--cflags", "--libs", "hookhost"}, sdk.prefix(), {"PKG_CONFIG_PATH=" + sdk.prefix() + "/lib/pkgconfig"});
  ASSERT_EQ(flags.status, 0) << flags;
  const Ran compiled = run_tool({"/bin/sh", "-c", cpp + " -std=c++20 -o by_hand.so ../hello_cpp/hello.cpp " + lines_of(flags.out).at(0)}, host.path("conf"));
  ASSERT_EQ(compiled.status, 0) << compiled;
  ASSERT_NO_FATAL_FAILURE(loads(host, host.path("conf/by_hand.so")));
}
INSTANTIATE_TEST_SUITE_P(Compilers, Examples, testing::Values(std::pair("gcc", "g++"), std::pair("clang", "clang++")),
                         [](const auto& one) { return std::string(one.param.first); });

TEST_F(Outside, WhatPluginNewWritesBuildsPassesItsTestAndHandlesAnEvent) {
  const SdkInstall sdk(host.path("sdk"));
  for (const std::string name : {"in_cpp", "in_c"}) {
    SCOPED_TRACE(name);
    std::vector<std::string> command{"plugin", "new", name};
    if (name == "in_c") command.insert(command.end(), {"--lang", "c"});
    ASSERT_EQ(host.run(command).status, 0);
    const Ran built = sdk.build(host.path(name));
    ASSERT_EQ(built.status, 0) << built;
    const Ran tested = run_tool({paths::ctest(), "--test-dir", host.path(name + "/build"), "--output-on-failure", "--no-tests=error"}, host.path("conf"));
    EXPECT_EQ(tested.status, 0) << tested;
    host.plugins[name] = "{library: ../" + name + "/build/" + name + ".so, required: true}";
  }
  ASSERT_TRUE(host.start());
  ASSERT_FALSE(KakiyoSender(host.public_port()).send(message("chat_1", 1)).empty());
  for (const char* name : {"in_cpp", "in_c"}) {
    ASSERT_TRUE(host.catches_up(name));
    EXPECT_EQ(host.subscriber(name).at("outcomes").at("ok").to_number<int>(), 1) << host.diagnostics();
  }
}

}  // namespace
}  // namespace hookhost::test
