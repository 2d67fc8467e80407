// The event of a test send: the type's example, as if it had happened to the team just now.
#pragma once

#include <string>
#include <string_view>

#include "base/event_id.h"
#include "base/result.h"
#include "event_log/event.h"

namespace hookhost::app {

// `data`: a JSON object or empty; its members replace the example's. A type without an example gets an envelope with that data alone.
// Error: usage, when it is no object.
[[nodiscard]] Result<event_log::EventPtr> make_test_event(std::string_view type, const std::string& team, std::string_view data, EventId id, WallTime now);

}  // namespace hookhost::app
