// From files on the disk to running instances: what was checked is what runs.
#include "app/plugin_set.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/fake_delivery_store.h"
#include "support/fake_feed.h"
#include "support/paths.h"
#include "support/poll.h"
#include "support/temp_dir.h"

namespace hookhost::app {
namespace {

class PluginSetTest : public testing::Test {
 protected:
  PluginSetTest() {
    config.file = directory / "hookhost.yaml";
    config::Plugin plugin;
    plugin.name = "crm";
    plugin.place = config.file + ":5:3";
    plugin.library = directory / "crm.so";
    config.plugins["crm"] = plugin;
    EXPECT_TRUE(engine.start());
  }
  ~PluginSetTest() override { engine.stop(system_clock().monotonic()); }

  void put(const std::string& library) {
    std::filesystem::copy_file(test::paths::plugins() + "/" + library + ".so", directory / "new.so");
    std::filesystem::permissions(directory / "new.so", std::filesystem::perms(0700));
    std::filesystem::rename(directory / "new.so", config.plugins["crm"].library);
  }
  api::PluginInfo info() { return set.info().at(0); }
  bool runs() {
    return test::poll_until([&] { return engine.status(SubscriberId{"crm"}).value().state == "live"; });
  }

  test::TempDir directory;
  config::Config config;
  std::vector<std::string> held;
  test::FakeFeed feed;
  test::FakeDeliveryStore store;
  StopRequest stop;
  delivery::Engine engine{feed, store, system_clock()};
  PluginSet set{engine, store, directory / "private", system_clock(), stop};
};

TEST_F(PluginSetTest, WhatWasCheckedIsWhatRunsThoughTheFileChangesInBetween) {
  put("test_noop");
  ASSERT_TRUE(set.accept(config, held));
  auto prepared = set.prepare(config, {});
  ASSERT_TRUE(prepared) << prepared.error().text();
  const std::string checked = prepared.value().at("crm").library->info().sha256;
  put("test_hostile");
  ASSERT_TRUE(set.apply(config, {}, {}, Await::all, std::move(prepared.value())));
  EXPECT_EQ(info().sha256, checked);
  EXPECT_EQ(info().state, "loaded");
  EXPECT_TRUE(runs());
}

TEST_F(PluginSetTest, OnlyWhatDiffersIsReadAgain) {
  put("test_noop");
  ASSERT_TRUE(set.accept(config, held));
  ASSERT_TRUE(set.apply(config, {}, {}, Await::all));
  std::filesystem::remove(config.plugins["crm"].library);
  const auto same = set.prepare(config, config.plugins);
  ASSERT_TRUE(same);
  EXPECT_TRUE(same.value().empty());
  const auto before = config.plugins;
  config.plugins["crm"].timeout = std::chrono::seconds{7};
  EXPECT_FALSE(set.prepare(config, before)) << "and this one is gone";
  EXPECT_TRUE(runs());
}

}  // namespace
}  // namespace hookhost::app
