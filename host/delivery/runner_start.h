// The start of an instance as far as it may block. Private to the room; on a job's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "delivery/core.h"
#include "delivery/options.h"
#include "delivery/subscriber.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

// What is written while no instance runs: before the next one starts, or when there is none.
struct Order {
  std::function<Result<>()> write;
  Done done;
};
// The first that fails ends it: the others fail as it did.
[[nodiscard]] Result<> carry_out(const std::vector<Order>& orders);

// A start may come back when it was given up long ago, and another one has the store: then it must write nothing. Whoever gives it up waits for what it
// is writing just then.
struct Standing {
  std::mutex mutex;
  bool stands = true;
};

struct Starting {
  state::DeliveryStore& store;
  Jobs::Outside outside;
  SubscriberId id;
  std::shared_ptr<Subscriber> subscriber;
  StartRequest prototype;
  OrderBy wished;
  std::shared_ptr<Standing> standing;
};

struct Started {
  state::Loaded loaded;
  std::uint64_t token = 0;
  std::uint64_t dead_letters = 0;
};

// What is committed, then the instance, then what the instance has beyond it.
[[nodiscard]] Result<Started> start_blocking(const Starting& starting);

}  // namespace hookhost::delivery
