// Loads the test plugins, feeds an instance and gathers what comes back.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <map>

#include "plugins/instance_subscriber.h"
#include "support/paths.h"
#include "support/poll.h"
#include "support/temp_dir.h"

namespace hookhost::plugins {

// Records completions and that each delivery has exactly one.
class Gathered final : public delivery::Sink {
 public:
  void completed(std::vector<delivery::Completion> completions) override {
    const std::scoped_lock lock(mutex_);
    for (auto& one : completions) {
      const auto id = one.id;
      EXPECT_TRUE(all_.emplace(id, std::move(one)).second) << "delivery " << id << " completed twice";
    }
  }
  void lost(std::string, std::vector<std::uint64_t>) override {}
  [[nodiscard]] std::size_t count() const {
    const std::scoped_lock lock(mutex_);
    return all_.size();
  }
  [[nodiscard]] bool has(std::uint64_t id) const {
    const std::scoped_lock lock(mutex_);
    return all_.contains(id);
  }
  [[nodiscard]] delivery::Completion of(std::uint64_t id) const {
    const std::scoped_lock lock(mutex_);
    return all_.at(id);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, delivery::Completion> all_;
};

class EmptyKv final : public delivery::KvReader {
 public:
  Result<std::optional<std::string>> get(std::string_view) override { return std::optional<std::string>(); }
  Result<std::vector<std::pair<std::string, std::string>>> scan(std::string_view, std::string_view, std::size_t) override {
    return std::vector<std::pair<std::string, std::string>>();
  }
};

class PluginTest : public testing::Test {
 protected:
  // A copy in the test's own directory: the build's may be writable by a group.
  std::string file(const std::string& name) {
    const std::string to = dir_ / (name + ".so");
    std::filesystem::copy_file(test::paths::plugins() + "/" + name + ".so", to, std::filesystem::copy_options::overwrite_existing);
    allow(to, 0700);
    return to;
  }
  static void allow(const std::string& path, unsigned mode) { std::filesystem::permissions(path, std::filesystem::perms(mode)); }
  Result<std::shared_ptr<const Library>> load(const std::string& path, const std::string& sha256 = "") {
    return Library::load(os::local_file_system(), path, dir_ / "data", sha256);
  }

  test::TempDir dir_;
};

// A cell for the whole process: a thread that was written off looks at it when its test is over.
inline std::atomic<int>& lasting_cell() {
  static auto& all = *new std::deque<std::atomic<int>>();
  return all.emplace_back(0);
}

// One instance of the hostile plugin.
struct Hostile {
  Hostile(std::shared_ptr<const Library> library, const std::string& mode, std::uint32_t calls_max = 64)
      : subscriber(make_subscriber(std::move(library), settings(mode, calls_max), std::make_shared<PluginMetrics>(), system_clock())) {}
  ~Hostile() {
    cell = 1;
    stop();
  }
  SubscriberSettings settings(const std::string& mode, std::uint32_t calls_max = 64) {
    const auto address = reinterpret_cast<std::uintptr_t>(&cell);
    return {{"hostile", R"({"mode":")" + mode + R"(","cell":)" + std::to_string(address) + "}", "/"}, 1, calls_max};
  }
  Result<std::uint64_t> start(std::uint64_t token = 7) { return subscriber->start({.token = token, .sink = sink, .kv = std::make_shared<EmptyKv>()}); }
  void submit(std::uint64_t count, Duration timeout = std::chrono::seconds{60}, bool kv_writable = true) {
    std::vector<delivery::Delivery> all;
    for (std::uint64_t i = 0; i < count; ++i) {
      auto event = std::make_shared<event_log::Event>();
      event->offset = Offset{next};
      event->id = EventId{"evt_test"};
      event->type = "a.b";
      event->body = R"({"n":1})";
      delivery::Delivery one;
      one.id = next++;
      one.event = std::move(event);
      one.timeout = timeout;
      one.kv_writable = kv_writable;
      all.push_back(std::move(one));
    }
    subscriber->submit(std::move(all));
  }
  delivery::Completion answer(std::uint64_t id) {
    EXPECT_TRUE(test::poll_until([&] { return sink->has(id); })) << "no answer to delivery " << id;
    return sink->has(id) ? sink->of(id) : delivery::Completion{};
  }
  void stop() { subscriber->stop(system_clock().monotonic() + std::chrono::seconds{20}); }

  std::atomic<int>& cell = lasting_cell();
  std::uint64_t next = 1;
  std::shared_ptr<Gathered> sink = std::make_shared<Gathered>();
  std::unique_ptr<PluginSubscriber> subscriber;
};

}  // namespace hookhost::plugins
