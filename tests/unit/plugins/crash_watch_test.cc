// Processes that end inside a call, each in its own way, and what the next one reads. A child of the test plays the host.
#include "plugins/crash_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include "support/temp_dir.h"

namespace hookhost::plugins {
namespace {

class CrashWatchTest : public testing::Test {
 protected:
  // A life of the host that begins to watch and then does `what`; its wait status.
  int live(const std::function<void()>& what) const {
    const pid_t child = ::fork();
    if (child == 0) {
      static_cast<void>(::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO));  // a sanitizer's report
      auto watch = CrashWatch::open(path);
      if (!watch) ::_exit(99);
      watch.value().begin();
      what();
      static_cast<void>(CrashWatch(std::move(watch.value())));  // the orderly end
      ::_exit(0);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  int handle(const std::function<void()>& what) const {
    return live([&] {
      const CallMark mark(instance, "handle", &delivery);
      what();
    });
  }
  std::optional<Crash> left() const {
    auto watch = CrashWatch::open(path);
    EXPECT_TRUE(watch);
    return watch ? watch.value().last() : std::nullopt;
  }
  void expect_blamed(const std::string& cause) const {
    const auto crash = left();
    ASSERT_TRUE(crash) << cause;
    EXPECT_EQ(crash->cause, cause);
    EXPECT_EQ(crash->instance, "crm");
    EXPECT_EQ(crash->doing, "handle");
    ASSERT_TRUE(crash->has_event);
    EXPECT_EQ(crash->stream, 7U);
    EXPECT_EQ(crash->offset, Offset{42});
    EXPECT_EQ(crash->attempt, Attempt{3});
    EXPECT_EQ(crash->crashes, 1U);
    EXPECT_NE(crash->life, 0U);
    EXPECT_GT(crash->at, from_unix_ns(0));
  }

  CrashWatchTest() {
    auto event = std::make_shared<event_log::Event>();
    event->offset = Offset{42};
    delivery.event = event;
    delivery.stream = 7;
    delivery.attempt = Attempt{3};
    delivery.crashes = 1;
  }
  test::TempDir dir;
  const std::string path = dir / "CRASH";
  const std::string instance = "crm";
  delivery::Delivery delivery;
};

void segfault() {
  volatile std::uintptr_t nowhere = 16;
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

[[gnu::noinline]] int overflow(int deep = INT_MAX) {
  volatile int frame[1024] = {deep};
  return deep == 0 ? 0 : overflow(deep - 1) + frame[1];
}

TEST_F(CrashWatchTest, BlamesTheEventWhateverEndsTheProcess) {
  const std::pair<const char*, std::function<void()>> ways[] = {
      {"SIGSEGV", segfault},
      {"SIGSEGV", [] { static_cast<void>(overflow()); }},
      {"SIGABRT", [] { std::abort(); }},
      {"SIGABRT", [] { std::terminate(); }},
      {"SIGILL", [] { __builtin_trap(); }},
      {"SIGFPE", [] { ::raise(SIGFPE); }},
      {"SIGBUS", [] { ::raise(SIGBUS); }},
      {"exit()", [] { std::exit(0); }},
      {"exit()", [] { std::quick_exit(0); }},
  };
  for (const auto& [cause, way] : ways) {
    EXPECT_NE(handle(way), 0) << cause << ": a supervisor must see a failure";
    expect_blamed(cause);
    EXPECT_EQ(live([] {}), 0);
    EXPECT_FALSE(left()) << "the next life forgets it";
  }
}

TEST_F(CrashWatchTest, BlamesTheThreadThatCrashedNotThoseBesideIt) {
  EXPECT_NE(handle([&] {
    std::thread([&] {
      const std::string other = "other";
      const CallMark mark(other, "start");
      static_cast<void>(overflow());
    }).join();
  }), 0);
  const auto crash = left();
  ASSERT_TRUE(crash);
  EXPECT_EQ(crash->instance, "other");
  EXPECT_EQ(crash->doing, "start");
  EXPECT_FALSE(crash->has_event);
}

TEST_F(CrashWatchTest, KnowsOnlyTheCauseOnAThreadThatIsInNoCall) {
  EXPECT_NE(handle([] { std::thread(segfault).join(); }), 0);
  const auto crash = left();
  ASSERT_TRUE(crash);
  EXPECT_EQ(crash->cause, "SIGSEGV");
  EXPECT_EQ(crash->instance, "");
  EXPECT_FALSE(crash->has_event);
}

TEST_F(CrashWatchTest, WhatIsNotThePluginsDoingLeavesNothing) {
  EXPECT_NE(handle([] { ::raise(SIGKILL); }), 0);
  EXPECT_FALSE(left());
  for (const int sent : {SIGSEGV, SIGABRT, SIGTERM}) {
    const int status = handle([sent] {
      const pid_t host = ::getpid();
      const pid_t other = ::fork();
      if (other == 0) ::_exit(::kill(host, sent));
      for (;;) ::pause();
    });
    EXPECT_TRUE(status != 0) << "it ends all the same";
    EXPECT_FALSE(left()) << sent;
  }
  EXPECT_EQ(handle([] {
    const pid_t child = ::fork();
    if (child == 0) std::abort();
    ::waitpid(child, nullptr, 0);
  }), 0) << "a plugin's child that crashes ends only itself";
  EXPECT_FALSE(left());
  EXPECT_EQ(live([&] { const CallMark mark(instance, "handle", &delivery); }), 0);
  EXPECT_FALSE(left()) << "the orderly end";
}

TEST_F(CrashWatchTest, AnotherFormatOrNonsenseIsNoCrash) {
  for (const std::string& text : {std::string(), std::string("x"), std::string(4096, '\xff'), std::string("hkhcrsh1") + std::string(64, '\xff')}) {
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
    ASSERT_EQ(std::fclose(file), 0);
    EXPECT_FALSE(left()) << text.size();
  }
  EXPECT_FALSE(CrashWatch::open(dir / "none/CRASH"));
}

TEST_F(CrashWatchTest, APluginThatEndsLifeAfterLifeOutsideOfHandleIsHeldBackUntilItIsReleased) {
  const auto create = [&](const std::string& name) { return live([&] { const CallMark mark(name, "create"); segfault(); }); };
  const auto held = [&](const std::string& name, bool release = false) {
    bool out = false;
    const int status = live([&] {
      auto watch = CrashWatch::open(path);
      if (release) watch.value().release(name);
      ::_exit(watch.value().held_back(name) ? 1 : 0);
    });
    out = WEXITSTATUS(status) == 1;
    return out;
  };
  EXPECT_NE(create("crm"), 0);
  EXPECT_NE(create("crm"), 0);
  EXPECT_FALSE(held("crm")) << "that life ended otherwise: the count begins again";
  for (int life = 0; life < 3; ++life) {
    EXPECT_NE(create("crm"), 0);
    EXPECT_NE(create("other"), 0);  // they take turns
  }
  EXPECT_TRUE(held("crm"));
  EXPECT_TRUE(held("crm")) << "and in the next life";
  EXPECT_TRUE(held("other"));
  EXPECT_FALSE(held("nobody"));
  EXPECT_FALSE(held("crm", true)) << "released";
  EXPECT_TRUE(held("other"));
  EXPECT_NE(handle(segfault), 0);
  EXPECT_NE(handle(segfault), 0);
  EXPECT_NE(handle(segfault), 0);
  EXPECT_FALSE(held("crm")) << "an event is blamed for these";
}

}  // namespace
}  // namespace hookhost::plugins
