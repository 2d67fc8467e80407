#include "app/webhook_settings.h"

#include <boost/json.hpp>

namespace hookhost::app {
namespace {

namespace json = boost::json;

constexpr double kNanoseconds = 1e9;

double seconds(Duration duration) { return static_cast<double>(duration.count()) / kNanoseconds; }
Duration duration(const json::value& seconds) { return Duration{static_cast<std::int64_t>(seconds.to_number<double>() * kNanoseconds + 0.5)}; }

}  // namespace

std::string to_json(const WebhookSettings& settings) {
  json::object out;
  if (settings.signing) out["signing"] = *settings.signing;
  if (settings.profile) out["profile"] = *settings.profile;
  if (settings.retry) {
    json::array& delays = out["retry"].emplace_array();
    for (const Duration delay : *settings.retry) delays.emplace_back(seconds(delay));
  }
  if (settings.timeout) out["timeout"] = seconds(*settings.timeout);
  if (settings.concurrency) out["concurrency"] = *settings.concurrency;
  if (settings.rate) out["rate"] = *settings.rate;
  if (settings.headers) {
    json::object& headers = out["headers"].emplace_object();
    for (const auto& [name, value] : *settings.headers) headers[name] = value;
  }
  if (settings.begins_at) out["begins_at"] = *settings.begins_at;
  return json::serialize(out);
}

Result<WebhookSettings> parse_webhook_settings(const std::string& text) {
  WebhookSettings out;
  try {
    const json::value parsed = json::parse(text);
    const json::object& all = parsed.as_object();
    const auto with = [&](const char* name, const auto& take) {
      if (const json::value* value = all.if_contains(name)) take(*value);
    };
    with("signing", [&](const json::value& value) { out.signing = std::string(value.as_string()); });
    with("profile", [&](const json::value& value) { out.profile = std::string(value.as_string()); });
    with("retry", [&](const json::value& value) {
      out.retry.emplace();
      for (const json::value& delay : value.as_array()) out.retry->push_back(duration(delay));
    });
    with("timeout", [&](const json::value& value) { out.timeout = duration(value); });
    with("concurrency", [&](const json::value& value) { out.concurrency = value.to_number<std::uint32_t>(); });
    with("rate", [&](const json::value& value) { out.rate = value.to_number<double>(); });
    with("headers", [&](const json::value& value) {
      out.headers.emplace();
      for (const auto& [name, header] : value.as_object()) out.headers->emplace(name, header.as_string());
    });
    with("begins_at", [&](const json::value& value) { out.begins_at = value.to_number<std::uint64_t>(); });
  } catch (const std::exception&) {
    return fail(ErrorCode::corrupt, "the settings of a registered endpoint are damaged; restore a copy of registry.db, or update the endpoint");
  }
  return out;
}

}  // namespace hookhost::app
