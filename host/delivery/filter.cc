#include "delivery/filter.h"

#include <algorithm>
#include <boost/json.hpp>

#include "delivery/scanner.h"

namespace hookhost::delivery {
namespace json = boost::json;

bool EventFilter::passes(const EventHead& head) const {
  const auto matches = [&](const Pattern& pattern) { return pattern.matches(head.source, head.provider, head.type); };
  if (key && head.key != *key) return false;
  if (id && head.id != *id) return false;
  if (team && head.team != *team) return false;
  return std::ranges::any_of(events, matches) && (types.empty() || std::ranges::any_of(types, matches));
}

EventFilter filter_of(const SubscriberOptions& options) {
  return {.events = options.events, .types = {}, .key = {}, .id = {}, .team = options.team};
}

Result<std::vector<std::pair<Offset, Offset>>> look_at_heads(EventFeed& feed, Offset from, Offset until, const std::function<void(const EventHead&)>& look) {
  std::vector<std::pair<Offset, Offset>> removed;
  HOOKHOST_TRY(auto cursor, feed.cursor());
  for (Offset at = from; at < until;) {
    HOOKHOST_TRY(auto read, cursor->scan(at, until, 1, SIZE_MAX, kScanLookedMax, [&](const EventHead& head) {
      look(head);
      return false;
    }));
    removed.insert(removed.end(), read.removed.begin(), read.removed.end());
    if (read.next <= at) break;
    at = read.next;
  }
  return removed;
}

std::string narrowing_text(const EventFilter& filter) {
  json::object out;
  json::array types;
  for (const auto& pattern : filter.types) types.emplace_back(pattern.text());
  if (!types.empty()) out["types"] = std::move(types);
  if (filter.key) out["key"] = *filter.key;
  if (filter.id) out["id"] = *filter.id;
  return json::serialize(out);
}

Result<EventFilter> parse_narrowing(std::string_view text) {
  const auto damaged = [&] { return fail(ErrorCode::corrupt, "a replay's filter cannot be read; cancel it and start it again"); };
  EventFilter filter;
  if (text.empty()) return filter;
  boost::system::error_code error;
  const auto value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return damaged();
  const auto& object = value.get_object();
  if (const auto* types = object.if_contains("types")) {
    if (!types->is_array()) return damaged();
    for (const auto& item : types->get_array()) {
      if (!item.is_string()) return damaged();
      HOOKHOST_TRY(auto pattern, parse_pattern(std::string(item.get_string()), true));
      filter.types.push_back(std::move(pattern));
    }
  }
  if (const auto* key = object.if_contains("key"); key != nullptr && key->is_string()) filter.key = std::string(key->get_string());
  if (const auto* id = object.if_contains("id"); id != nullptr && id->is_string()) filter.id = std::string(id->get_string());
  return filter;
}

}  // namespace hookhost::delivery
