// What is kept of texts that others made: errors, reasons, answers. Private to the room.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hookhost::state {

inline constexpr std::size_t kTextMax = 1024;

[[nodiscard]] inline std::string_view cut(const std::string& text) { return std::string_view(text).substr(0, kTextMax); }

}  // namespace hookhost::state
