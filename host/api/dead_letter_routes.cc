#include <array>

#include "api/arguments.h"
#include "api/json_views.h"
#include "api/routes.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/pattern.h"
#include "config/when.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

using Rows = std::vector<std::pair<SubscriberId, state::ParkedRow>>;

// Source and provider stand in the copy of the event only.
Result<> keep_matching(HostControl& host, const Pattern& pattern, Rows& rows) {
  Rows kept;
  for (auto& [subscriber, row] : rows) {
    std::string source, provider;
    if (!pattern.source.empty() || !pattern.provider.empty()) {
      HOOKHOST_TRY(const auto whole, host.store().parked_one(subscriber, row.stream, row.offset));
      if (!whole) continue;
      HOOKHOST_TRY(const auto event, host.feed().decode(whole->event, whole->offset));
      source = event->source;
      provider = event->provider;
    }
    if (pattern.matches(source, provider, row.type)) kept.emplace_back(subscriber, std::move(row));
  }
  rows = std::move(kept);
  return success();
}

Result<Rows> select(HostControl& host, Arguments& arguments) {
  state::ParkedQuery query;
  HOOKHOST_TRY(const auto subscriber, arguments.text("subscriber"));
  HOOKHOST_TRY(const auto type, arguments.text("type"));
  HOOKHOST_TRY(const auto since, arguments.text("since"));
  HOOKHOST_TRY(const auto offset, arguments.number("offset"));
  if (subscriber) {
    query.subscriber = SubscriberId{*subscriber};
    HOOKHOST_CHECK(host.engine().status(*query.subscriber));  // a misspelt one is told so
  }
  Offset first;
  if (since) {
    HOOKHOST_TRY(const auto when, config::parse_when(*since));
    using Kind = config::When::Kind;
    if (when.kind == Kind::offset) first = when.offset;
    if (when.kind == Kind::now) query.since = system_clock().wall();
    if (when.kind == Kind::age) query.since = system_clock().wall() - when.age;
    if (when.kind == Kind::time) query.since = when.time;
  }
  HOOKHOST_TRY(auto rows, host.store().parked(query));
  std::erase_if(rows, [&](const auto& row) { return row.second.offset < first; });
  if (type) {
    HOOKHOST_TRY(const auto pattern, parse_pattern(*type, true));
    HOOKHOST_CHECK(keep_matching(host, pattern, rows));
  }
  if (offset) std::erase_if(rows, [&](const auto& row) { return row.second.offset != Offset{*offset}; });
  return rows;
}

template <bool kRetry>
Result<json::value> change(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_json(call.body));
  HOOKHOST_TRY(const bool all, arguments.flag("all"));
  HOOKHOST_TRY(const auto rows, select(host, arguments));
  HOOKHOST_CHECK(arguments.finish());
  if (!all && rows.size() > 1) {
    return fail(ErrorCode::usage, std::to_string(rows.size()) + " dead letters are meant; name one by its offset, or say --all");
  }
  if (rows.empty()) return fail(ErrorCode::not_found, "no dead letter is meant; `hookhost dead-letters list` shows them");
  for (const auto& [subscriber, row] : rows) {
    HOOKHOST_CHECK(kRetry ? host.engine().retry_dead_letter(subscriber, row.stream, row.offset)
                          : host.engine().discard_dead_letter(subscriber, row.stream, row.offset));
  }
  return json::value(json::object{{"done", true}, {"count", rows.size()}});
}

Result<json::value> show(HostControl& host, const AdminCall&, const Path& path) {
  const auto stream = parse_u64(path[3]), offset = parse_u64(path[4]);
  if (!stream || !offset) return fail(ErrorCode::usage, "a dead letter is named by its subscriber, the event's offset and the replay's id: hookhost dead-letters list shows them");
  HOOKHOST_TRY(const auto row, host.store().parked_one(SubscriberId{path[2]}, *stream, Offset{*offset}));
  if (!row) return fail(ErrorCode::not_found, "there is no such dead letter");
  json::object out = view(SubscriberId{path[2]}, *row);
  HOOKHOST_TRY(const auto event, host.feed().decode(row->event, row->offset));
  out["source"] = event->source;
  out["key"] = event->key;
  if (is_valid_utf8(event->body)) {
    out["body"] = event->body;
  } else {
    out["body_base64"] = to_base64(event->body);
  }
  return json::value(std::move(out));
}

Result<json::value> list(HostControl& host, const AdminCall& call, const Path&) {
  HOOKHOST_TRY(auto arguments, Arguments::from_query(call.query));
  HOOKHOST_TRY(const auto rows, select(host, arguments));
  HOOKHOST_CHECK(arguments.finish());
  json::array out;
  for (const auto& [subscriber, row] : rows) out.push_back(view(subscriber, row));
  return json::value(std::move(out));
}

constexpr std::array kRoutes{
    Route{"GET", "/api/dead-letters", list, Takes::query},
    Route{"GET", "/api/dead-letters/*/*/*", show},
    Route{"POST", "/api/dead-letters/retry", change<true>, Takes::body},
    Route{"POST", "/api/dead-letters/discard", change<false>, Takes::body},
};

}  // namespace

std::span<const Route> dead_letter_routes() { return kRoutes; }

}  // namespace hookhost::api
