#include "delivery/log_feed.h"

#include <utility>

namespace hookhost::delivery {
namespace {

class LogCursor final : public EventCursor {
 public:
  explicit LogCursor(event_log::Reader reader) : reader_(std::move(reader)) {}

  Result<Scan> scan(Offset from, Offset until, std::size_t events_max, std::size_t bytes_max, std::size_t looked_max,
                    const HeadFilter& wants) override {
    HOOKHOST_TRY(auto read, reader_.read(from, until, {events_max, bytes_max, looked_max}, wants));
    return Scan{std::move(read.events), read.next, std::move(read.gaps)};
  }

 private:
  event_log::Reader reader_;
};

}  // namespace

Result<std::unique_ptr<EventCursor>> LogFeed::cursor() {
  return std::unique_ptr<EventCursor>(std::make_unique<LogCursor>(log_.reader()));
}

Result<Offset> LogFeed::find_time(WallTime time) { return log_.reader().find_time(time); }

Result<> LogFeed::append_own(std::string_view type, std::string_view team, std::string_view json) {
  event_log::Event event;
  event.received_at = clock_.wall();
  event.id = ids_.next(event.received_at);
  event.source = event.provider = "hookhost";
  event.type = type;
  event.team = team;
  event.content_type = "application/json";
  event.verified = true;
  event.body = json;
  HOOKHOST_CHECK(log_.append_now(event));
  return success();
}

Result<event_log::EventPtr> LogFeed::decode(std::string_view bytes, Offset offset) const {
  HOOKHOST_TRY(auto event, event_log::decode_event(bytes));
  auto placed = std::make_shared<event_log::Event>(*event);
  placed->offset = offset;
  return event_log::EventPtr(std::move(placed));
}

}  // namespace hookhost::delivery
