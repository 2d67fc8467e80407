// The framing of a chunked body, byte by byte: what can never become one is seen at its first wrong byte, where Beast waits for a line's end.
#pragma once

#include <cstdint>
#include <string_view>

namespace hookhost::http {

// Threads: one at a time. Keeps nothing but where it is.
class ChunkFraming {
 public:
  // Takes each byte once, in order; what follows the body's end is not looked at. False: a byte is wrong (RFC 9112 section 7.1).
  [[nodiscard]] bool accept(std::string_view bytes);

 private:
  enum class At : std::uint8_t { size_begin, size, extension, size_end, data, data_return, data_end, line_begin, trailer, trailer_end, last_end, done };

  bool accept_one(char c);
  bool accept_digit(char c);

  At at_ = At::size_begin;
  std::uint64_t left_ = 0;  // the chunk's size, then what is to come of its data
};

}  // namespace hookhost::http
