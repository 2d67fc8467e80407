#include "app/endpoint_build.h"

#include <utility>

#include "app/webhook_settings.h"

namespace hookhost::app {
namespace {

constexpr Duration kGraceDefault = std::chrono::hours{24};
constexpr std::size_t kNameBytesMax = 256, kUrlBytesMax = 2'048, kEventsMax = 100, kHeadersMax = 50, kHeaderBytesMax = 4'096, kRetriesMax = 100;
constexpr std::size_t kSecretBytesMax = 1'024;
constexpr Duration kTimeoutMax = std::chrono::minutes{5};
constexpr Duration kRetryDelayMax = 31 * std::chrono::hours{24};
constexpr std::uint32_t kConcurrencyMax = 1'024;

// Both were judged when they were said.
endpoints::Profile profile_named(const std::string& name) {
  const auto profile = endpoints::parse_profile(name);
  return profile ? profile.value() : endpoints::Profile::standard;
}
endpoints::Signing signing_named(const std::string& name) {
  const auto signing = endpoints::parse_signing(name);
  return signing ? signing.value() : endpoints::Signing::both;
}

// The profile's values with what stands above them.
template <class Said>
void set_times(const Said& said, endpoints::Endpoint& out) {
  if (said.retry) out.policy.retry = *said.retry;
  if (said.timeout) out.policy.timeout = *said.timeout;
  if (said.concurrency) out.concurrency = static_cast<std::uint32_t>(*said.concurrency);
}

// Of those that the wishes name, "field: message" for each that cannot be.
class Complaints {
 public:
  void add(const std::string& field, const std::string& what) { text_ += (text_.empty() ? "" : "\n") + field + ": " + what; }
  template <class T>
  void add_if_failed(const std::string& field, const Result<T>& result) {
    if (!result) add(field, result.error().message);
  }
  [[nodiscard]] bool none() const { return text_.empty(); }
  [[nodiscard]] Result<> verdict() const { return none() ? Result<>(success()) : Result<>(fail(ErrorCode::usage, text_)); }

 private:
  std::string text_;
};

// The values that can be judged alone. What was judged when it was said is not judged again: by what holds now it may be none any more, and that
// must not stand in the way of what is said today.
void judge_values(const api::EndpointWishes& wishes, const EndpointRules& rules, const state::WebhookRow& row, Complaints& complaints) {
  if (row.name.empty() || wishes.name.value_or("").size() > kNameBytesMax) complaints.add("name", "must be a text of at most 256 bytes");
  if (row.url.empty() || wishes.url.value_or("").size() > kUrlBytesMax) complaints.add("url", "must be a URL of at most 2048 bytes");
  const auto events = wishes.events.value_or(std::vector<std::string>{});
  if (row.events.empty() || events.size() > kEventsMax) complaints.add("events", "must be 1 to 100 patterns");
  for (const std::string& event : events) {
    const auto pattern = parse_pattern(event, row.origin != "v1");
    complaints.add_if_failed("events", pattern);
    if (!pattern || pattern.value().source.empty() || rules.sources.contains(pattern.value().source)) continue;
    complaints.add("events", config::no_such_source(pattern.value().source, rules.sources));
  }
  if (wishes.secret.value_or("").size() > kSecretBytesMax) complaints.add("secret", "must be at most 1024 bytes");
  if (wishes.secret_grace && (*wishes.secret_grace < Duration{} || *wishes.secret_grace > api::kSecretGraceMax)) complaints.add("secret_grace", "must be 0s to 365d");
  if (wishes.signing) complaints.add_if_failed("signing", endpoints::parse_signing(*wishes.signing));
  if (wishes.profile) complaints.add_if_failed("profile", endpoints::parse_profile(*wishes.profile));
  if (wishes.timeout && (*wishes.timeout < std::chrono::milliseconds{1} || *wishes.timeout > kTimeoutMax)) complaints.add("timeout", "must be from 1ms to 5m");
  if (wishes.concurrency && (*wishes.concurrency < 1 || *wishes.concurrency > kConcurrencyMax)) complaints.add("concurrency", "must be from 1 to 1024");
  if (wishes.rate && !(*wishes.rate >= 0 && *wishes.rate <= 1e6)) complaints.add("rate", "must be requests a second; 0: no limit");
  if (wishes.retry && wishes.retry->size() > kRetriesMax) complaints.add("retry", "must be at most 100 delays");
  for (const Duration delay : wishes.retry.value_or(std::vector<Duration>{})) {
    if (delay < Duration{} || delay > kRetryDelayMax) return complaints.add("retry", "a delay must be from 0 to 31d");
  }
  if (!wishes.headers) return;
  if (wishes.headers->size() > kHeadersMax) complaints.add("headers", "must be at most 50");
  for (const auto& [name, value] : *wishes.headers) {
    if (name.size() + value.size() > kHeaderBytesMax) complaints.add("headers", "one of them is longer than 4 KiB");
  }
}

// What depends on the rest of the endpoint, or on what the host allows.
void judge_in_place(const api::EndpointWishes& wishes, const endpoints::Endpoint& endpoint, Complaints& complaints) {
  if (wishes.url) complaints.add_if_failed("url", endpoints::check_url(endpoint));
  if (wishes.headers) complaints.add_if_failed("headers", endpoints::check_headers(endpoint));
  if (wishes.secret || wishes.signing) complaints.add_if_failed("secret", endpoints::check_secrets(endpoint));
}

// A grace alone is that of a rotation that is under way, from now on: none ends it. What has ended is not begun again.
void set_secret(const api::EndpointWishes& wishes, WallTime now, state::WebhookRow& row) {
  const bool is_new = wishes.secret && *wishes.secret != row.secret;
  if (!is_new && !wishes.secret_grace) return;
  if (is_new) {
    row.previous_secret = wishes.secret->empty() ? std::string() : std::exchange(row.secret, {});
    row.secret = *wishes.secret;
  } else if (row.previous_until <= now) {
    row.previous_secret.clear();
  }
  const Duration grace = wishes.secret_grace.value_or(kGraceDefault);
  if (grace <= Duration{}) row.previous_secret.clear();
  row.previous_until = row.previous_secret.empty() ? std::nullopt : std::optional(now + grace);
}

}  // namespace

BuiltEndpoint build(const config::Endpoint& said, const config::EndpointDefaults& defaults) {
  BuiltEndpoint out{.endpoint = {}, .profile = profile_named(said.profile.empty() ? defaults.profile : said.profile)};
  endpoints::Endpoint& to = out.endpoint;
  to.id = SubscriberId{said.name};
  to.url = said.url;
  to.team = said.team;
  to.events = said.events;
  to.signing = signing_named(said.signing);
  for (const auto& secret : said.secrets) to.secrets.push_back({secret.value.reveal(), secret.until});
  for (const auto& [name, value] : said.headers) to.headers.emplace_back(name, value.reveal());
  to.policy = endpoints::values_of(out.profile);
  set_times(defaults, to);
  set_times(said, to);
  to.rate = said.rate;
  to.allow_http = said.allow_http.value_or(defaults.allow_http);
  to.allowed_networks = said.allowed_networks.value_or(defaults.allowed_networks);
  to.ca_file = said.ca;
  to.certificate_file = said.certificate;
  to.key_file = said.key;
  to.proxy = said.proxy;
  to.order_by = delivery::OrderBy::of(said.order_by);
  return out;
}

Result<BuiltEndpoint> build(const state::WebhookRow& row, const EndpointRules& rules) {
  HOOKHOST_TRY(const auto settings, parse_webhook_settings(row.settings));
  const bool through_v1 = row.origin == "v1";
  const std::string profile = through_v1 ? rules.profile_of(row.team) : rules.defaults.profile;
  BuiltEndpoint out{.endpoint = {}, .profile = profile_named(settings.profile.value_or(profile))};
  endpoints::Endpoint& to = out.endpoint;
  to.id = SubscriberId{row.id};
  to.url = row.url;
  to.team = row.team;
  for (const std::string& event : row.events) {
    HOOKHOST_TRY(auto pattern, parse_pattern(event, true));
    to.events.push_back(std::move(pattern));
  }
  to.signing = signing_named(settings.signing.value_or("both"));
  if (!row.secret.empty()) to.secrets.push_back({row.secret, std::nullopt});
  if (!row.previous_secret.empty()) to.secrets.push_back({row.previous_secret, row.previous_until});
  if (settings.headers) to.headers.assign(settings.headers->begin(), settings.headers->end());
  to.policy = endpoints::values_of(out.profile);
  if (!through_v1) set_times(rules.defaults, to);
  set_times(settings, to);
  to.rate = settings.rate.value_or(0);
  to.allow_http = rules.defaults.allow_http;
  to.allowed_networks = rules.defaults.allowed_networks;
  return out;
}

std::string EndpointRules::profile_of(const std::optional<std::string>& team) const {
  const auto found = teams.named.find(team.value_or(""));
  return found == teams.named.end() ? "kakiyo" : found->second.profile;
}

Result<> may_run(const BuiltEndpoint& built, const EndpointRules& rules) {
  if (const auto& team = built.endpoint.team; !rules.has_team(team)) {
    return fail(ErrorCode::refused, "its team '" + *team + "' does not stand under teams in the configuration; add it there and reload, or " +
                                        "hookhost endpoint remove " + built.endpoint.id.value);
  }
  if (const auto good = endpoints::check(built.endpoint); !good) return fail(ErrorCode::refused, good.error().message);
  return success();
}

Result<delivery::StartAt> first_place(const state::WebhookRow& row) {
  using Kind = delivery::StartAt::Kind;
  HOOKHOST_TRY(const auto settings, parse_webhook_settings(row.settings));
  if (!settings.begins_at) return delivery::StartAt{.kind = Kind::time, .time = row.created_at, .position_lost = true};
  return delivery::StartAt{.kind = Kind::offset, .offset = Offset{*settings.begins_at}, .position_lost = true};
}

Result<> note_first_place(Offset place, state::WebhookRow& row) {
  HOOKHOST_TRY(auto settings, parse_webhook_settings(row.settings));
  settings.begins_at = place.value;
  row.settings = to_json(settings);
  return success();
}

Result<> check_endpoint(const config::Endpoint& endpoint, const config::EndpointDefaults& defaults) {
  return endpoints::check(build(endpoint, defaults).endpoint);
}

Result<> apply_wishes(const api::EndpointWishes& wishes, const EndpointRules& rules, WallTime now, state::WebhookRow& row) {
  HOOKHOST_TRY(auto settings, parse_webhook_settings(row.settings));
  if (wishes.name) row.name = *wishes.name;
  if (wishes.url) row.url = *wishes.url;
  if (wishes.events) row.events = *wishes.events;
  if (wishes.active) row.active = *wishes.active;
  set_secret(wishes, now, row);
  if (wishes.signing) settings.signing = wishes.signing;
  if (wishes.profile) settings.profile = wishes.profile;
  if (wishes.retry) settings.retry = wishes.retry;
  if (wishes.timeout) settings.timeout = wishes.timeout;
  if (wishes.concurrency) settings.concurrency = wishes.concurrency;
  if (wishes.rate) settings.rate = wishes.rate;
  if (wishes.headers) settings.headers = wishes.headers;
  row.settings = to_json(settings);
  row.changed_at = now;

  Complaints complaints;
  judge_values(wishes, rules, row, complaints);
  if (complaints.none()) {
    HOOKHOST_TRY(const auto built, build(row, rules));
    judge_in_place(wishes, built.endpoint, complaints);
  }
  return complaints.verdict();
}

}  // namespace hookhost::app
