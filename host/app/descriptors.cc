#include "app/descriptors.h"

#include <algorithm>

namespace hookhost::app {
namespace {

constexpr std::uint64_t kOwn = 128 + kAdminConnectionsMax;  // event log, databases, plugins, the admin listener
constexpr std::uint64_t kSpare = 64;                        // clients that are told that there are too many
constexpr std::uint64_t kOfARequest = 4;                    // its socket and, while a name is looked up, the resolver's three
constexpr std::uint64_t kOfRequestsMax = kOfARequest * 4'096;

}  // namespace

std::uint64_t descriptors_wanted(std::uint64_t connections_max) { return kOwn + kSpare + connections_max + kOfRequestsMax; }

Descriptors share_out(std::uint64_t limit, std::uint64_t connections_max) {
  const std::uint64_t room = limit > kOwn + kSpare ? limit - kOwn - kSpare : 0;
  const std::uint64_t beside_clients = room > connections_max ? room - connections_max : 0;
  const std::uint64_t of_requests = std::clamp(beside_clients, std::min(room / 4, kOfRequestsMax), kOfRequestsMax);
  return {.of_others = static_cast<std::uint32_t>(kOwn + of_requests),
          .requests_max = static_cast<std::size_t>(std::max<std::uint64_t>(1, of_requests / kOfARequest))};
}

}  // namespace hookhost::app
