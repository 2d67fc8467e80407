// Endpoints, forwards and the teams' keys.
#include <array>

#include "api/arguments.h"
#include "api/endpoint_control.h"
#include "api/json_views.h"
#include "api/routes.h"
#include "base/bytes.h"
#include "base/units.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

Result<std::optional<Duration>> duration_in(Arguments& arguments, const char* name) {
  HOOKHOST_TRY(const auto text, arguments.text(name));
  if (!text) return std::optional<Duration>{};
  const auto parsed = parse_duration(*text);
  if (!parsed) return fail(ErrorCode::usage, std::string(name) + ": " + parsed.error().message);
  return std::optional(parsed.value());
}

// "Name: value" each; none given: nothing is said of them.
Result<std::optional<std::map<std::string, std::string>>> headers_in(Arguments& arguments) {
  HOOKHOST_TRY(const auto lines, arguments.texts("header"));
  std::map<std::string, std::string> out;
  for (const std::string& line : lines) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) return fail(ErrorCode::usage, "header: wants 'Name: value'");
    out[line.substr(0, colon)] = trim(std::string_view(line).substr(colon + 1));
  }
  return lines.empty() ? std::nullopt : std::optional(std::move(out));
}

Result<EndpointWishes> wishes_in(Arguments& arguments) {
  EndpointWishes out;
  HOOKHOST_TRY(out.name, arguments.text("name"));
  HOOKHOST_TRY(out.url, arguments.text("url"));
  HOOKHOST_TRY(auto events, arguments.texts("event"));
  if (!events.empty()) out.events = std::move(events);
  HOOKHOST_TRY(out.secret, arguments.text("secret"));
  HOOKHOST_TRY(out.secret_grace, duration_in(arguments, "secret_grace"));
  HOOKHOST_TRY(out.team, arguments.text("team"));
  HOOKHOST_TRY(out.since, arguments.text("since"));
  HOOKHOST_TRY(out.signing, arguments.text("signing"));
  HOOKHOST_TRY(out.profile, arguments.text("profile"));
  HOOKHOST_TRY(out.timeout, duration_in(arguments, "timeout"));
  HOOKHOST_TRY(out.rate, arguments.decimal("rate"));
  HOOKHOST_TRY(out.headers, headers_in(arguments));
  HOOKHOST_TRY(out.backlog, arguments.flag("backlog"));
  HOOKHOST_TRY(const auto concurrency, arguments.number("concurrency"));
  if (concurrency) out.concurrency = static_cast<std::uint32_t>(std::min<std::uint64_t>(*concurrency, UINT32_MAX));
  HOOKHOST_TRY(const auto active, arguments.text("active"));
  if (active && *active != "true" && *active != "false") return fail(ErrorCode::usage, "active: must be true or false");
  if (active) out.active = *active == "true";
  HOOKHOST_TRY(const auto retry, arguments.texts("retry"));
  if (!retry.empty()) out.retry.emplace();
  for (const std::string& delay : retry) {
    const auto parsed = parse_duration(delay);
    if (!parsed) return fail(ErrorCode::usage, "retry: " + parsed.error().message);
    out.retry->push_back(parsed.value());
  }
  HOOKHOST_CHECK(arguments.finish());
  return out;
}

Result<json::value> list(HostControl& host, const AdminCall&, const Path&) {
  json::array out;
  for (const auto& one : host.endpoints().endpoints(std::nullopt)) out.push_back(view(one));
  return json::value(std::move(out));
}

Result<json::value> show(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_TRY(const auto one, host.endpoints().endpoint(std::nullopt, path[2]));
  return json::value(view(one));
}

Result<json::value> add(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  HOOKHOST_TRY(auto wishes, wishes_in(arguments));
  if (!wishes.name) wishes.name = wishes.url;
  if (!wishes.events) wishes.events = std::vector<std::string>{"*"};
  HOOKHOST_TRY(const auto made, host.endpoints().create(std::nullopt, wishes));
  return json::value(view(made));
}

Result<json::value> update(HostControl& host, const AdminCall& call, const Path& path) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  HOOKHOST_TRY(const auto wishes, wishes_in(arguments));
  if (wishes.team || wishes.since) return fail(ErrorCode::usage, "team and since are said when an endpoint is added; a replay reaches earlier events");
  HOOKHOST_TRY(const auto changed, host.endpoints().update(std::nullopt, path[2], wishes));
  json::object out = view(changed.endpoint);
  out["skipped"] = changed.skipped ? json::value(*changed.skipped) : json::value(nullptr);
  out["replay_cancelled"] = changed.replay_cancelled;
  return json::value(std::move(out));
}

template <Result<> (EndpointControl::*kChange)(std::string_view)>
Result<json::value> change(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_CHECK((host.endpoints().*kChange)(path[2]));
  return done();
}

Result<json::value> remove(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_CHECK(host.endpoints().remove(std::nullopt, path[2]));
  return done();
}

Result<json::value> forward(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  HOOKHOST_TRY(const auto source, arguments.required("source"));
  HOOKHOST_TRY(const auto url, arguments.required("url"));
  HOOKHOST_TRY(const auto from, arguments.text("from"));
  HOOKHOST_CHECK(arguments.finish());
  HOOKHOST_TRY(const auto made, host.endpoints().forward(source, url, from.value_or("now")));
  return json::value(view(made));
}

Result<json::value> keep_forward(HostControl& host, const AdminCall&, const Path& path) {
  HOOKHOST_TRY(const auto one, host.endpoints().keep_forward(path[2]));
  return json::value(view(one));
}

Result<json::value> keys(HostControl& host, const AdminCall&, const Path&) {
  json::array out;
  for (const auto& one : host.endpoints().keys()) out.push_back(view(one));
  return json::value(std::move(out));
}

Result<json::value> make_key(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  HOOKHOST_TRY(const auto team, arguments.required("team"));
  HOOKHOST_TRY(const auto label, arguments.text("label"));
  HOOKHOST_CHECK(arguments.finish());
  HOOKHOST_TRY(const auto made, host.endpoints().make_key(team, label.value_or("")));
  json::object out = view(made.first);
  out["key"] = made.second;
  return json::value(std::move(out));
}

constexpr std::array kRoutes{
    Route{"GET", "/api/endpoints", list},
    Route{"POST", "/api/endpoints", add, Takes::body},
    Route{"GET", "/api/endpoints/*", show},
    Route{"PUT", "/api/endpoints/*", update, Takes::body},
    Route{"DELETE", "/api/endpoints/*", remove},
    Route{"POST", "/api/endpoints/*/pause", change<&EndpointControl::pause>},
    Route{"POST", "/api/endpoints/*/resume", change<&EndpointControl::resume>},
    Route{"POST", "/api/forwards", forward, Takes::body},
    Route{"POST", "/api/forwards/*/keep", keep_forward},
    Route{"DELETE", "/api/forwards/*", remove},
    Route{"GET", "/api/team-keys", keys},
    Route{"POST", "/api/team-keys", make_key, Takes::body},
    Route{"DELETE", "/api/team-keys/*", change<&EndpointControl::revoke_key>},
};

}  // namespace

std::span<const Route> endpoint_routes() { return kRoutes; }

}  // namespace hookhost::api
