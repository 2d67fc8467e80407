#include "delivery/core.h"

#include <random>

namespace hookhost::delivery {
namespace {

std::uint64_t seed_of(const EngineOptions& options) {
  if (options.seed != 0) return options.seed;
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

Core::Core(EventFeed& f, state::DeliveryStore& s, const Clock& c, EngineOptions o)
    : feed(f), store(s), clock(c), options(o), scanner(f), jitter(seed_of(o)), now(c.monotonic()), wall(c.wall()) {}

}  // namespace hookhost::delivery
