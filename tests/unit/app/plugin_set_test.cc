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
  bool is_accepted() {
    const auto all = set.may_accept(config);
    return all && set.accept(all.value(), held);
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
  ASSERT_TRUE(is_accepted());
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
  ASSERT_TRUE(is_accepted());
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

TEST_F(PluginSetTest, OneThatCannotBeAcceptedIsNamedWithItsPlaceAndNoneGetsAPosition) {
  config.plugins["crm"].start_at = {.kind = config::When::Kind::offset, .offset = Offset{9}};
  config::Plugin& other = config.plugins["before"] = config.plugins["crm"];
  other.name = "before";
  other.start_at = {};
  const auto refused = set.may_accept(config);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_config);
  EXPECT_EQ(refused.error().message, config.file + ":5:3: plugins.crm.start_at: offset 9 lies beyond the end of the event log, 0");
  EXPECT_FALSE(engine.status(SubscriberId{"before"}));
  config.plugins["crm"].start_at = {};
  ASSERT_TRUE(engine.accept(SubscriberId{"crm"}, "endpoint", {}));
  const auto known = set.may_accept(config);
  ASSERT_FALSE(known);
  EXPECT_TRUE(known.error().message.starts_with(config.file + ":5:3: plugins.crm: crm is known as an endpoint")) << known.error().message;
}

}  // namespace
}  // namespace hookhost::app
