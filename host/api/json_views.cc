#include "api/json_views.h"

#include <boost/json.hpp>

#include "base/bytes.h"
#include "base/units.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

json::value time_or_null(const std::optional<WallTime>& time) { return time ? json::value(to_rfc3339(*time)) : json::value(nullptr); }
// A key may be a header's value, which need be no UTF-8.
json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(to_utf8(text, text.size() * 3)); }
double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

json::array texts(const std::vector<std::string>& all) {
  json::array out;
  for (const std::string& text : all) out.emplace_back(text);
  return out;
}

json::object counts(const delivery::OutcomeCounts& counts) {
  return {{"ok", counts.ok},           {"ignored", counts.ignored},       {"retry", counts.retry},
          {"reject", counts.reject},   {"unavailable", counts.unavailable}, {"crashed", counts.crashed},
          {"misbehaved", counts.misbehaved}, {"exhausted", counts.exhausted}, {"restarts", counts.restarts}};
}

}  // namespace

json::object view(const delivery::SubscriberStatus& status) {
  json::object out{{"name", status.id.value},
                   {"kind", status.kind},
                   {"state", status.state},
                   {"position", status.position.value},
                   {"lag_events", status.lag_events},
                   {"lag_seconds", seconds(status.lag)},
                   {"blocked_keys", status.blocked_keys},
                   {"pending", status.pending},
                   {"dead_letters", status.dead_letters},
                   {"held", status.held},
                   {"in_flight", status.in_flight},
                   {"gaps", status.gaps},
                   {"failed_run", status.failed_run},
                   {"outcomes", counts(status.outcomes)},
                   {"earlier_events", status.earlier_events},
                   {"reason", text_or_null(status.reason)},
                   {"way_out", text_or_null(status.way_out)},
                   {"last_error", text_or_null(status.last_error)},
                   {"last_error_at", time_or_null(status.last_error_at)}};
  out["replay"] = status.replay ? json::value(*status.replay) : json::value(nullptr);
  return out;
}

json::object view(const delivery::DeliveryStatus& status) {
  return {{"subscriber", status.subscriber.value},
          {"offset", status.offset.value},
          {"id", text_or_null(status.id.value)},
          {"type", text_or_null(status.type)},
          {"state", status.state},
          {"attempts", status.attempts},
          {"next_attempt_at", time_or_null(status.next_attempt_at)},
          {"last_outcome", text_or_null(status.last_outcome)},
          {"last_error", text_or_null(status.last_error)},
          {"key", text_or_null(status.key)},
          {"stream", status.stream}};
}

json::object view(const delivery::ReplayPlan& plan) {
  return {{"from", plan.from.value},
          {"until", plan.until.value},
          {"position", plan.position.value},
          {"live", plan.live == delivery::LiveMode::wait ? "wait" : "continue"},
          {"live_reason", plan.live_reason},
          {"matching", plan.matching},
          {"first_received_at", time_or_null(plan.first)},
          {"last_received_at", time_or_null(plan.last)},
          {"needs_confirmation", plan.needs_confirmation},
          {"refusal", text_or_null(plan.refusal)},
          {"notes", texts(plan.notes)}};
}

json::object view(const delivery::ReplayProgress& progress) {
  json::object out{{"id", progress.id},
                   {"subscriber", progress.subscriber.value},
                   {"mode", progress.mode},
                   {"state", progress.state},
                   {"reason", text_or_null(progress.reason)},
                   {"way_out", text_or_null(progress.way_out)},
                   {"from", progress.from.value},
                   {"until", progress.until.value},
                   {"position", progress.position.value},
                   {"total", progress.total},
                   {"handled", progress.handled},
                   {"failed", progress.failed},
                   {"rate", progress.rate},
                   {"events_per_second", progress.events_per_second},
                   {"blocked_keys", progress.blocked_keys},
                   {"created_at", to_rfc3339(progress.created_at)},
                   {"finished_at", time_or_null(progress.finished_at)}};
  out["left_seconds"] = progress.left ? json::value(seconds(*progress.left)) : json::value(nullptr);
  return out;
}

json::object view(const SubscriberId& subscriber, const state::ParkedRow& row) {
  return {{"subscriber", subscriber.value},
          {"offset", row.offset.value},
          {"id", row.id.value},
          {"type", row.type},
          {"state", row.kind == state::ParkedRow::Kind::held ? "held" : "dead"},
          {"reason", row.reason},
          {"attempts", row.attempts},
          {"last_error", text_or_null(row.last_error)},
          {"parked_at", to_rfc3339(row.parked_at)},
          {"stream", row.stream}};
}

json::object view(const PluginInfo& plugin) {
  return {{"name", plugin.name},
          {"state", plugin.state},
          {"library", plugin.library},
          {"id", text_or_null(plugin.id)},
          {"version", text_or_null(plugin.version)},
          {"description", text_or_null(plugin.description)},
          {"sha256", text_or_null(plugin.sha256)},
          {"events", texts(plugin.events)},
          {"error", text_or_null(plugin.error)}};
}

json::object view(const SourceInfo& source) {
  return {{"name", source.name},         {"path", source.path},         {"scheme", source.scheme},
          {"provider", source.provider}, {"team", text_or_null(source.team)}, {"accepted", source.accepted},
          {"duplicates", source.duplicates}, {"refused", source.refused}};
}

json::object view(const ReloadReport& report) {
  return {{"changes", texts(report.changes)}, {"needs_restart", texts(report.needs_restart)}, {"failed", texts(report.failed)}, {"applied", report.applied}};
}

json::object view(const EndpointInfo& endpoint) {
  json::array retry;
  for (const Duration delay : endpoint.retry) retry.emplace_back(format_duration(delay));
  const state::Tally& tally = endpoint.status.tally;
  json::object out{{"id", endpoint.id},
                   {"name", endpoint.name},
                   {"url", endpoint.url},
                   {"origin", endpoint.origin},
                   {"events", texts(endpoint.events)},
                   {"active", endpoint.active},
                   {"state", endpoint.status.state},
                   {"successes", tally.successes},
                   {"failures", tally.failures},
                   {"last_success", time_or_null(tally.last_success)},
                   {"last_failure", time_or_null(tally.last_failure)},
                   {"held", endpoint.status.held},
                   {"has_secret", endpoint.has_secret},
                   {"signing", endpoint.signing},
                   {"profile", endpoint.profile},
                   {"retry", std::move(retry)},
                   {"timeout", format_duration(endpoint.timeout)},
                   {"concurrency", endpoint.concurrency},
                   {"rate", endpoint.rate},
                   {"headers", texts(endpoint.headers)}};
  out["team"] = text_or_null(endpoint.team.value_or(""));
  out["paused_reason"] = text_or_null(endpoint.paused_reason.value_or(""));
  out["created_at"] = endpoint.created_at == WallTime{} ? json::value(nullptr) : json::value(to_rfc3339(endpoint.created_at));
  return out;
}

json::object view(const KeyInfo& key) {
  const char* const state = key.revoked_at ? "revoked" : key.is_refused ? "refused" : "good";
  json::object out{{"id", text_or_null(key.id)}, {"team", key.team}, {"label", text_or_null(key.label)}, {"revoked_at", time_or_null(key.revoked_at)}};
  out["created_at"] = key.created_at == WallTime{} ? json::value(nullptr) : json::value(to_rfc3339(key.created_at));
  out["state"] = state;
  return out;
}

json::object view(const state::AttemptRow& attempt) {
  const bool is_test = attempt.stream == state::kTestStream;
  json::object out{{"id", attempt.id.value},
                   {"type", attempt.type},
                   {"attempt", attempt.attempt},
                   {"at", to_rfc3339(attempt.at)},
                   {"took_ms", std::chrono::duration<double, std::milli>(attempt.took).count()},
                   {"outcome", attempt.outcome},
                   {"error", text_or_null(attempt.error)},
                   {"answer", text_or_null(attempt.answer)},
                   {"test", is_test}};
  out["replay"] = is_test || attempt.stream == state::kMainStream ? json::value(nullptr) : json::value(attempt.stream);
  out["offset"] = is_test ? json::value(nullptr) : json::value(attempt.offset.value);
  out["status"] = attempt.http_status == 0 ? json::value(nullptr) : json::value(attempt.http_status);
  return out;
}

}  // namespace hookhost::api
