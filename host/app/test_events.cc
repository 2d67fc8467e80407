#include "app/test_events.h"

#include <algorithm>

#include "api/example_events.h"
#include "base/event_id.h"
#include "ingest/describe.h"

namespace hookhost::app {
namespace {

constexpr std::string_view kNobody = "test";  // the source and provider of what has none

std::string join(const std::vector<Pattern>& patterns) {
  std::string out;
  for (const Pattern& pattern : patterns) out += (out.empty() ? "" : ", ") + pattern.text();
  return out;
}

std::string_view or_nobody(std::string_view text) { return text.empty() ? kNobody : text; }

// The one that lets an event of this type through, from whatever source it wants; null: none.
const Pattern* letting_through(const std::vector<Pattern>& patterns, std::string_view provider, std::string_view type) {
  const auto found = std::find_if(patterns.begin(), patterns.end(), [&](const Pattern& one) { return one.matches(one.source, provider, type); });
  return found == patterns.end() ? nullptr : &*found;
}

Result<event_log::EventPtr> make_event(std::string_view source, std::string_view provider, std::string_view type, std::string_view body, Offset offset,
                                       EventIdGenerator& ids, WallTime now) {
  auto out = std::make_shared<event_log::Event>();
  out->offset = offset;
  out->id = ids.next(now);
  out->source = source;
  out->provider = provider;
  out->type = type;
  out->received_at = now;
  out->content_type = "application/json";
  out->headers = {{"Content-Type", out->content_type}};
  if (provider == "github") out->headers.push_back({"X-GitHub-Event", std::string(type.substr(0, type.find('.')))});
  out->body = body;
  std::vector<signing::HeaderView> headers;
  for (const auto& header : out->headers) headers.push_back({header.name, header.value});
  config::Source described;
  described.scheme = provider;
  HOOKHOST_TRY(auto description, ingest::describe(described, headers, out->body));
  out->team = std::move(description.team);
  out->key = std::move(description.key);
  return out;
}

}  // namespace

Result<TestEvents> test_events(const std::vector<Pattern>& handed, const std::vector<Pattern>& wanted, const std::optional<std::string>& body, WallTime now) {
  for (const Pattern& one : wanted) {
    if (std::any_of(handed.begin(), handed.end(), [&](const Pattern& other) { return overlap(one, other); })) continue;
    return fail(ErrorCode::usage, "it is never handed " + one.text() + ", only " + join(handed));
  }
  const std::vector<Pattern>& meant = wanted.empty() ? handed : wanted;
  TestEvents out;
  EventIdGenerator ids;
  const auto add = [&](std::string_view source, std::string_view provider, std::string_view type, std::string_view text) -> Result<> {
    HOOKHOST_TRY(auto event, make_event(source, provider, type, text, Offset{out.events.size()}, ids, now));
    out.events.push_back(std::move(event));
    return success();
  };
  if (body) {
    const Pattern& one = meant.front();
    if (meant.size() != 1 || one.kind != Pattern::Kind::exact) return fail(ErrorCode::usage, "--data is the body of one event: name its type with --type");
    const api::ExampleEvent* const known = api::find_example(one.provider, one.type);
    const std::string_view provider = !one.provider.empty() || known == nullptr ? std::string_view(one.provider) : known->provider;
    HOOKHOST_CHECK(add(or_nobody(one.source.empty() ? provider : one.source), or_nobody(provider), one.type, *body));
    return out;
  }
  for (const api::ExampleEvent& example : api::example_events()) {
    const Pattern* const through = letting_through(handed, example.provider, example.type);
    if (through == nullptr || letting_through(meant, example.provider, example.type) == nullptr) continue;
    HOOKHOST_CHECK(add(through->source.empty() ? example.provider : std::string_view(through->source), example.provider, example.type, example.body));
  }
  for (const Pattern& one : meant) {
    const bool has = std::any_of(out.events.begin(), out.events.end(), [&](const auto& event) { return one.matches(one.source, event->provider, event->type); });
    if (!has) out.without_example.push_back(one.text());
  }
  if (!out.events.empty() && (wanted.empty() || out.without_example.empty())) return out;
  return fail(ErrorCode::usage, "there is no example of " + out.without_example.front() + "; give the event's body with --type TYPE --data JSON (or --data @FILE)");
}

}  // namespace hookhost::app
