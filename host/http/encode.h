// Answers as bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace hookhost::http {

struct EncodeOptions {
  int version = 11;        // of the request
  bool close = false;      // say that the connection ends
  bool head_only = false;  // the answer to HEAD: the length, no body
  bool streamed = false;   // the body follows: no Content-Length, chunked when `version` has it
  WallTime now;
};

[[nodiscard]] std::string encode(const Response& response, const EncodeOptions& options);
// A JSON answer without further headers, in one allocation.
[[nodiscard]] std::string encode_json(int status, std::string_view body, const EncodeOptions& options);
// One chunk of a chunked body.
[[nodiscard]] std::string encode_chunk(std::string_view bytes);

}  // namespace hookhost::http
