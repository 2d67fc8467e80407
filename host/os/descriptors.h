// How many files and sockets this process may have open.
#pragma once

#include <cstdint>

namespace hookhost::os {

// Raises the soft limit of descriptors towards the hard one as far as `wanted` asks; never lowers it. What the limit is now. Threads: from every thread.
[[nodiscard]] std::uint64_t raise_descriptor_limit(std::uint64_t wanted);

}  // namespace hookhost::os
