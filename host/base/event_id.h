// Event ids: "evt_" + 26 characters of Crockford's Base32, a ULID (https://github.com/ulid/spec): 48 bits of milliseconds, 80 random
// bits. They sort by time as text and never go back, even when the clock does: within one millisecond, or behind the last id, the
// random part counts up.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "base/clock.h"
#include "base/types.h"

namespace hookhost {

// Threads: next() and resume_after() may be called from every thread.
class EventIdGenerator {
 public:
  EventIdGenerator();                             // random from the system
  explicit EventIdGenerator(std::uint64_t seed);  // reproducible, for tests

  // Later than every id this generator gave and every id it was told of.
  [[nodiscard]] EventId next(WallTime now);

  // Ids stay above `last`, which the event log holds. An id that is not well-formed is ignored.
  void resume_after(const EventId& last);

 private:
  [[nodiscard]] std::uint64_t random();

  std::mutex mutex_;
  std::uint64_t state_;
  std::uint64_t ms_ = 0;
  std::uint16_t high_ = 0;  // the random part: 16 bits, then 64
  std::uint64_t low_ = 0;
};

[[nodiscard]] bool is_event_id(std::string_view text);

// "req_" + 16 characters, random; one joins an HTTP answer and its diagnostics line.
[[nodiscard]] RequestId make_request_id();

}  // namespace hookhost
