// The deliveries that are in memory, each in a numbered place that is used again. Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/types.h"
#include "delivery/lane_key.h"
#include "delivery/window.h"
#include "event_log/event.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

using PendingNumber = std::uint32_t;
inline constexpr PendingNumber kNoPending = UINT32_MAX;

struct Pending {
  // How it came here, which decides what finishing it means.
  enum class Kind : std::uint8_t {
    ordinary,  // read in order; stands in the window
    drained,   // found again behind a lane that was blocked
    head,      // the event of a lane's row
    prior,     // a dead letter or a held event that goes before everything else of its lane
  };

  event_log::EventPtr event;
  Offset offset;
  LaneNumber lane = kNoLane;
  Window::Slot slot = 0;               // ordinary only
  state::StreamId stream = state::kMainStream;
  PendingNumber next = kNoPending;     // the one behind it in its lane
  std::uint32_t attempt = 1;
  std::uint32_t crashes = 0;
  Kind kind = Kind::ordinary;
  bool submitted = false;
  bool held = false;  // prior only: it was held, not dead
  bool used = false;
  std::uint32_t generation = 0;
};

class PendingPool {
 public:
  PendingNumber make() {
    PendingNumber number = kNoPending;
    if (free_.empty()) {
      number = static_cast<PendingNumber>(places_.size());
      places_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    places_[number].used = true;
    return number;
  }

  void drop(PendingNumber number) {
    const auto generation = places_[number].generation + 1;
    places_[number] = Pending{};
    places_[number].generation = generation;
    free_.push_back(number);
  }

  [[nodiscard]] Pending& operator[](PendingNumber number) { return places_[number]; }
  [[nodiscard]] const Pending& operator[](PendingNumber number) const { return places_[number]; }
  [[nodiscard]] std::size_t used() const { return places_.size() - free_.size(); }
  [[nodiscard]] const std::vector<Pending>& places() const { return places_; }

  // The name of a delivery outside: tells one use of a place from the next.
  [[nodiscard]] std::uint64_t id(PendingNumber number) const {
    return (static_cast<std::uint64_t>(places_[number].generation) << 32) | number;
  }
  [[nodiscard]] std::optional<PendingNumber> find(std::uint64_t id) const {
    const auto number = static_cast<PendingNumber>(id);
    if (number >= places_.size() || !places_[number].used || places_[number].generation != id >> 32) return std::nullopt;
    return number;
  }

 private:
  std::vector<Pending> places_;
  std::vector<PendingNumber> free_;
};

}  // namespace hookhost::delivery
