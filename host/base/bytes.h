// Bytes as text: hexadecimal and Base64, strict in what they accept, and the closed list of ASCII helpers that several rooms need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hookhost {

[[nodiscard]] std::string to_hex(std::string_view bytes);  // lower case
// Either case. nullopt for an odd length or any other character.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

[[nodiscard]] std::string to_base64(std::string_view bytes);  // RFC 4648 section 4, padded
// RFC 4648 section 4, with or without padding; nullopt for any other character, a wrong length or non-zero trailing bits.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

// The length of the valid UTF-8 character (RFC 3629) that `text`, which is not empty, begins with; 0: it begins with none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);
[[nodiscard]] bool is_valid_utf8(std::string_view text);
// Text of others made fit to be shown and stored: what is no UTF-8 becomes U+FFFD, and it is cut at `bytes_max`, between characters.
[[nodiscard]] std::string to_utf8(std::string_view bytes, std::size_t bytes_max);

// ASCII only, independent of the locale.
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right);
[[nodiscard]] std::string_view trim(std::string_view text);  // spaces and tabs

// Decimal digits only, no sign, no spaces, no overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view text);

}  // namespace hookhost
