#include <algorithm>
#include <atomic>
#include <memory>

#include "api/v1_fields.h"
#include "api/v1_json.h"
#include "api/v1_routes.h"
#include "api/v1_views.h"
#include "base/pattern.h"
#include "signing/digest.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kEventBytesMax = 200;
constexpr std::size_t kIdempotencyKeyBytesMax = 255;
constexpr std::size_t kBatchMax = 1000;

struct Prepared {
  std::string type;
  std::string body;
};

// The client's own bytes, with the members in front that it left to the host.
std::string envelope_of(std::string_view text, const json::object& members, const std::string& team) {
  json::object more;
  if (!members.contains("teamId")) more["teamId"] = team;
  if (!members.contains("timestamp")) more["timestamp"] = v1_time(system_clock().wall());
  if (more.empty()) return std::string(text);
  std::string out = json::serialize(more);
  out.back() = ',';
  return out.append(text.substr(1));  // it holds "event" at least
}

// Error: usage; the names begin with `prefix`. An unknown type is left in `unknown`.
Result<Prepared> prepare(const V1Call& call, std::string_view text, const json::value& value, const std::string& prefix, std::string& unknown) {
  const std::string self = prefix.empty() ? "body" : prefix.substr(0, prefix.size() - 1);
  if (!value.is_object()) return fail(ErrorCode::usage, self + ": must be an object");
  V1Fields fields(value.get_object(), prefix);
  fields.require("event");
  fields.require("data");
  auto type = fields.text("event", 1, kEventBytesMax);
  (void)fields.object("data");
  if (const auto team = fields.text("teamId", 1, kEventBytesMax); team && *team != call.team) fields.problem("teamId", "is not the team of this API key; leave it out");
  if (const auto time = fields.text("timestamp", 1, 64); time && !parse_time(*time)) fields.problem("timestamp", "must be an ISO 8601 time");
  HOOKHOST_CHECK(fields.finish());
  // A type of the host's own is nobody else's, whatever the configuration adds.
  if (!call.types.contains(*type) || type->starts_with(kOwnTypes)) {
    if (unknown.empty()) unknown = *type;
    return Prepared{};
  }
  return Prepared{std::move(*type), envelope_of(text, value.get_object(), call.team)};
}

json::object published_view(const Published& one) { return {{"status", one.duplicate ? "duplicate" : "accepted"}, {"id", one.id.value}}; }

// Waits for every event of a batch. What fails ends it: the rest is not begun.
class Batch {
 public:
  Batch(std::size_t count, bool is_single, std::function<void(Result<V1Reply>)> done) : results_(count), left_(count), is_single_(is_single), done_(std::move(done)) {}

  [[nodiscard]] bool has_failed() const { return has_failed_; }
  void settle(std::size_t index, Result<Published> result) {
    if (!result) has_failed_ = true;
    results_[index] = std::move(result);
    if (left_.fetch_sub(1) == 1) done_(reply());
  }

 private:
  Result<V1Reply> reply() {
    json::array out;
    for (const auto& one : results_) {
      if (!*one) return fail(one->error());
      out.push_back(published_view(one->value()));
    }
    if (is_single_) return V1Reply{200, std::move(out.front())};
    return V1Reply{200, json::object{{"events", std::move(out)}}};
  }

  std::vector<std::optional<Result<Published>>> results_;
  std::atomic<std::size_t> left_;
  std::atomic<bool> has_failed_{false};
  const bool is_single_;
  std::function<void(Result<V1Reply>)> done_;
};

// One word, so that " 7" behind it, which tells the events of a batch apart, can be no client's.
Result<> check_idempotency_key(std::string_view key) {
  const bool visible = std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (visible && key.size() <= kIdempotencyKeyBytesMax) return success();
  return fail(ErrorCode::usage, "Idempotency-Key: must be one word of visible ASCII characters, at most " + std::to_string(kIdempotencyKeyBytesMax));
}

Result<std::vector<Prepared>> prepare_batch(const V1Call& call, const json::value& list, std::string& unknown) {
  if (!list.is_array() || list.get_array().empty() || list.get_array().size() > kBatchMax) {
    return fail(ErrorCode::usage, "events: must be an array of 1 to " + std::to_string(kBatchMax) + " events");
  }
  const auto texts = element_texts(member_text(call.body, "events"));
  std::vector<Prepared> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    HOOKHOST_TRY(auto one, prepare(call, texts[i], list.get_array()[i], "events[" + std::to_string(i) + "].", unknown));
    out.push_back(std::move(one));
  }
  return out;
}

// Nothing is published of a batch with one that cannot be.
Result<std::vector<Prepared>> prepare_all(const V1Call& call, bool& is_single, std::string& unknown) {
  HOOKHOST_TRY(const auto members, parse_object(call.body));
  is_single = !members.contains("events");
  if (!is_single) return prepare_batch(call, members.at("events"), unknown);
  const auto begin = call.body.find('{');
  HOOKHOST_TRY(auto one, prepare(call, call.body.substr(begin, call.body.rfind('}') + 1 - begin), members, "", unknown));
  std::vector<Prepared> out;
  out.push_back(std::move(one));
  return out;
}

}  // namespace

void publish_events(const V1Call& call, std::string_view idempotency_key, std::function<void(Result<V1Reply>)> done) {
  if (const auto checked = check_idempotency_key(idempotency_key); !checked) return done(fail(checked.error()));
  bool is_single = true;
  std::string unknown;
  auto events = prepare_all(call, is_single, unknown);
  if (!events) return done(fail(events.error()));
  if (!unknown.empty()) return done(invalid_event(unknown, call.types));
  const auto batch = std::make_shared<Batch>(events.value().size(), is_single, std::move(done));
  const Idempotency whole{std::string(idempotency_key), idempotency_key.empty() ? std::string() : signing::sha256(call.body)};
  // Order: the first event has the key itself, so that whoever used it before has it whole, and another request publishes nothing.
  for (std::size_t i = 0; i < events.value().size(); ++i) {
    if (batch->has_failed()) {
      batch->settle(i, fail(ErrorCode::unavailable, "one before it was not published"));
      continue;
    }
    Idempotency own = whole;
    if (!own.key.empty() && i > 0) own.key += " " + std::to_string(i);
    Prepared& one = events.value()[i];
    call.control.publish(call.team, std::move(one.type), std::move(one.body), std::move(own), [batch, i](Result<Published> result) { batch->settle(i, std::move(result)); });
  }
}

}  // namespace hookhost::api
