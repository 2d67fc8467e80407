// Endpoints, keys and published events in memory, for the tests of /v1. Like the real one it keeps teams apart only as far as its caller names
// the right team; what /v1 asked for is kept to be looked at.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "api/endpoint_control.h"

namespace hookhost::test {

class FakeEndpointControl final : public api::EndpointControl {
 public:
  struct Publication {
    std::string team, type, body;
    api::Idempotency idempotency;
  };
  struct Test {
    std::string team, type, data;
  };

  std::map<std::string, std::string, std::less<>> teams_by_key;
  std::vector<api::EndpointInfo> all;
  std::vector<Publication> publications;
  std::vector<Test> tests;
  std::vector<state::AttemptRow> attempt_rows;
  std::vector<EventId> retried;
  std::vector<api::ReplayWishes> replays;
  api::EndpointWishes last_wishes;
  std::optional<std::uint64_t> skipped;
  bool replay_cancelled = false;
  std::optional<Error> failure;  // what every call but team_of_key() ends with
  std::function<void(const std::string& team)> before_change;  // of update(): may hang

  Result<std::string> team_of_key(std::string_view key) override {
    const auto found = teams_by_key.find(key);
    if (found == teams_by_key.end()) return fail(ErrorCode::invalid_api_key, "no");
    return found->second;
  }

  std::vector<api::EndpointInfo> endpoints(const std::optional<std::string>& team) override {
    const std::scoped_lock lock(mutex_);
    std::vector<api::EndpointInfo> out;
    std::copy_if(all.begin(), all.end(), std::back_inserter(out), [&](const auto& one) { return one.team == team; });
    return out;
  }
  Result<api::EndpointInfo> endpoint(const std::optional<std::string>& team, std::string_view id) override {
    const std::scoped_lock lock(mutex_);
    HOOKHOST_TRY(auto* found, find(team, id));
    return *found;
  }
  Result<api::EndpointInfo> create(const std::optional<std::string>& team, const api::EndpointWishes& wishes) override {
    const std::scoped_lock lock(mutex_);
    if (failure) return fail(*failure);
    api::EndpointInfo made;
    const std::string number = std::to_string(all.size() + 1);
    made.id = "webhook_" + std::string(16 - number.size(), '0') + number;
    made.team = team;
    made.origin = "v1";
    made.signing = "both";
    made.profile = "kakiyo";
    made.retry = {std::chrono::seconds{1}, std::chrono::seconds{2}, std::chrono::seconds{4}};
    made.timeout = std::chrono::seconds{10};
    made.concurrency = 4;
    made.created_at = WallTime{std::chrono::seconds{1'700'000'000}};
    made.status.state = "live";
    apply(wishes, made);
    all.push_back(made);
    return made;
  }
  Result<api::Changed> update(const std::optional<std::string>& team, std::string_view id, const api::EndpointWishes& wishes) override {
    if (before_change) before_change(team.value_or(""));
    const std::scoped_lock lock(mutex_);
    HOOKHOST_TRY(auto* found, find(team, id));
    apply(wishes, *found);
    return api::Changed{*found, skipped, replay_cancelled};
  }
  Result<> remove(const std::optional<std::string>& team, std::string_view id) override {
    const std::scoped_lock lock(mutex_);
    HOOKHOST_TRY(auto* found, find(team, id));
    all.erase(all.begin() + (found - all.data()));
    return success();
  }

  Result<> pause(std::string_view) override { return fail(ErrorCode::not_supported, "a fake"); }
  Result<> resume(std::string_view) override { return fail(ErrorCode::not_supported, "a fake"); }
  Result<api::EndpointInfo> forward(std::string_view, std::string_view, std::string_view) override { return fail(ErrorCode::not_supported, "a fake"); }
  Result<api::EndpointInfo> keep_forward(std::string_view) override { return fail(ErrorCode::not_supported, "a fake"); }
  Result<std::vector<api::TestTarget>> test(const std::string& team, std::string_view type, std::string_view data) override {
    const std::scoped_lock lock(mutex_);
    if (failure) return fail(*failure);
    std::vector<api::TestTarget> out;
    for (const auto& one : all) {
      const bool wants = std::any_of(one.events.begin(), one.events.end(), [&](const auto& event) { return event == "*" || event == type; });
      if (one.team == team && one.active && wants) out.push_back({one.id, one.name, one.url});
    }
    if (out.empty()) return fail(ErrorCode::not_found, "No webhooks found for this event");
    tests.push_back({team, std::string(type), std::string(data)});
    return out;
  }
  Result<std::vector<state::AttemptRow>> attempts(const std::optional<std::string>& team, std::string_view id, const state::AttemptQuery& query) override {
    const std::scoped_lock lock(mutex_);
    HOOKHOST_CHECK(find(team, id));
    std::vector<state::AttemptRow> out;
    for (const auto& row : attempt_rows) {
      if (query.id.value_or(row.id) == row.id && out.size() < query.limit) out.push_back(row);
    }
    return out;
  }
  Result<> retry(const std::string& team, std::string_view id, std::string_view event_id) override {
    HOOKHOST_TRY(const auto rows, attempts(team, id, {.id = EventId{std::string(event_id)}, .limit = 1}));
    if (rows.empty()) return fail(ErrorCode::not_found, "nothing of this event was sent to it");
    retried.push_back(rows.front().id);
    return success();
  }
  Result<std::uint64_t> replay(const std::string& team, std::string_view id, const api::ReplayWishes& wishes) override {
    const std::scoped_lock lock(mutex_);
    HOOKHOST_CHECK(find(team, id));
    replays.push_back(wishes);
    return std::uint64_t{7};
  }

  void publish(const std::string& team, std::string type, std::string body, api::Idempotency idempotency, std::function<void(Result<api::Published>)> done) override {
    std::unique_lock lock(mutex_);
    if (failure) {
      lock.unlock();
      return done(fail(*failure));
    }
    const auto same = [&](const auto& one) { return one.team == team && one.idempotency.key == idempotency.key && !idempotency.key.empty(); };
    const auto known = std::find_if(publications.begin(), publications.end(), same);
    const bool duplicate = known != publications.end();
    const bool reused = duplicate && known->idempotency.request != idempotency.request;
    if (!duplicate) publications.push_back({team, std::move(type), std::move(body), std::move(idempotency)});
    lock.unlock();
    if (reused) return done(fail(ErrorCode::idempotency_key_reused, "another request has this key"));
    done(api::Published{EventId{"evt_00000000000000000000000001"}, duplicate});
  }

  Result<std::pair<api::KeyInfo, std::string>> make_key(const std::string&, const std::string&) override { return fail(ErrorCode::not_supported, "not here"); }
  std::vector<api::KeyInfo> keys() override { return {}; }
  Result<> revoke_key(std::string_view) override { return fail(ErrorCode::not_supported, "not here"); }

 private:
  Result<api::EndpointInfo*> find(const std::optional<std::string>& team, std::string_view id) {
    if (failure) return fail(*failure);
    for (auto& one : all) {
      if (one.id == id && one.team == team) return &one;
    }
    return fail(ErrorCode::not_found, "Webhook not found");
  }
  void apply(const api::EndpointWishes& wishes, api::EndpointInfo& to) {
    last_wishes = wishes;
    if (wishes.name) to.name = *wishes.name;
    if (wishes.url) to.url = *wishes.url;
    if (wishes.events) to.events = *wishes.events;
    if (wishes.secret) to.has_secret = !wishes.secret->empty();
    if (wishes.active) to.active = *wishes.active;
    if (wishes.signing) to.signing = *wishes.signing;
    if (wishes.profile) to.profile = *wishes.profile;
    if (wishes.retry) to.retry = *wishes.retry;
    if (wishes.timeout) to.timeout = *wishes.timeout;
    if (wishes.concurrency) to.concurrency = *wishes.concurrency;
    if (wishes.rate) to.rate = *wishes.rate;
    if (wishes.headers) {
      to.headers.clear();
      for (const auto& [name, value] : *wishes.headers) to.headers.push_back(name);
    }
  }

  std::mutex mutex_;
};

}  // namespace hookhost::test
