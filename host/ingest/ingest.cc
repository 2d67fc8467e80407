#include "ingest/ingest.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/diagnostics.h"
#include "ingest/describe.h"
#include "ingest/publish.h"

namespace hookhost::ingest {
namespace {

using namespace std::chrono_literals;

// Teams publish into one window, each with a share of its own; what a source is sent is its provider's.
std::string_view owner_of(std::string_view source, std::string_view team) { return source == config::kPublishedSource ? team : std::string_view{}; }

// By the provider's id where it has one, for 24 h; else by source and body, for 2 min.
bool by_id(const config::Source& source) {
  const std::string& by = source.duplicates.by;
  if (!by.empty()) return by != "body" && by != "off";
  return source.scheme == "github" || source.scheme == "stripe" || source.scheme == "standard-webhooks" || !source.id.empty();
}

DuplicatesOptions duplicates_of(const config::Source& source) {
  return {.window = source.duplicates.window.value_or(by_id(source) ? Duration{24h} : Duration{2min}), .entries_max = source.duplicates.entries_max};
}

signing::SchemeOptions scheme_of(const config::Source& source) {
  signing::SchemeOptions out;
  if (const auto scheme = signing::parse_scheme(source.scheme)) out.scheme = scheme.value();
  out.tolerance = source.tolerance;
  out.header = source.header;
  out.algorithm = source.algorithm == "sha1" ? signing::Algorithm::sha1 : source.algorithm == "sha512" ? signing::Algorithm::sha512 : signing::Algorithm::sha256;
  out.encoding = source.encoding == "base64" ? signing::Encoding::base64 : signing::Encoding::hex;
  out.prefix = source.prefix;
  return out;
}

std::string_view public_message(ErrorCode code) {
  switch (code) {
    case ErrorCode::missing_signature: return "the signature header is missing; set the webhook's secret at the sender";
    case ErrorCode::malformed_signature: return "the signature header cannot be read; see the provider's documentation for its form";
    case ErrorCode::stale_timestamp: return "the signature's timestamp is too far from now; check the sender's clock, or send again";
    default: return "the signature does not match; check that both sides use the same secret and the body is not changed on the way";
  }
}

}  // namespace

const Source* Sources::find(std::string_view path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : found->second;
}

Ingest::Ingest(event_log::EventLog& log, EventIdGenerator& ids, const Clock& clock)
    : log_(log), clock_(clock), ids_(ids), lines_(clock), sources_(std::make_shared<Sources>()), published_(published_source()) {}

std::shared_ptr<const Sources> Ingest::sources() const {
  const std::scoped_lock lock(mutex_);
  return sources_;
}

void Ingest::configure(const std::map<std::string, config::Source>& sources) {
  const auto before = this->sources();
  auto made = std::make_shared<Sources>();
  for (const auto& [name, settings] : sources) {
    auto source = std::make_unique<Source>();
    source->settings = settings;
    source->scheme = scheme_of(settings);
    for (const auto& secret : settings.secrets) source->secrets.push_back({secret.value.reveal(), secret.until});
    for (const auto& old : before->all()) {
      if (old->settings.name == name) source->state = old->state;
    }
    if (source->state) {
      source->state->duplicates.configure(duplicates_of(settings));
    } else {
      source->state = std::make_shared<SourceState>(duplicates_of(settings));
    }
    made->by_path_.emplace(settings.path, source.get());
    made->all_.push_back(std::move(source));
  }
  const std::scoped_lock lock(mutex_);
  sources_ = std::move(made);
}

Result<> Ingest::rebuild_duplicates() {
  const auto all = sources();
  std::map<std::string_view, SourceState*> by_name;
  Duration longest{0};
  for (const auto& source : all->all()) {
    by_name[source->settings.name] = source->state.get();
    longest = std::max(longest, source->state->duplicates.window());
  }
  by_name[published_.settings.name] = published_.state.get();
  longest = std::max(longest, published_.state->duplicates.window());
  event_log::Reader reader = log_.reader();
  const WallTime now = clock_.wall();
  HOOKHOST_TRY(const Offset from, reader.find_time(now - longest));
  return reader.each_head(from, log_.durable_end(), [&](const event_log::EventHead& head) {
    const auto found = by_name.find(head.source);
    if (found != by_name.end() && !head.digest.empty() && head.received_at + found->second->duplicates.window() >= now) {
      found->second->duplicates.remember(to_mark(head.digest), EventId{std::string(head.id)}, head.received_at, owner_of(head.source, head.team));
    }
    return true;
  });
}

// Everything up to the event, without its id.
Result<event_log::Event> Ingest::judge(const Source& source, Incoming& incoming) {
  event_log::Event event;
  event.received_at = clock_.wall();
  const config::Source& settings = source.settings;
  if (!settings.is_unsigned) {
    const auto verdict = signing::verify(source.scheme, source.secrets, incoming.headers, incoming.body, event.received_at);
    if (!verdict.ok) {
      explain(settings.name, verdict.refusal, verdict.why, incoming.request_id);
      return fail(verdict.refusal, std::string(public_message(verdict.refusal)));
    }
    event.verified = true;
  }
  HOOKHOST_TRY(auto description, describe(settings, incoming.headers, incoming.body));
  const std::string pinned = settings.team && *settings.team != config::kFromPayload ? *settings.team : std::string();
  if (!pinned.empty() && !description.team.empty() && description.team != pinned) {
    return fail(ErrorCode::team_mismatch, "the payload names another team than this source belongs to");
  }
  event.team = pinned.empty() ? std::move(description.team) : pinned;
  event.source = settings.name;
  event.provider = settings.provider;
  event.type = std::move(description.type);
  event.key = std::move(description.key);
  event.content_type = incoming.content_type;
  for (const auto& header : incoming.headers) event.headers.push_back({std::string(header.name), std::string(header.value)});
  event.body = std::move(incoming.body);

  const std::string& by = settings.duplicates.by;
  if (by == "off") return event;
  std::string identity = by_id(settings) ? description.id : std::string();
  if (by.starts_with("header:") || by.starts_with('/')) {
    config::Source chosen = settings;
    chosen.id = by;
    HOOKHOST_TRY(auto again, describe(chosen, incoming.headers, event.body));
    identity = std::move(again.id);
  }
  signing::Sha256 digest;
  digest.update(settings.name);
  digest.update(identity.empty() ? std::string_view("\0body\0", 6) : std::string_view("\0id\0", 4));
  digest.update(identity.empty() ? event.body : identity);
  event.digest = stored_mark(digest.finish());
  return event;
}

void Ingest::count_refusal(SourceState& state, ErrorCode code) {
  const auto reason = std::find(kRefusalReasons.begin(), kRefusalReasons.end(), to_string(public_code(code)));
  const std::size_t index = std::min<std::size_t>(static_cast<std::size_t>(reason - kRefusalReasons.begin()), kRefusalReasons.size() - 1);
  state.counters.refused.at(index).fetch_add(1, std::memory_order_relaxed);
}

// At most once a minute for each source and code; the others only for who asked for everything.
void Ingest::explain(std::string_view source, ErrorCode code, std::string_view why, std::string_view request_id) {
  const auto left_out = lines_.pass(source, code);
  diagnose(left_out ? Level::warn : Level::debug, "ingest", "a webhook was refused: " + std::string(why),
           {{"source", source}, {"reason", to_string(code)}, {"request_id", request_id}, {"left_out", left_out.value_or(0)}});
}

void Ingest::accept(const Source& source, Incoming incoming, Answer answer) {
  auto judged = judge(source, incoming);
  if (!judged) {
    const Error& error = judged.error();
    count_refusal(*source.state, error.code);
    const bool is_explained = http_status(error.code) == 401;  // by judge(), which knows more than the client is told
    if (!is_explained) explain(source.settings.name, error.code, error.message, incoming.request_id);
    return answer(fail(error));
  }
  append(std::move(judged.value()), source.state, incoming.request_id, std::move(answer));
}

// Unless it was here before.
void Ingest::append(event_log::Event event, std::shared_ptr<SourceState> state, std::string_view request_id, Answer answer) {
  event.id = ids_.next(event.received_at);
  const bool tracked = !event.digest.empty();
  const auto mark = to_mark(event.digest);
  const std::string owner(owner_of(event.source, event.team));
  if (tracked) {
    // The answer is needed by one of two ways; both share it.
    auto shared = std::make_shared<Answer>(std::move(answer));
    EventId known;
    const auto claim = state->duplicates.claim(mark, event.id, event.received_at, known, [shared, state](Result<EventId> done) {
      if (!done) return (*shared)(fail(done.error()));
      state->counters.duplicates.fetch_add(1, std::memory_order_relaxed);
      (*shared)(Accepted{done.value(), true});
    }, owner);
    if (claim == DuplicatesWindow::Claim::follows) return;
    if (claim == DuplicatesWindow::Claim::differs) {
      count_refusal(*state, ErrorCode::idempotency_key_reused);
      return (*shared)(fail(ErrorCode::idempotency_key_reused, "this Idempotency-Key was used for another request; send a new request under a new key"));
    }
    if (claim == DuplicatesWindow::Claim::known) {
      state->counters.duplicates.fetch_add(1, std::memory_order_relaxed);
      return (*shared)(Accepted{std::move(known), true});
    }
    answer = [shared](Result<Accepted> done) { (*shared)(std::move(done)); };
  }
  log_.append(event, [this, state, digest = mark.digest, tracked, owner, id = event.id, name = event.source, request_id = std::string(request_id),
                      answer = std::move(answer)](const Result<Offset>& done) {
    if (tracked) state->duplicates.settle(digest, done ? Result<EventId>(id) : Result<EventId>(fail(done.error())), owner);
    if (done) {
      state->counters.accepted.fetch_add(1, std::memory_order_relaxed);
      answer(Accepted{id, false});
    } else {
      count_refusal(*state, done.error().code);
      explain(name, done.error().code, done.error().message, request_id);
      answer(fail(done.error()));
    }
  });
}

}  // namespace hookhost::ingest
