#include "base/line_limit.h"

namespace hookhost {

std::optional<std::uint64_t> LineLimit::pass(std::string_view subject, ErrorCode reason) {
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.monotonic();
  const auto [said, first] = said_.try_emplace({std::string(subject), reason}, Said{now, 0});
  if (!first && now - said->second.at < std::chrono::minutes{1}) {
    ++said->second.left_out;
    return std::nullopt;
  }
  said->second.at = now;
  return std::exchange(said->second.left_out, 0);
}

}  // namespace hookhost
