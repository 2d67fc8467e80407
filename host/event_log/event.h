// One event: what was received, and what hookhost made of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"

namespace hookhost::event_log {

struct Header {
  std::string name;
  std::string value;
  friend bool operator==(const Header&, const Header&) = default;
};

struct Event {
  Offset offset;  // given by the event log
  EventId id;
  std::string source;
  std::string provider;
  std::string type;
  std::string team;  // empty: none
  std::string key;   // empty: none, no order
  WallTime received_at;
  std::vector<Header> headers;
  std::string content_type;
  bool verified = false;
  std::string body;
  std::string digest;  // what the duplicates window compares; empty: none

  friend bool operator==(const Event&, const Event&) = default;
};

using EventPtr = std::shared_ptr<const Event>;

// What can be told of an event before its body is touched. The views live as long as the call that shows them.
struct EventHead {
  Offset offset;
  std::string_view id, source, provider, type, team, key, digest;
  WallTime received_at;
};

// An event as bytes that outlive the event log (its record, without the offset), and back. Error: corrupt.
[[nodiscard]] std::string encode_event(const Event& event);
[[nodiscard]] Result<EventPtr> decode_event(std::string_view bytes);

}  // namespace hookhost::event_log
