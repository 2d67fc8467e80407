// A host that is told to end while something hangs that nothing can end: it drains the others, and ends.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>

#include "system/journal.h"

namespace hookhost::test {
namespace {

using testing::HasSubstr;

class Ending : public SystemTest {
 protected:
  Ending() {
    host.more = "drain_timeout: 300ms\n";
    add_probe("a_healthy", "start_at: beginning, ", "", "test_probe_checkpoint");
  }
  void send_some() {
    for (int i = 0; i < 5; ++i) send("chat_" + std::to_string(i % 2));
  }
  void hang_when_loaded() { add_probe("hanging", "", "", "test_probe_hanging"); }
  [[nodiscard]] std::string loaded() const { return host.path("loaded"); }
  [[nodiscard]] bool is_loading() const { return std::filesystem::exists(loaded()); }
  void is_answered_once() {
    host.plugins.erase("hanging");
    ASSERT_TRUE(host.start());
    ASSERT_TRUE(host.catches_up("a_healthy"));
    const std::map<std::uint64_t, int> once{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}};
    EXPECT_EQ(ends(journal("a_healthy")), once) << "it was drained: its checkpoint was committed";
    EXPECT_THAT(host.diagnostics(), testing::Not(HasSubstr("the last stop was not an orderly one")));
  }
};

TEST_F(Ending, AmidAReloadWhoseLibraryHangsWhileItIsLoaded) {
  host.write_config();
  ASSERT_TRUE(host.start({}, {"PROBE_LOADED=" + loaded()}));
  send_some();
  hang_when_loaded();
  host.write_config();
  host.process().signal(SIGHUP);
  ASSERT_TRUE(poll_until([&] { return is_loading(); })) << host.diagnostics();
  ASSERT_TRUE(poll_until([&] { return ends(journal("a_healthy")).size() == 5; })) << "the others go on meanwhile";
  EXPECT_EQ(host.terminate(), 0);
  EXPECT_THAT(host.diagnostics(), HasSubstr("a plugin's library hangs while it is loaded"));
  is_answered_once();
}

TEST_F(Ending, AmidAStartWhoseLibraryHangsWhileItIsLoaded) {
  const auto healthy = host.plugins;
  host.plugins.clear();
  ASSERT_TRUE(host.start());
  send_some();
  ASSERT_EQ(host.terminate(), 0);
  host.plugins = healthy;
  hang_when_loaded();
  host.write_config();
  host.spawn({}, {"PROBE_LOADED=" + loaded()});
  ASSERT_TRUE(poll_until([&] { return is_loading(); })) << host.diagnostics();
  EXPECT_EQ(host.terminate(), 0);
  EXPECT_THAT(host.diagnostics(), HasSubstr("a plugin's library hangs while it is loaded"));
  host.plugins.erase("hanging");
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(host.catches_up("a_healthy"));
  EXPECT_EQ(ends(journal("a_healthy")).size(), 5U) << "how much of it the other came to do is the loader's choice: it holds a lock that new threads may want";
}

TEST_F(Ending, AmidStartsThatHang) {
  for (const char* name : {"one", "two"}) {
    add_probe(name);
    set_mode(name, "hang_in_start");
  }
  ASSERT_TRUE(host.start());
  send_some();
  ASSERT_TRUE(poll_until([&] { return ends(journal("a_healthy")).size() == 5; }));
  EXPECT_EQ(host.terminate(), 0);
  for (const char* name : {"one", "two"}) set_mode(name, "");
  ASSERT_TRUE(host.start());
  for (const char* name : {"one", "two"}) EXPECT_TRUE(host.catches_up(name));
  is_answered_once();
}

// As in a long recovery: a signal ends the process, as it ends one that has not begun.
TEST_F(Ending, BeforeTheDataDirectoryIsOpen) {
  host.write_config();
  std::filesystem::create_directory(host.data_dir());
  const std::string path = host.data_dir() + "/LOCK";
  const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);  // a host waits for it a while
  auto& process = host.spawn();
  const auto waits = [&] {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process.pid()) + "/fd", none)) {
      if (std::filesystem::read_symlink(entry, none) == path) return true;
    }
    return false;
  };
  ASSERT_TRUE(poll_until([&] { return waits() || process.ended(); })) << host.diagnostics();
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), 128 + SIGTERM) << host.diagnostics();
  ::close(lock);
  EXPECT_TRUE(host.start());
}

}  // namespace
}  // namespace hookhost::test
