// endpoints, endpoint_defaults, teams and api.
#include <charconv>

#include "config/readers.h"

namespace hookhost::config {
namespace {

const std::vector<std::string> kProfiles{"kakiyo", "standard"};
constexpr std::uint64_t kConcurrencyMax = 1'024;
constexpr Duration kEndpointTimeoutMax = 5min;  // as of those that are registered
constexpr double kRateMax = 1e6;

std::optional<std::vector<Network>> read_networks(Section& section) {
  const YAML::Node all = section.take("allowed_networks");
  if (!all.IsDefined() || all.IsNull()) return std::nullopt;
  std::vector<Network> out;
  if (!all.IsSequence()) section.problem(all, "allowed_networks", "wants a list of networks, such as 10.0.0.0/8");
  if (!all.IsSequence()) return out;
  for (const YAML::Node& one : all) {
    const auto network = one.IsScalar() ? parse_network(one.Scalar()) : Result<Network>(fail(ErrorCode::usage, "wants a network, such as 10.0.0.0/8"));
    if (network) {
      out.push_back(network.value());
    } else {
      section.problem(one, "allowed_networks", network.error().message);
    }
  }
  return out;
}

template <class Out>
void read_times(Section& section, Out& out) {
  Duration timeout{};
  section.duration("timeout", timeout, kEndpointTimeoutMax, 1ms);
  if (timeout > Duration{}) out.timeout = timeout;
  out.retry = read_retry(section);
  std::uint64_t concurrency = 0;
  section.number("concurrency", concurrency, 1, kConcurrencyMax);
  if (concurrency > 0) out.concurrency = concurrency;
}

void read_rate(Section& section, double& out) {
  std::string text;
  section.text("rate", text);
  if (text.empty()) return;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const std::string_view rest(end, text.data() + text.size());
  if (error != std::errc{} || !(rest.empty() || rest == "/s") || !(out >= 0 && out <= kRateMax)) {
    section.problem(section.take("rate"), "rate", "wants requests a second, such as 10 or 0.5/s; 0: no limit");
  }
}

void read_headers(Section& section, Endpoint& out, const Reading& reading) {
  const YAML::Node all = section.take("headers");
  if (!all.IsDefined() || all.IsNull()) return;
  if (!all.IsMap()) return section.problem(all, "headers", "wants a mapping (name: value)");
  for (const auto& pair : all) {
    const std::string name = pair.first.Scalar();
    out.headers[name] = read_secret(pair.second, "endpoints." + out.name + ".headers." + name, reading.wants(""), reading);
  }
}

void read_tls(Section section, Endpoint& out, const Reading& reading) {
  section.text("ca", out.ca);
  section.text("certificate", out.certificate);
  section.text("key", out.key);
  if (out.certificate.empty() != out.key.empty()) section.problem("certificate", "and key belong together; name both, or none");
  for (std::string* file : {&out.ca, &out.certificate, &out.key}) *file = reading.path(*file);
  section.finish();
}

}  // namespace

EndpointDefaults read_endpoint_defaults(Section section) {
  EndpointDefaults out;
  section.flag("allow_http", out.allow_http);
  if (auto networks = read_networks(section)) out.allowed_networks = std::move(*networks);
  section.one_of("profile", out.profile, kProfiles);
  read_times(section, out);
  section.finish();
  return out;
}

Endpoint read_endpoint(const std::string& name, Section section, const Reading& reading) {
  Endpoint out;
  out.name = name;
  out.place = section.place();
  for (const std::string_view reserved : {"webhook_", "forward_"}) {
    if (name.starts_with(reserved)) section.problem("url", "names that begin with " + std::string(reserved) + " are the host's; choose another");
  }
  section.text("url", out.url);
  if (out.url.empty()) section.problem("url", "is missing: where events are posted to");
  section.flag("enabled", out.enabled);
  std::string team;
  section.text("team", team);
  if (!team.empty()) out.team = team;
  read_patterns(section, out.events);
  if (out.events.empty()) section.problem("events", "is missing: the patterns of what it gets, such as [\"*\"]");
  section.one_of("signing", out.signing, {"both", "kakiyo", "standard-webhooks", "pass_through", "none"});
  out.secrets = read_secrets(section, "endpoints." + name, "endpoints.*", reading.wants(""), reading);
  read_headers(section, out, reading);
  section.one_of("profile", out.profile, kProfiles);
  read_times(section, out);
  read_rate(section, out.rate);
  read_start_at(section, out.start_at);
  read_order_by(section, out.order_by);
  bool allow_http = false;
  section.flag("allow_http", allow_http);
  if (section.take("allow_http").IsDefined()) out.allow_http = allow_http;
  out.allowed_networks = read_networks(section);
  read_tls(section.section("tls"), out, reading);
  section.text("proxy", out.proxy);
  section.finish();
  return out;
}

Team read_team(const std::string& name, Section section, const Reading& reading) {
  Team out;
  out.name = name;
  out.place = section.place();
  if (name == kFromPayload) section.problem("api_keys", "from_payload is what a source says that takes the team from there; choose another name");
  const YAML::Node keys = section.take("api_keys");
  if (keys.IsDefined() && !keys.IsNull() && !keys.IsSequence()) section.problem(keys, "api_keys", "wants a list of keys");
  if (keys.IsSequence()) {
    std::size_t index = 0;
    for (const YAML::Node& one : keys) {
      out.api_keys.push_back(read_secret(one, "teams." + name + ".api_keys[" + std::to_string(index++) + "]", reading.wants(""), reading));
    }
  }
  section.one_of("profile", out.profile, kProfiles);
  section.finish();
  return out;
}

Api read_api(Section section) {
  Api out;
  const YAML::Node limits = section.take("rate_limits");
  if (limits.IsDefined() && limits.IsScalar()) {
    if (limits.Scalar() == "off") out.rate_limits.reset();
    if (limits.Scalar() != "off" && limits.Scalar() != "kakiyo") section.problem(limits, "rate_limits", "wants kakiyo, off or {high, medium, low, publish}");
  } else {
    Section numbers = section.section("rate_limits");
    numbers.number("high", out.rate_limits->high, 1, 1'000'000);
    numbers.number("medium", out.rate_limits->medium, 1, 1'000'000);
    numbers.number("low", out.rate_limits->low, 1, 1'000'000);
    numbers.number("publish", out.rate_limits->publish, 0, 1'000'000);
    numbers.finish();
  }
  section.number("webhooks_max", out.webhooks_max, 1, 1'000'000);
  const YAML::Node types = section.take("types");
  if (types.IsDefined() && !types.IsNull() && !types.IsSequence()) section.problem(types, "types", "wants a list of types");
  if (types.IsSequence()) {
    for (const YAML::Node& one : types) {
      const auto pattern = one.IsScalar() ? parse_pattern(one.Scalar(), false) : Result<Pattern>(fail(ErrorCode::usage, "wants a text"));
      if (!pattern || pattern.value().kind != Pattern::Kind::exact || !pattern.value().provider.empty()) {
        section.problem(one, "types", "wants types written out, such as order.paid");
      } else if (one.Scalar().starts_with(kOwnTypes)) {
        section.problem(one, "types", "types that begin with " + std::string(kOwnTypes) + " are the host's own and cannot be published; take it out");
      } else {
        out.types.push_back(one.Scalar());
      }
    }
  }
  section.finish();
  return out;
}

}  // namespace hookhost::config
