#include "api/v1_answer.h"

#include "base/bytes.h"
#include "base/diagnostics.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kShownBytesMax = 100;

json::object body_of(std::string_view code, std::string_view message) {
  return {{"error", json::string_view(code.data(), code.size())}, {"message", json::string_view(message.data(), message.size())}};
}

http::Response make(int status, ErrorCode code, json::object body, const RequestId& id) {
  body["request_id"] = id.value;
  auto response = http::json_response(status, json::serialize(body));
  response.error = http::ErrorNote{code, std::string(body["message"].as_string()), id};
  return response;
}

// "url: must be ...\nevents[0]: ..." -> [{"field": "url", "message": "must be ..."}, ...].
json::array details_of(std::string_view lines) {
  json::array out;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view{} : lines.substr(end + 1);
    const auto colon = line.find(": ");
    const std::string_view field = colon == std::string_view::npos ? "body" : line.substr(0, colon);
    const std::string_view message = colon == std::string_view::npos ? line : line.substr(colon + 2);
    out.push_back(json::object{{"field", json::string_view(field.data(), field.size())}, {"message", json::string_view(message.data(), message.size())}});
  }
  return out;
}

}  // namespace

http::Response v1_response(V1Reply reply, const RequestId& id) {
  if (reply.status < 400) return http::json_response(reply.status, json::serialize(reply.body));
  return make(reply.status, ErrorCode::invalid_request, std::move(reply.body.as_object()), id);
}

http::Response v1_error(const Error& error, const RequestId& id) {
  if (error.code == ErrorCode::usage) {
    auto body = body_of("validation_error", "The request parameters failed validation");
    body["details"] = details_of(error.message);
    return make(400, ErrorCode::invalid_request, std::move(body), id);
  }
  if (error.code == ErrorCode::refused) return v1_error({ErrorCode::conflict, error.message}, id);
  if (http_status(error.code) >= 500) diagnose(Level::warn, "api", "a call of /v1 failed: " + error.message, {{"reason", to_string(error.code)}, {"request_id", id.value}});
  return http::error_response(error, id);
}

http::Response v1_unauthorized(std::string_view code, std::string_view message, const RequestId& id) {
  auto response = make(401, code == "missing_api_key" ? ErrorCode::missing_api_key : ErrorCode::invalid_api_key, body_of(code, message), id);
  response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

namespace {

http::Response too_many(std::string_view message, const V1RateLimiter::Refusal& refusal, const RequestId& id) {
  auto body = body_of("rate_limit_exceeded", message);
  body["retryAfter"] = refusal.retry_after_s;
  body["resetTime"] = std::chrono::ceil<std::chrono::milliseconds>(refusal.reset.time_since_epoch()).count();
  auto response = make(429, ErrorCode::rate_limit_exceeded, std::move(body), id);
  response.headers.push_back({"Retry-After", std::to_string(refusal.retry_after_s)});
  return response;
}

}  // namespace

http::Response v1_rate_limited(const V1RateLimiter::Refusal& refusal, const RequestId& id) {
  return too_many("Rate limit exceeded. Try again in " + std::to_string(refusal.retry_after_s) + " seconds.", refusal, id);
}

http::Response v1_team_waits(WallTime now, const RequestId& id) {
  return too_many("Too many calls of this team wait to be carried out. Send fewer at once.", {.retry_after_s = 1, .reset = now + std::chrono::seconds{1}}, id);
}

V1Reply invalid_event(std::string_view type, const V1Types& types) {
  auto body = body_of("invalid_event", "Invalid event: " + to_utf8(type, kShownBytesMax));
  json::array valid;
  for (const std::string& one : types.all()) valid.emplace_back(one);
  body["validEvents"] = std::move(valid);
  return {400, std::move(body)};
}

}  // namespace hookhost::api
