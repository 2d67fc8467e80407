// kill -9 under load with 50 endpoints of two teams, again and again: each event that was answered reaches every endpoint that it matches, and
// only what was in flight at a kill comes again.
#include <filesystem>

#include "base/pattern.h"
#include "state/delivery_store.h"
#include "support/http_receiver.h"
#include "system/kill_rounds.h"

namespace hookhost::test {
namespace {

constexpr std::size_t kOfALifeMax = 1000;
constexpr std::size_t kEndpoints = 50, kThroughV1 = 10;
constexpr const char* kTeams[] = {"team_a", "team_b"};
constexpr const char* kTypes[] = {"linkedin.message.received", "linkedin.message.sent", "linkedin.invitation.sent", "prospect.unqualified"};

constexpr Failpoint kFailpoints[] = {{"event_log.before_write", 20},      {"state.before_commit", 60}, {"event_log.after_sync", 20},
                                     {"event_log.roll_renamed", 1},       {"state.after_commit", 60},  {"event_log.recovery_sealed", 1},
                                     {"event_log.recovery_rewritten", 1}};

struct Event {
  std::int64_t offset = 0;
  std::string type, team, body, lane;  // lane: what is in order
};

struct Asked {
  const char* pattern;
  bool (*wants)(const Event& event);
};
constexpr Asked kAsked[] = {
    {"*", [](const Event&) { return true; }},
    {"linkedin.message.*", [](const Event& event) { return event.type.starts_with("linkedin.message."); }},
    {"linkedin.message.received", [](const Event& event) { return event.type == "linkedin.message.received"; }},
    {"linkedin.*", [](const Event& event) { return event.type.starts_with("linkedin."); }},
    {"@v1", [](const Event& event) { return event.lane.starts_with("v1 "); }},
    {"kakiyo:prospect.*", [](const Event& event) { return event.type.starts_with("prospect."); }}};
constexpr std::size_t kAskedThroughV1[] = {0, 2};  // /v1 knows `*` and whole types
constexpr const char* kSignings[] = {"both", "kakiyo", "both", "standard-webhooks", "none", "pass_through"};

// One endpoint and its receiver, which takes note of what it accepted in which life of the host.
class Taker {
 public:
  Taker(std::size_t number, const std::atomic<int>& life)
      : number_(number), life_(life), http_([this](const std::string& body) { return HttpReceiver::status(accept(body) ? 200 : 503); }) {}

  [[nodiscard]] std::string name() const { return "endpoint_" + std::to_string(number_); }
  [[nodiscard]] bool is_through_v1() const { return number_ < kThroughV1; }
  // Those of the file: of a team or of all.
  [[nodiscard]] const char* team() const { return is_through_v1() ? kTeams[number_ % 2] : number_ % 3 == 2 ? nullptr : kTeams[number_ % 3]; }
  [[nodiscard]] const Asked& asked() const {
    return is_through_v1() ? kAsked[kAskedThroughV1[number_ / 2 % std::size(kAskedThroughV1)]] : kAsked[number_ / 3 % std::size(kAsked)];
  }
  [[nodiscard]] std::size_t concurrency() const { return 1 + number_ % 8; }
  // What may come again after a kill: open requests and answers that were not committed (host/endpoints/README.md).
  [[nodiscard]] std::size_t in_flight_max() const { return concurrency() + std::max<std::size_t>(64, 8 * concurrency()); }
  // Every eighth attempt of some is refused, so that lanes are blocked when the host dies.
  [[nodiscard]] bool refuses_some() const { return !is_through_v1() && number_ % 10 == 9; }
  [[nodiscard]] bool wants(const Event& event) const { return asked().wants(event) && (team() == nullptr || event.team == team()); }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(http_.port()) + "/hook"; }

  [[nodiscard]] std::string yaml() const {
    std::string out = "{url: \"" + url() + "\", events: [\"" + asked().pattern + "\"], start_at: beginning, signing: " + kSignings[number_ % std::size(kSignings)] +
                      ", secrets: [\"endpoint-secret\"], concurrency: " + std::to_string(concurrency());
    if (team() != nullptr) out += std::string(", team: ") + team();
    if (refuses_some()) {
      out += ", retry: [1ms";
      for (int n = 0; n < 60; ++n) out += ", 5ms";
      out += "]";
    }
    return out + "}";
  }
  [[nodiscard]] json::object wishes() const {
    return {{"name", name()}, {"url", url()}, {"events", json::array{asked().pattern}}, {"secret", "endpoint-secret"}, {"concurrency", concurrency()}, {"since", "beginning"}};
  }

  // Everything that a dead host had sent has been read: whoever connected before us was let in before us, and reads to its end.
  void read_out() const {
    RawClient last(http_.port());
    last.send(post("", "", "/"));
    EXPECT_EQ(last.read_answer().status, 200);
    last.close();
    EXPECT_TRUE(poll_until([&] { return http_.is_quiet(); }));
  }
  // In order, with the number of the life.
  [[nodiscard]] std::vector<std::pair<std::string, int>> accepted() const {
    const std::scoped_lock lock(mutex_);
    return accepted_;
  }

 private:
  bool accept(const std::string& body) {
    if (body.empty()) return true;
    const std::scoped_lock lock(mutex_);
    if (refuses_some() && ++asked_times_ % 8 == 0) return false;
    accepted_.emplace_back(body, life_);
    return true;
  }

  const std::size_t number_;
  const std::atomic<int>& life_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, int>> accepted_;
  std::size_t asked_times_ = 0;
  HttpReceiver http_;  // last: ends first
};

std::string event_of(std::mt19937_64& random, std::int64_t n, const std::string& team, const std::string& way) {
  const std::string chat = "chat_" + std::to_string(std::uniform_int_distribution<int>(1, 7)(random));
  json::object event = json::parse(message(chat, n, {{"way", way}, {"notes", std::string(1000, 'x')}})).as_object();
  event["teamId"] = team;
  event["event"] = kTypes[std::uniform_int_distribution<std::size_t>(0, std::size(kTypes) - 1)(random)];
  return json::serialize(event);
}

std::string key_of(const std::string& team) { return team + "_0123456789012345678901234567890123"; }

// POST /v1/events; whoever sends an event again names the same Idempotency-Key.
Provider::Way published(const std::string& team) {
  const auto connect = [team](std::uint16_t port) -> Provider::Send {
    return [client = std::make_shared<RawClient>(port), team](const std::string& body) -> Receipt {
      const auto n = json::parse(body).at("data").at("n").to_number<std::int64_t>();
      client->send(post(body, "Content-Type: application/json\r\nAuthorization: Bearer " + key_of(team) + "\r\nIdempotency-Key: event-" + std::to_string(n) + "\r\n", "/v1/events"));
      const RawAnswer answer = client->read_answer();
      if (answer.status == 0) return {};
      EXPECT_EQ(answer.status, 200) << answer.body;
      if (answer.status != 200) return {};
      const json::object receipt = json::parse(answer.body).as_object();
      return {std::string(receipt.at("id").as_string()), std::string(receipt.at("status").as_string())};
    };
  };
  return {.connect = connect, .body = [team](std::mt19937_64& random, std::int64_t n) { return event_of(random, n, team, "v1"); }};
}

class EndpointKillRounds : public KilledHost {
 protected:
  EndpointKillRounds() {
    for (std::size_t n = 0; n < kEndpoints; ++n) takers_.push_back(std::make_unique<Taker>(n, life_));
    host.sources["kakiyo"] = R"({scheme: kakiyo, secrets: ["system-test-secret"], duplicates: {by: body, window: 1h}, team: from_payload})";
    host.event_log = "{segment_bytes: 64KiB, disk_free_min: 1MiB}";  // so that lives roll, with the notes
    host.more = "api: {rate_limits: off}\nendpoint_defaults: {allow_http: true, allowed_networks: [\"127.0.0.0/8\"]}\nteams:\n";
    for (const char* team : kTeams) host.more += std::string("  ") + team + ": {api_keys: [\"" + key_of(team) + "\"]}\n";
    host.more += "endpoints:\n";
    for (const auto& taker : takers_) {
      if (!taker->is_through_v1()) host.more += "  " + taker->name() + ": " + taker->yaml() + "\n";
    }
  }

  void register_through_v1() {
    ASSERT_TRUE(host.start());
    for (const auto& taker : takers_) {
      ids_[taker.get()] = taker->name();
      if (!taker->is_through_v1()) continue;
      RawClient client = host.connect();
      client.send(post(json::serialize(taker->wishes()), "Content-Type: application/json\r\nAuthorization: Bearer " + key_of(taker->team()) + "\r\n", "/v1/webhooks"));
      const RawAnswer made = client.read_answer();
      ASSERT_EQ(made.status, 201) << made.body;
      ids_[taker.get()] = json::parse(made.body).at("id").as_string();
    }
    host.kill_9();
  }

  // What the life that just ended had committed as delivered, seen in a copy: the next life finds its files as the kill left them.
  void note_committed() {
    const TempDir copy;
    for (const char* file : {"delivery.db", "delivery.db-wal"}) {
      if (std::filesystem::exists(host.data_dir() + "/" + file)) std::filesystem::copy_file(host.data_dir() + "/" + file, copy / file);
    }
    const auto store = state::DeliveryStore::open(copy / "delivery.db");
    ASSERT_TRUE(store) << store.error().message;
    for (const auto& [taker, id] : ids_) {
      const auto attempts = store.value()->attempts(SubscriberId{id}, {.limit = kOfALifeMax});
      ASSERT_TRUE(attempts) << attempts.error().message;
      std::size_t known = 0;
      for (const auto& one : attempts.value()) {
        if (one.outcome != "ok") continue;
        const auto [at, is_new] = committed_in_.emplace(std::pair(id, static_cast<std::int64_t>(one.offset.value)), life_.load());
        if (!is_new) ++known;
      }
      ASSERT_TRUE(attempts.value().size() < kOfALifeMax || known > 0) << "more than are looked at";
    }
  }

  // All that it was to get; nothing else; of one key for the first time in order; again only what was in flight at a kill.
  void got_all(const Taker& taker, const std::vector<Event>& events) {
    SCOPED_TRACE(taker.name() + " of " + (taker.team() == nullptr ? "all" : taker.team()) + ", " + taker.asked().pattern);
    std::map<std::string, const Event*> wanted;
    for (const auto& event : events) {
      if (taker.wants(event)) wanted[event.body] = &event;
    }
    std::map<std::string, int> last_life;
    std::map<std::string, std::int64_t> last_offset;
    std::map<int, std::size_t> again;  // by life
    for (const auto& [body, life] : taker.accepted()) {
      const auto found = wanted.find(body);
      ASSERT_NE(found, wanted.end()) << "it is not to get " << body;
      const Event& event = *found->second;
      const auto [before, is_first] = last_life.emplace(body, life);
      if (is_first) {
        const auto [last, is_first_of_lane] = last_offset.emplace(event.lane, event.offset);
        EXPECT_TRUE(is_first_of_lane || last->second < event.offset) << event.offset << " of " << event.lane << " came after " << last->second;
        last->second = event.offset;
        continue;
      }
      EXPECT_LT(before->second, life) << event.offset << " came twice in one life";
      before->second = life;
      const auto committed = committed_in_.find(std::pair(ids_[&taker], event.offset));
      EXPECT_TRUE(committed == committed_in_.end() || committed->second >= life) << event.offset << " came again in life " << life << ", committed in " << committed->second;
      ++again[life];
      ++again_;
    }
    for (const auto& [life, count] : again) {
      EXPECT_LE(count, taker.in_flight_max()) << "came again in life " << life;
      again_most_ = std::max(again_most_, count);
    }
    for (const auto& [body, event] : wanted) EXPECT_TRUE(last_life.contains(body)) << "it never got " << event->offset;
    deliveries_ += last_life.size();
  }

  std::vector<Event> events() {
    std::vector<Event> out;
    for (const auto& event : host.events()) {
      const auto text = [&](const char* member) { return std::string(event.at(member).as_string()); };
      out.push_back({event.at("offset").to_number<std::int64_t>(), text("type"), text("team"), text("body"), text("source") + " " + text("team") + " " + text("key")});
    }
    return out;
  }

  std::atomic<int> life_ = 0;
  std::vector<std::unique_ptr<Taker>> takers_;
  std::map<const Taker*, std::string> ids_;  // the subscribers' names
  std::map<std::pair<std::string, std::int64_t>, int> committed_in_;  // subscriber and offset: the life
  std::size_t deliveries_ = 0, again_ = 0, again_most_ = 0;           // without repetitions; repetitions, and the most of one endpoint after one kill
};

TEST_F(EndpointKillRounds, WhatWasAnsweredReachesEveryEndpointThatItMatchesAndOnlyWhatWasInFlightComesAgain) {
  random_.seed(seed());
  failpoint_life_ = std::chrono::milliseconds{400};
  const int rounds = quick() ? 10 : 100;
  const auto kakiyo = [](std::mt19937_64& random, std::int64_t n) { return event_of(random, n, kTeams[n % 2], "in"); };
  Provider received(random_(), {.connect = send_to_source, .body = kakiyo}), ours(random_(), published(kTeams[0])), theirs(random_(), published(kTeams[1]));
  const std::vector<Provider*> providers{&received, &ours, &theirs};
  ASSERT_NO_FATAL_FAILURE(register_through_v1());
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    ++life_;
    ASSERT_NO_FATAL_FAILURE(live_and_die(providers, static_cast<std::size_t>(round), kFailpoints));
    for (const auto& taker : takers_) taker->read_out();
    ASSERT_NO_FATAL_FAILURE(note_committed());
  }
  ++life_;
  ASSERT_TRUE(host.start());
  for (Provider* provider : providers) ASSERT_NO_FATAL_FAILURE(provider->send_the_rest(host.public_port())) << host.diagnostics();
  for (const auto& taker : takers_) ASSERT_TRUE(host.catches_up(ids_[taker.get()], std::chrono::minutes{4}));

  ASSERT_NO_FATAL_FAILURE(is_in_the_log_once(providers, host.events()));
  const auto all = events();
  for (const auto& taker : takers_) got_all(*taker, all);
  std::size_t answered = 0;
  for (const Provider* provider : providers) answered += provider->answered().size();
  std::cout << rounds << " kills, " << answered << " events answered, " << deliveries_ << " deliveries, " << again_ << " of them again, at most "
            << again_most_ << " of one endpoint after one kill, " << fired_.size() << " of " << std::size(kFailpoints) << " failpoints fired" << std::endl;
  EXPECT_GT(answered, static_cast<std::size_t>(rounds));
  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
}

}  // namespace
}  // namespace hookhost::test
