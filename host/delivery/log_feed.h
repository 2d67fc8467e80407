// The event log as the engine's feed.
#pragma once

#include <memory>

#include "base/event_id.h"
#include "delivery/event_feed.h"
#include "event_log/event_log.h"

namespace hookhost::delivery {

// `log`, `ids` and `clock` must outlive the feed.
class LogFeed final : public EventFeed {
 public:
  LogFeed(event_log::EventLog& log, EventIdGenerator& ids, const Clock& clock) : log_(log), ids_(ids), clock_(clock) {}
  ~LogFeed() override { log_.on_durable({}); }
  LogFeed(const LogFeed&) = delete;
  LogFeed& operator=(const LogFeed&) = delete;

  [[nodiscard]] Offset begin() const override { return log_.begin(); }
  [[nodiscard]] Offset durable_end() const override { return log_.durable_end(); }
  [[nodiscard]] Result<std::unique_ptr<EventCursor>> cursor() override;
  [[nodiscard]] Result<Offset> find_time(WallTime time) override;
  void on_durable(std::function<void()> wake) override { log_.on_durable(std::move(wake)); }
  // Source and provider are "hookhost"; no team, no key.
  [[nodiscard]] Result<> append_own(std::string_view type, std::string_view team, std::string_view json) override;
  [[nodiscard]] std::string encode(const event_log::Event& event) const override { return event_log::encode_event(event); }
  [[nodiscard]] Result<event_log::EventPtr> decode(std::string_view bytes, Offset offset) const override;

 private:
  event_log::EventLog& log_;
  EventIdGenerator& ids_;
  const Clock& clock_;
};

}  // namespace hookhost::delivery
