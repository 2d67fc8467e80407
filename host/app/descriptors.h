// The process's descriptors, shared out at the start, so that deliveries never take those that the way in needs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hookhost::app {

inline constexpr std::uint32_t kAdminConnectionsMax = 256;

struct Descriptors {
  std::uint32_t of_others = 0;   // all but those of the public listener's clients
  std::size_t requests_max = 0;  // deliveries that are open at once
};

// So many that nobody has to do with fewer.
[[nodiscard]] std::uint64_t descriptors_wanted(std::uint64_t connections_max);
// Of `limit`: where they do not suffice, clients get three quarters of what the host's own files leave.
[[nodiscard]] Descriptors share_out(std::uint64_t limit, std::uint64_t connections_max);

}  // namespace hookhost::app
