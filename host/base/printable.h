// Text of others made fit for a terminal and for a line of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hookhost {

enum class Lines : std::uint8_t { escaped, kept };

// Control characters (below U+0020, U+007F to U+009F) and bytes that are no UTF-8 as \u00XX; everything else as it is. With Lines::kept line
// feeds and tabs stay: for bodies and messages of several lines.
[[nodiscard]] std::string printable(std::string_view text, Lines lines = Lines::escaped);

// ASCII without spaces and control characters: what travels in a header as one word.
[[nodiscard]] bool is_visible_ascii(std::string_view text);

}  // namespace hookhost
