#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace hookhost {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "hookhost: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace hookhost
