// An EndpointSet and the rooms it stands in, as a host has them: files in a directory of the test's own, the event feed and delivery.db fake.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/endpoint_set.h"
#include "os/file_system.h"
#include "support/fake_delivery_store.h"
#include "support/fake_feed.h"
#include "support/temp_dir.h"

namespace hookhost::app {

class EndpointRooms : public testing::Test {
 protected:
  // stands: of the engine and the set it is `clock`, which goes on only when the test says so.
  enum class Time { goes_on, stands };
  explicit EndpointRooms(Time time) : of_engine(time == Time::stands ? static_cast<const Clock&>(clock) : system_clock()) { EXPECT_TRUE(engine->start()); }
  ~EndpointRooms() override {
    feed.open_gate();
    engine->stop(of_engine.monotonic());
    engine.reset();  // Order: its subscribers use the set's sender
    set.reset();
  }
  std::unique_ptr<EndpointSet> make() { return std::make_unique<EndpointSet>(EndpointSet::Rooms{*engine, store, *registry, ingest, ids, of_engine}); }
  // The set of the next life, over the same engine: what the one before has attached may still use its sender.
  void start_again() { earlier.push_back(std::exchange(set, make())); }
  bool accept() {
    std::vector<std::string> held;
    const auto all = set->may_accept(config);
    return all && set->accept(all.value(), held);
  }
  std::string state_of(const std::string& id) {
    const auto status = engine->status(SubscriberId{id});
    return status ? status.value().state : "(unknown)";
  }

  test::TempDir directory;
  ManualClock clock;
  const Clock& of_engine;
  config::Config config;
  test::FakeFeed feed;
  test::FakeDeliveryStore store;
  EventIdGenerator ids{1};
  std::unique_ptr<state::Registry> registry = std::move(state::Registry::open(directory / "registry.db", true).value());
  std::unique_ptr<event_log::EventLog> log =
      std::move(event_log::EventLog::open(os::local_file_system(), {.directory = directory / "events", .disk_free_min = 0}, system_clock()).value());
  ingest::Ingest ingest{*log, ids, system_clock()};
  std::unique_ptr<delivery::Engine> engine = std::make_unique<delivery::Engine>(feed, store, of_engine);
  std::vector<std::unique_ptr<EndpointSet>> earlier;
  std::unique_ptr<EndpointSet> set = make();
};

}  // namespace hookhost::app
