// --rate of send and replay.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost::app {

// "10/s" or "10"; 0: as fast as it goes. Error: usage.
[[nodiscard]] inline Result<double> rate_of(const std::string& text) {
  if (text.empty()) return 0.0;
  char* end = nullptr;
  const double rate = std::strtod(text.c_str(), &end);
  const std::string_view rest(end);
  if (end == text.c_str() || (!rest.empty() && rest != "/s") || !(rate > 0 && rate <= 1e6)) {
    return fail(ErrorCode::usage, "--rate wants N/s, such as 10/s, not '" + text + "'");
  }
  return rate;
}

}  // namespace hookhost::app
