#include "api/v1_views.h"

#include <boost/json.hpp>

#include "base/bytes.h"
#include "base/units.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& all) {
  json::array out;
  for (const std::string& text : all) out.emplace_back(text);
  return out;
}

}  // namespace

std::string v1_time(WallTime time) {
  constexpr std::string_view kMilliseconds = "2026-11-25T15:30:00.123";
  return to_rfc3339(time).substr(0, kMilliseconds.size()) + "Z";
}

json::object webhook_view(const EndpointInfo& endpoint) {
  json::object out{{"id", endpoint.id}, {"name", endpoint.name}, {"url", endpoint.url}, {"events", texts(endpoint.events)}, {"active", endpoint.active}};
  const state::Tally& tally = endpoint.status.tally;
  if (tally.last_success) out["lastSuccess"] = v1_time(*tally.last_success);
  if (tally.last_failure) out["lastFailure"] = v1_time(*tally.last_failure);
  out["successCount"] = tally.successes;
  out["failureCount"] = tally.failures;
  out["createdAt"] = v1_time(endpoint.created_at);

  json::array retry;
  for (const Duration delay : endpoint.retry) retry.emplace_back(format_duration(delay));
  out["hasSecret"] = endpoint.has_secret;
  out["signing"] = endpoint.signing;
  out["profile"] = endpoint.profile;
  out["retry"] = std::move(retry);
  out["timeout"] = format_duration(endpoint.timeout);
  out["concurrency"] = endpoint.concurrency;
  out["rate"] = endpoint.rate;
  out["headers"] = texts(endpoint.headers);
  out["state"] = endpoint.status.state;
  if (endpoint.paused_reason) out["pausedReason"] = *endpoint.paused_reason;
  out["heldCount"] = endpoint.status.held;
  out["replaying"] = endpoint.status.replay.has_value();
  return out;
}

json::object attempt_view(const state::AttemptRow& attempt) {
  json::object out{{"eventId", attempt.id.value},
                   {"event", attempt.type},
                   {"attempt", attempt.attempt},
                   {"at", v1_time(attempt.at)},
                   {"durationMs", std::chrono::duration<double, std::milli>(attempt.took).count()},
                   {"outcome", attempt.outcome},
                   {"test", attempt.stream == state::kTestStream},
                   {"replay", attempt.stream != state::kMainStream && attempt.stream != state::kTestStream}};
  if (attempt.http_status != 0) out["status"] = attempt.http_status;
  if (!attempt.answer.empty()) out["answer"] = to_utf8(attempt.answer, attempt.answer.size() * 3);
  if (!attempt.error.empty()) out["error"] = attempt.error;
  return out;
}

}  // namespace hookhost::api
