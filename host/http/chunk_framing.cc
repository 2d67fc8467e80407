#include "http/chunk_framing.h"

#include <algorithm>
#include <limits>

namespace hookhost::http {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7f || (byte < 0x20 && c != '\t');
}

}  // namespace

bool ChunkFraming::accept(std::string_view bytes) {
  while (!bytes.empty() && at_ != At::done) {
    std::size_t taken = 1;
    if (at_ == At::data) {
      taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      left_ -= taken;
      if (left_ == 0) at_ = At::data_return;
    } else if (!accept_one(bytes.front())) {
      return false;
    }
    bytes.remove_prefix(taken);
  }
  return true;
}

bool ChunkFraming::accept_digit(char c) {
  const unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
  if (digit == 16 || left_ > std::numeric_limits<std::uint64_t>::max() >> 4) return false;
  left_ = left_ << 4 | digit;
  at_ = At::size;
  return true;
}

bool ChunkFraming::accept_one(char c) {
  const auto expect = [&](char wanted, At next) {
    at_ = next;
    return c == wanted;
  };
  switch (at_) {
    case At::size_begin:
      left_ = 0;
      return accept_digit(c);
    case At::size:
      if (c == '\r') return expect('\r', At::size_end);
      if (c != ';' && c != ' ' && c != '\t') return accept_digit(c);
      at_ = At::extension;
      return true;
    case At::extension: return c == '\r' ? expect('\r', At::size_end) : !is_control(c);
    case At::size_end: return expect('\n', left_ == 0 ? At::line_begin : At::data);
    case At::data_return: return expect('\r', At::data_end);
    case At::data_end: return expect('\n', At::size_begin);
    case At::line_begin:
      if (c == '\r') return expect('\r', At::last_end);
      at_ = At::trailer;
      return !is_control(c);
    case At::trailer: return c == '\r' ? expect('\r', At::trailer_end) : !is_control(c);
    case At::trailer_end: return expect('\n', At::line_begin);
    case At::last_end: return expect('\n', At::done);
    case At::data:
    case At::done: return true;
  }
  return false;
}

}  // namespace hookhost::http
