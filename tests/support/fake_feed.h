// A feed of events in memory, and verbs to fill it.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "delivery/event_feed.h"

namespace hookhost::test {

class FakeFeed final : public delivery::EventFeed {
 public:
  struct Spec {
    std::string key;
    std::string type = "thing.happened";
    std::string source = "orders";
    std::string provider = "shop";
    std::string body = "{}";
    std::string team;
  };

  Offset append(const Spec& spec) {
    std::function<void()> wake;
    Offset offset;
    {
      const std::lock_guard lock(mutex_);
      auto event = std::make_shared<event_log::Event>();
      event->offset = offset = Offset{events_.size()};
      event->id = EventId{"evt_" + std::to_string(events_.size())};
      event->source = spec.source;
      event->provider = spec.provider;
      event->type = spec.type;
      event->key = spec.key;
      event->body = spec.body;
      event->team = spec.team;
      event->received_at = start_ + std::chrono::seconds{events_.size()};
      events_.push_back(std::move(event));
      wake = wake_;
      if (wake) wake();
    }
    return offset;
  }
  // `count` events over `keys` keys in turn.
  void append_many(std::size_t count, std::size_t keys) {
    for (std::size_t n = 0; n < count; ++n) append({.key = "k" + std::to_string(n % keys)});
  }
  void remove_before(Offset offset) {
    const std::lock_guard lock(mutex_);
    begin_ = offset;
  }
  [[nodiscard]] event_log::EventPtr at(Offset offset) const {
    const std::lock_guard lock(mutex_);
    return events_.at(offset.value);
  }
  [[nodiscard]] std::vector<std::string> own_types() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& event : events_) {
      if (event->type.starts_with("hookhost.")) out.push_back(event->type);
    }
    return out;
  }
  // Reading on other threads than the caller's waits until open_gate().
  void close_gate() {
    const std::lock_guard lock(mutex_);
    gate_keeper_ = std::this_thread::get_id();
  }
  void open_gate() {
    const std::lock_guard lock(mutex_);
    gate_keeper_.reset();
    gate_.notify_all();
  }
  [[nodiscard]] std::size_t waiting_at_gate() const {
    const std::lock_guard lock(mutex_);
    return waiting_at_gate_;
  }
  [[nodiscard]] std::uint64_t looked() const {
    const std::lock_guard lock(mutex_);
    return looked_;
  }

  [[nodiscard]] Offset begin() const override {
    const std::lock_guard lock(mutex_);
    return begin_;
  }
  [[nodiscard]] Offset durable_end() const override {
    const std::lock_guard lock(mutex_);
    return Offset{events_.size()};
  }
  [[nodiscard]] Result<std::unique_ptr<delivery::EventCursor>> cursor() override {
    return std::unique_ptr<delivery::EventCursor>(std::make_unique<Cursor>(*this));
  }
  [[nodiscard]] Result<Offset> find_time(WallTime time) override {
    const std::lock_guard lock(mutex_);
    for (std::size_t n = begin_.value; n < events_.size(); ++n) {
      if (events_[n]->received_at >= time) return Offset{n};
    }
    return Offset{events_.size()};
  }
  void on_durable(std::function<void()> wake) override {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  [[nodiscard]] Result<> append_own(std::string_view type, std::string_view team, std::string_view json) override {
    append({.key = "", .type = std::string(type), .source = "hookhost", .provider = "hookhost", .body = std::string(json), .team = std::string(team)});
    return success();
  }
  [[nodiscard]] std::string encode(const event_log::Event& event) const override { return std::to_string(event.offset.value); }
  [[nodiscard]] Result<event_log::EventPtr> decode(std::string_view bytes, Offset) const override {
    return at(Offset{std::stoull(std::string(bytes))});
  }

  static constexpr WallTime start_{std::chrono::seconds{1'600'000'000}};

 private:
  class Cursor final : public delivery::EventCursor {
   public:
    explicit Cursor(FakeFeed& feed) : feed_(feed) {}
    Result<delivery::Scan> scan(Offset from, Offset until, std::size_t events_max, std::size_t bytes_max, std::size_t looked_max,
                                const delivery::HeadFilter& wants) override {
      std::unique_lock lock(feed_.mutex_);
      ++feed_.waiting_at_gate_;
      feed_.gate_.wait(lock, [&] { return !feed_.gate_keeper_ || *feed_.gate_keeper_ == std::this_thread::get_id(); });
      --feed_.waiting_at_gate_;
      delivery::Scan out;
      const Offset end = std::min(until, Offset{feed_.events_.size()});
      if (from < feed_.begin_ && from < end) {
        const Offset to = std::min(end, feed_.begin_);
        out.removed.emplace_back(from, to);
        from = to;
      }
      std::size_t bytes = 0;
      for (; from < end && out.events.size() < events_max && looked_max > 0 && (bytes < bytes_max || out.events.empty()); from = from.next()) {
        --looked_max;
        ++feed_.looked_;
        const auto& event = feed_.events_[from.value];
        const event_log::EventHead head{event->offset, event->id.value, event->source, event->provider, event->type,
                                        event->team,   event->key,      {},            event->received_at};
        if (!wants(head)) continue;
        bytes += event->body.size();
        out.events.push_back(event);
      }
      out.next = from;
      return out;
    }

   private:
    FakeFeed& feed_;
  };

  mutable std::mutex mutex_;
  std::vector<event_log::EventPtr> events_;
  Offset begin_;
  std::uint64_t looked_ = 0;
  std::function<void()> wake_;
  std::condition_variable gate_;
  std::optional<std::thread::id> gate_keeper_;
  std::size_t waiting_at_gate_ = 0;
};

}  // namespace hookhost::test
