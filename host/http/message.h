// HTTP messages as the rooms above see them: plain structs, no parser's types.
//
// Bytes are kept: header names, values and bodies are exactly what the client sent (values without surrounding white space), in order,
// repeated ones repeated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/types.h"

namespace hookhost::http {

struct Header {
  std::string name;
  std::string value;
};

struct RequestHead {
  std::string method;  // as sent: "POST"
  std::string target;  // as sent: "/in/kakiyo?x=1"
  int version = 11;    // 11 or 10
  std::vector<Header> headers;
  std::optional<std::uint64_t> content_length;  // nullopt: chunked, or no body announced
  bool chunked = false;
  std::string peer;      // "127.0.0.1:54321", "[::1]:54321"
  RequestId request_id;  // made by the server; joins the answer and its diagnostics

  [[nodiscard]] std::string_view path() const;   // the target up to '?', without "http://host" in front, not decoded
  [[nodiscard]] std::string_view query() const;  // what follows '?', not decoded; empty when there is none
};

// Names compare without regard to case. The first value; nullptr when there is none.
[[nodiscard]] const std::string* find_header(const RequestHead& head, std::string_view name);
// Every value of that name, in order: two signature headers must be visible to whoever checks them.
[[nodiscard]] std::vector<std::string_view> all_headers(const RequestHead& head, std::string_view name);
[[nodiscard]] std::size_t count_headers(const RequestHead& head, std::string_view name);

struct Request {
  RequestHead head;
  std::string body;
};

// What an error answer says, for the diagnostics: one id joins the two.
struct ErrorNote {
  ErrorCode code = ErrorCode::internal_error;
  std::string message;
  RequestId request_id;
};

// Content-Length, Date and Connection are the server's: never put them into `headers`.
struct Response {
  int status = 200;
  std::string content_type;  // none when empty
  std::string body;
  std::vector<Header> headers;
  bool close = false;  // end the connection after this answer
  std::optional<ErrorNote> error;  // set by error_response()
};

[[nodiscard]] std::string_view status_text(int status);

// 200 and the rest with `application/json`.
[[nodiscard]] Response json_response(int status, std::string body);

// The one form of every error answer: {"error":"<public code>","message":"<what to do>","request_id":"req_..."}. `message` is for the
// client: no exception's text, no path, no secret. 503 and 429 carry Retry-After (`retry_after_s`).
[[nodiscard]] Response error_response(ErrorCode code, std::string_view message, const RequestId& id, unsigned retry_after_s = 1);
// The same with a status other than the code's own (505 for not_supported).
[[nodiscard]] Response error_response(int status, ErrorCode code, std::string_view message, const RequestId& id,
                                      unsigned retry_after_s = 1);
// 500, when what happened is in the diagnostics under the same id, and no business of the client.
[[nodiscard]] Response failure_response(const RequestId& id);
// An operating error as an answer. Those of files and databases (io_error, no_space, corrupt, ...) are for the operator and may name paths:
// the client reads only whether to send it again; whoever calls this tells the diagnostics.
[[nodiscard]] Response error_response(const Error& error, const RequestId& id, unsigned retry_after_s = 1);

}  // namespace hookhost::http
