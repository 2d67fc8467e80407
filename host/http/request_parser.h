// Bytes to one request, strict about framing: Boost.Beast's basic_parser plus the refusals that it leaves to its user (HTTP/1.1 without
// Host, transfer codings other than a lone "chunked", bare line feeds, control characters; chunks are checked by chunk_framing.h first).
//
// Threads: none of its own; one thread at a time. Invariant: what it holds is bounded by header_bytes_max and the body limit set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace hookhost::http {

// Why the framing was refused. The connection cannot be used after it.
struct Refusal {
  int status = 400;
  ErrorCode code = ErrorCode::invalid_request;
  const char* message = "";
};

class RequestParser {
 public:
  enum class Status : std::uint8_t { need_more, head, complete, refused };

  RequestParser(std::uint32_t header_bytes_max, std::uint32_t header_fields_max);
  ~RequestParser();

  // Feeds `bytes` and says how many were used in `used`; the rest must come again, with more behind it. `head` is returned once: then
  // read head(), set the limit and feed on.
  [[nodiscard]] Status feed(std::string_view bytes, std::size_t& used);

  void set_body_limit(std::uint64_t bytes_max);
  void discard_body();  // read past it, keep nothing

  [[nodiscard]] bool head_done() const;
  [[nodiscard]] bool started() const;  // a byte of this request was seen
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool has_body() const;
  [[nodiscard]] bool expects_continue() const;
  [[nodiscard]] std::size_t body_bytes() const;
  [[nodiscard]] RequestHead& head();
  [[nodiscard]] Request take();
  [[nodiscard]] const Refusal& refusal() const;
  void reset();  // for the next request on the connection

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookhost::http
