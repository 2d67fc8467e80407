// What /v1 and the admin API need of the endpoints, the teams' keys and the way in for published events. The composition root (app) implements
// it over the registry, the engine and ingest.
//
// Threads: every function may be called from every thread; those that change something block until it is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"
#include "delivery/replay.h"
#include "delivery/status.h"
#include "state/delivery_store.h"

namespace hookhost::api {

inline constexpr Duration kSecretGraceMax = std::chrono::hours{24 * 365};

// What may be said of an endpoint. Absent: the default of where it comes from (DESIGN.md section 10), or unchanged in an update.
struct EndpointWishes {
  std::optional<std::string> name;
  std::optional<std::string> url;
  std::optional<std::vector<std::string>> events;  // patterns
  std::optional<std::string> secret;               // empty: none from now on
  std::optional<Duration> secret_grace;            // how long the secret before it signs too; default 24 h; alone: of the rotation under way
  std::optional<bool> active;
  bool backlog = false;                            // with active: what came while its client had switched it off is delivered too
  std::optional<std::string> since;                // at creation: events from then on (WHEN of DESIGN.md 6.2), else from now
  std::optional<std::string> signing;              // both, kakiyo, standard-webhooks, pass_through, none
  std::optional<std::string> profile;              // kakiyo, standard
  std::optional<std::vector<Duration>> retry;
  std::optional<Duration> timeout;
  std::optional<std::uint32_t> concurrency;
  std::optional<double> rate;
  std::optional<std::map<std::string, std::string>> headers;
  std::optional<std::string> team;                 // of commands, at creation: it gets only this team's events; through /v1 it is the key's
};

struct EndpointInfo {
  std::string id;      // "webhook_" + 16 characters, or the name in the YAML file
  std::string name;
  std::string url;
  std::optional<std::string> team;
  std::string origin;  // yaml, v1, command, forward
  std::vector<std::string> events;
  bool active = true;                // the wish of its owner; false also while the host has disabled it
  std::optional<std::string> paused_reason;
  bool has_secret = false;
  std::string signing, profile;
  std::vector<Duration> retry;
  Duration timeout{};
  std::uint32_t concurrency = 0;
  double rate = 0;
  std::vector<std::string> headers;  // names only
  delivery::SubscriberStatus status;
  WallTime created_at;
};

struct Changed {
  EndpointInfo endpoint;
  // Switched on from now: the deliveries that are not made any more, of events that came while its client had switched it off and of others that
  // it had not got by then; and whether a replay was cancelled, whose rest is among them.
  std::optional<std::uint64_t> skipped;
  bool replay_cancelled = false;
};

struct TestTarget {
  std::string id, name, url;
};

// Of a request that publishes. No key: it is never a duplicate.
struct Idempotency {
  std::string key;
  std::string request;  // the SHA-256 of its body: a key stands for one request
};

struct Published {
  EventId id;
  bool duplicate = false;
};

// Of a team, into one of its endpoints.
struct ReplayWishes {
  std::string since;                 // beginning, an age or a time
  std::optional<std::string> until;  // the same; exclusive
};

struct KeyInfo {
  std::string id, team, label;  // no id: it stands in the YAML file
  WallTime created_at;
  std::optional<WallTime> revoked_at;
  bool is_refused = false;  // not revoked, but its team does not stand under teams
};

class EndpointControl {
 public:
  virtual ~EndpointControl() = default;

  // The team whose key this is. Error: invalid_api_key. Constant time in the key.
  [[nodiscard]] virtual Result<std::string> team_of_key(std::string_view key) = 0;

  // `team`: only that team's, and only those made through /v1; none: all of the host.
  [[nodiscard]] virtual std::vector<EndpointInfo> endpoints(const std::optional<std::string>& team) = 0;
  [[nodiscard]] virtual Result<EndpointInfo> endpoint(const std::optional<std::string>& team, std::string_view id) = 0;
  // Error: usage, with "field: message" for each wish that cannot be (one a line); conflict.
  [[nodiscard]] virtual Result<EndpointInfo> create(const std::optional<std::string>& team, const EndpointWishes& wishes) = 0;
  // Error: not_found (also for another team's), usage as create(); refused for one of the YAML file.
  [[nodiscard]] virtual Result<Changed> update(const std::optional<std::string>& team, std::string_view id, const EndpointWishes& wishes) = 0;
  // Deletes every trace of it; of one that has left the YAML file too. Error: not_found; refused while it stands there.
  [[nodiscard]] virtual Result<> remove(const std::optional<std::string>& team, std::string_view id) = 0;

  // The operator's own: stands still, whatever its owner wishes, until resume(); nothing is lost. Resuming one that its owner alone switched off
  // switches it on and delivers what came meanwhile. Of every endpoint. Error: not_found; refused (with the way out).
  [[nodiscard]] virtual Result<> pause(std::string_view id) = 0;
  [[nodiscard]] virtual Result<> resume(std::string_view id) = 0;

  // Passes the events of a source on unchanged, to any address, until it is removed or nobody has asked for it for some seconds.
  // Error: not_found (no such source), usage.
  [[nodiscard]] virtual Result<EndpointInfo> forward(std::string_view source, std::string_view url, std::string_view from) = 0;
  [[nodiscard]] virtual Result<EndpointInfo> keep_forward(std::string_view id) = 0;

  // Sends one signed example, marked as test, to every active endpoint of the team that gets this type; `data` (a JSON object, may be empty) is
  // merged over the example's. Returns at once; not in the event log, not retried, kept in the attempt history. Error: not_found (no such
  // endpoint).
  [[nodiscard]] virtual Result<std::vector<TestTarget>> test(const std::string& team, std::string_view type, std::string_view data) = 0;

  // What was sent to it, tests among it, the newest first. Error: not_found.
  [[nodiscard]] virtual Result<std::vector<state::AttemptRow>> attempts(const std::optional<std::string>& team, std::string_view id,
                                                                       const state::AttemptQuery& query) = 0;
  // Tries the delivery of an event again now: one that waits for its next attempt, or that was given up. Error: not_found (no such endpoint, or
  // nothing of the event was sent to it), conflict (nothing of it waits).
  [[nodiscard]] virtual Result<> retry(const std::string& team, std::string_view id, std::string_view event_id) = 0;
  // Hands its events of that time to it again, marked as a replay; how many match. Blocks on reading the event log. Error: not_found, usage,
  // conflict (it is off, another replay of it runs, it has not come to these events yet).
  [[nodiscard]] virtual Result<std::uint64_t> replay(const std::string& team, std::string_view id, const ReplayWishes& wishes) = 0;

  // Appends an event of the team; `body` is the whole envelope as JSON bytes. `done` is called when it is durable, on any thread. Error:
  // idempotency_key_reused (before the call returns), unavailable.
  virtual void publish(const std::string& team, std::string type, std::string body, Idempotency idempotency,
                       std::function<void(Result<Published>)> done) = 0;

  // Keys: made (the key itself is told once), listed, revoked.
  [[nodiscard]] virtual Result<std::pair<KeyInfo, std::string>> make_key(const std::string& team, const std::string& label) = 0;
  [[nodiscard]] virtual std::vector<KeyInfo> keys() = 0;
  [[nodiscard]] virtual Result<> revoke_key(std::string_view id) = 0;
};

}  // namespace hookhost::api
