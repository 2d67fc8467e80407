// The events that `hookhost plugin test` hands out: examples, or a body of the author's, described as intake would describe them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/pattern.h"
#include "base/result.h"
#include "event_log/event.h"

namespace hookhost::app {

struct TestEvents {
  std::vector<event_log::EventPtr> events;
  std::vector<std::string> without_example;  // types that are handed out, but of which nobody knows an example
};

// `handed`: what the plugin is handed in a host. `wanted`: those of them that are asked for; none: all. `body`: of the one type that is meant, in
// place of its example. Error: usage: what is wanted is never handed out, has no example, or is not one type.
[[nodiscard]] Result<TestEvents> test_events(const std::vector<Pattern>& handed, const std::vector<Pattern>& wanted, const std::optional<std::string>& body,
                                             WallTime now);

}  // namespace hookhost::app
