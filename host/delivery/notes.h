// What a runner notes about itself in its row (SubscriberRow::plan), as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "delivery/options.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

struct Notes {
  std::uint32_t run = 1;     // the failed run that parked rows are marked with
  bool recovering = false;   // resumed after a stop, nothing ok yet
  bool gone = false;         // it stopped because the receiver wants nothing more
  std::optional<state::Condition> before_detached;
  std::optional<OrderBy> order;  // by which the rows of its lanes were made; not said: there have been none, or it is an older file

  [[nodiscard]] std::string text() const;
  // What is missing or not understood is as in a new one.
  [[nodiscard]] static Notes parse(std::string_view text);
};

}  // namespace hookhost::delivery
