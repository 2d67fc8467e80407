// Answers of /v1 in Kakiyo's form: {"error": code, "message": text, "details": [{"field", "message"}]}. Ours beside it: "request_id".
// Private to the room.
//
//   400 validation_error (with details), invalid_event (with validEvents)      401 missing_api_key, invalid_api_key_format, invalid_api_key
//   404 not_found   409 conflict   422 idempotency_key_reused   429 rate_limit_exceeded (with retryAfter, resetTime)   500 internal_error   503 unavailable
//   and http's own: 405 method_not_allowed, 408 timeout, 413 body_too_large
#pragma once

#include <boost/json.hpp>

#include "api/v1_rate_limits.h"
#include "api/v1_types.h"
#include "http/message.h"

namespace hookhost::api {

struct V1Reply {
  int status = 200;
  boost::json::value body;
};

[[nodiscard]] http::Response v1_response(V1Reply reply, const RequestId& id);
// What a call failed with. `usage` is validation_error: its message's lines are "field: what is wrong with it".
[[nodiscard]] http::Response v1_error(const Error& error, const RequestId& id);
[[nodiscard]] http::Response v1_unauthorized(std::string_view code, std::string_view message, const RequestId& id);
[[nodiscard]] http::Response v1_rate_limited(const V1RateLimiter::Refusal& refusal, const RequestId& id);
// The same for a team of which too many calls wait already.
[[nodiscard]] http::Response v1_team_waits(WallTime now, const RequestId& id);

// 400 invalid_event, which names those that are valid. Of `type` the first 100 bytes are shown.
[[nodiscard]] V1Reply invalid_event(std::string_view type, const V1Types& types);

}  // namespace hookhost::api
