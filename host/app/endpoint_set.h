// All endpoints of a host: those of the YAML file, those in the registry (made through /v1 or by a command) and those of `hookhost forward`.
// Joins them to the engine, and is what /v1 and the admin API ask.
//
// An endpoint of the registry whose owner switched it off is paused for that reason (kSwitchedOff); the registry's word wins at a start. What
// the operator pauses and what the host disables is the engine's own state.
//
// Threads: every function from every thread. Changes of one endpoint are made one after the other and block until they are durable; those of
// different ones do not wait for each other, and none waits for a receiver.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/endpoint_control.h"
#include "app/endpoint_build.h"
#include "app/endpoint_runner.h"
#include "app/forwards.h"
#include "app/new_subscriber.h"
#include "app/one_at_a_time.h"
#include "app/team_keys.h"
#include "base/event_id.h"
#include "ingest/ingest.h"

namespace hookhost::app {

// Of the endpoints that a team made through /v1: how many there are, and their attempts since the process started.
struct TeamCounts {
  std::uint64_t endpoints = 0, succeeded = 0, failed = 0;
};

class EndpointSet final : public api::EndpointControl {
 public:
  struct Rooms {  // which outlive it; the engine ends before
    delivery::Engine& engine;
    state::DeliveryStore& store;
    state::Registry& registry;
    ingest::Ingest& ingest;
    EventIdGenerator& ids;
    const Clock& clock;
    std::size_t requests_max = 1'024;  // deliveries open at once, over all endpoints
  };
  explicit EndpointSet(const Rooms& rooms);

  // What there is becomes known; nothing is sent. Error: that of the registry.
  [[nodiscard]] Result<> load(const config::Config& config);
  // As PluginSet's, of the endpoints of the file.
  [[nodiscard]] Result<std::vector<Acceptable>> may_accept(const config::Config& config);
  [[nodiscard]] Result<> accept(const std::vector<Acceptable>& all, std::vector<std::string>& held);
  // Makes what runs what `config` says, at first everything, then what has changed. Those that left the file are detached.
  [[nodiscard]] Result<> apply(const config::Config& config);
  // Now and then.
  void maintain() { forwards_.end_unwanted(); }
  [[nodiscard]] bool is_registered(const SubscriberId& id) const;
  [[nodiscard]] bool is_of_a_team(const SubscriberId& id) const;  // made through /v1
  // By team, those of removed endpoints among them: a team's counters never go back.
  [[nodiscard]] std::map<std::string, TeamCounts> count_teams(const std::vector<delivery::SubscriberStatus>& all) const;

  [[nodiscard]] Result<std::string> team_of_key(std::string_view key) override { return keys_.team_of(key); }
  [[nodiscard]] std::vector<api::EndpointInfo> endpoints(const std::optional<std::string>& team) override;
  [[nodiscard]] Result<api::EndpointInfo> endpoint(const std::optional<std::string>& team, std::string_view id) override;
  [[nodiscard]] Result<api::EndpointInfo> create(const std::optional<std::string>& team, const api::EndpointWishes& wishes) override;
  [[nodiscard]] Result<api::Changed> update(const std::optional<std::string>& team, std::string_view id, const api::EndpointWishes& wishes) override;
  [[nodiscard]] Result<> remove(const std::optional<std::string>& team, std::string_view id) override;
  [[nodiscard]] Result<> pause(std::string_view id) override;
  [[nodiscard]] Result<> resume(std::string_view id) override;
  [[nodiscard]] Result<api::EndpointInfo> forward(std::string_view source, std::string_view url, std::string_view from) override;
  [[nodiscard]] Result<api::EndpointInfo> keep_forward(std::string_view id) override;
  [[nodiscard]] Result<std::vector<api::TestTarget>> test(const std::string& team, std::string_view type, std::string_view data) override;
  [[nodiscard]] Result<std::vector<state::AttemptRow>> attempts(const std::optional<std::string>& team, std::string_view id,
                                                               const state::AttemptQuery& query) override;
  [[nodiscard]] Result<> retry(const std::string& team, std::string_view id, std::string_view event_id) override;
  [[nodiscard]] Result<std::uint64_t> replay(const std::string& team, std::string_view id, const api::ReplayWishes& wishes) override;
  void publish(const std::string& team, std::string type, std::string body, api::Idempotency idempotency,
               std::function<void(Result<api::Published>)> done) override;
  [[nodiscard]] Result<std::pair<api::KeyInfo, std::string>> make_key(const std::string& team, const std::string& label) override {
    return keys_.make(team, label);
  }
  [[nodiscard]] std::vector<api::KeyInfo> keys() override { return keys_.list(); }
  [[nodiscard]] Result<> revoke_key(std::string_view id) override { return keys_.revoke(id); }

 private:
  using Row = std::shared_ptr<const state::WebhookRow>;
  // What the configuration says, immutable.
  struct Said {
    EndpointRules rules;
    std::map<std::string, config::Endpoint> endpoints;
    std::uint64_t webhooks_max = 0;
  };
  [[nodiscard]] static std::shared_ptr<const Said> said_by(const config::Config& config, KnownTeams teams);
  [[nodiscard]] Result<KnownTeams> known_teams(const config::Config& config) const;

  [[nodiscard]] std::shared_ptr<const Said> said() const;
  void drop(const state::WebhookRow& row);  // which its caller keeps alive
  void remember_counts(const state::WebhookRow& row);
  // Null: none that this team may see. Invariant: whatever a team asks of an endpoint by its id begins here, and goes no further for one of another
  // team than for one that does not exist: neither the answer nor the way to it tells them apart.
  [[nodiscard]] Row row_of(const std::optional<std::string>& team, std::string_view id) const;
  [[nodiscard]] std::vector<Row> rows(const std::optional<std::string>& team) const;
  void keep(Row row);

  [[nodiscard]] Result<> apply_yaml(const Said& before, const Said& now);
  [[nodiscard]] Result<> start_row(const state::WebhookRow& row, const EndpointRules& rules);
  [[nodiscard]] Result<> must_be_able(const state::WebhookRow& row) const;
  // Precondition: the endpoint is held.
  [[nodiscard]] Result<api::Changed> change(const std::optional<std::string>& team, std::string_view id, const api::EndpointWishes& wishes);
  [[nodiscard]] Result<> tidy_up(const Said& now);
  [[nodiscard]] Result<> switch_off(const std::string& id);
  [[nodiscard]] Result<std::optional<delivery::Engine::Skipped>> switch_on(const std::string& id, bool backlog);
  [[nodiscard]] Result<> must_be_changeable(const std::optional<std::string>& team, std::string_view id) const;
  [[nodiscard]] Result<> must_be_an_endpoint(std::string_view id) const;

  Rooms rooms_;
  EndpointRunner runner_;
  Forwards forwards_;
  TeamKeys keys_;
  OneAtATime changes_;  // of each endpoint; and of each team, whose webhooks are counted. Order: the team first
  mutable std::mutex mutex_;
  std::shared_ptr<const Said> said_ = std::make_shared<const Said>();
  std::map<std::string, Row, std::less<>> rows_;                          // by id
  std::map<std::string, std::map<std::string, Row>, std::less<>> of_team_;  // those made through /v1, by team and id
  std::map<std::string, TeamCounts> removed_;                               // what removed ones of those had counted
};

}  // namespace hookhost::app
