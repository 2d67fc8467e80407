// From a request to a durable answer: which source, is the signature right, what is it, was it here before; then the event log. Knows no sockets
// and no subscribers.
//
// Threads: every function from every thread. Answers come on a thread of the event log, or at once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_id.h"
#include "base/line_limit.h"
#include "event_log/event_log.h"
#include "ingest/source.h"

namespace hookhost::ingest {

struct Accepted {
  EventId id;
  bool duplicate = false;
};
using Answer = std::function<void(Result<Accepted>)>;

// One configuration's sources by path. Immutable: a request keeps the one of its head.
class Sources {
 public:
  [[nodiscard]] const Source* find(std::string_view path) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Source>>& all() const { return all_; }

 private:
  friend class Ingest;
  std::vector<std::unique_ptr<Source>> all_;
  std::map<std::string, const Source*, std::less<>> by_path_;
};

struct Incoming {
  std::span<const signing::HeaderView> headers;
  std::string_view content_type;
  std::string body;
  std::string_view request_id;
};

// An event that a team publishes itself, instead of a provider.
struct Publication {
  std::string team;
  std::string type;
  std::string body;             // the whole envelope, JSON in Kakiyo's form
  std::string idempotency_key;  // empty: none; else the same one of the same team is a duplicate for 24 h
  std::string request;          // with a key: the SHA-256 of all that was asked for under it
  std::string request_id;
};

class Ingest {
 public:
  // `log`, `ids` and `clock` must outlive it. Whoever else appends events uses the same generator.
  Ingest(event_log::EventLog& log, EventIdGenerator& ids, const Clock& clock);

  // Replaces the sources; counters and duplicates windows of names that stay are kept.
  void configure(const std::map<std::string, config::Source>& sources);
  [[nodiscard]] std::shared_ptr<const Sources> sources() const;
  // Fills the duplicates windows from the event log. Blocks on reading. After configure().
  [[nodiscard]] Result<> rebuild_duplicates();

  // Errors: those of signing::verify, team_mismatch, invalid_request; unavailable and its kin from the event log. Messages are for the client.
  void accept(const Source& source, Incoming incoming, Answer answer);
  // Of a caller who has shown to be of that team, with a type that may be published: source `v1`, verified. Errors: unavailable and its kin;
  // idempotency_key_reused, at once, when something else was asked for under this key.
  void publish(Publication publication, Answer answer);
  [[nodiscard]] const Source& published() const { return published_; }

 private:
  [[nodiscard]] Result<event_log::Event> judge(const Source& source, Incoming& incoming);
  void append(event_log::Event event, std::shared_ptr<SourceState> state, std::string_view request_id, Answer answer);
  static void count_refusal(SourceState& state, ErrorCode code);
  void explain(std::string_view source, ErrorCode code, std::string_view why, std::string_view request_id);

  event_log::EventLog& log_;
  const Clock& clock_;
  EventIdGenerator& ids_;
  LineLimit lines_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Sources> sources_;
  const Source published_;
};

}  // namespace hookhost::ingest
