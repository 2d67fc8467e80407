// kill -9 under load, at random moments and at the named failpoints, again and again: what was answered is in the event log once, every plugin
// is handed it, and what the effectively-once plugins keep is what a host that was never killed would have made.
#include <mutex>
#include <random>
#include <thread>

#include "support/tables.h"
#include "system/journal.h"

namespace hookhost::test {
namespace {

constexpr int kSenders = 3, kChats = 7;
constexpr std::uint64_t kAgainOneIn = 8;  // sends of what was answered before

// Where a life ends: at one of the first so many passes.
struct Failpoint {
  const char* name;
  std::uint64_t passes;
};
constexpr Failpoint kFailpoints[] = {
    {"event_log.before_write", 20},      {"event_log.before_sync", 20},     {"event_log.after_sync", 20}, {"event_log.roll_sealed", 3},
    {"event_log.roll_before_rename", 4}, {"event_log.roll_renamed", 4},     {"state.before_commit", 20},  {"event_log.recovery_rewritten", 1},
    {"event_log.recovery_sealed", 1},    {"delivery.before_checkpoint", 9}, {"state.after_commit", 20},   {"delivery.after_checkpoint", 9}};

// What a provider knows: which body was answered with which id, and what it still has to send again.
class Provider {
 public:
  explicit Provider(std::uint64_t seed) : random_(seed) {}

  // Sends until the host is gone; what was not answered comes again in the next round, as providers do.
  void send_until_gone(std::uint16_t port) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kSenders; ++i) {
      threads.emplace_back([this, port] {
        KakiyoSender sender(port);
        while (send_one(sender)) {
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  void send_the_rest(std::uint16_t port) {
    KakiyoSender sender(port);
    while (!unanswered_.empty()) ASSERT_TRUE(send_one(sender)) << sender.last().status << " " << sender.last().body;
  }
  [[nodiscard]] const std::map<std::string, std::string>& answered() const { return answered_; }  // id to body
  [[nodiscard]] int sent_again() const { return sent_again_; }

 private:
  bool send_one(KakiyoSender& sender) {
    if (const auto known = sometimes_answered()) return send_again(sender, known->first, known->second);
    const std::string body = next();
    const std::string id = sender.send(body);
    const std::scoped_lock lock(mutex_);
    if (id.empty()) {
      unanswered_.push_back(body);
      return false;
    }
    const auto [known, is_new] = answered_.emplace(id, body);
    EXPECT_TRUE(is_new || known->second == body) << "one id for two events: " << id;
    return true;
  }
  // As a provider that did not take note of the answer, perhaps of an earlier life.
  bool send_again(KakiyoSender& sender, const std::string& id, const std::string& body) {
    const std::string again = sender.send(body);
    if (again.empty()) return false;
    EXPECT_EQ(again, id) << "a duplicate is answered with the first one's id";
    EXPECT_EQ(json::parse(sender.last().body).at("status").as_string(), "duplicate");
    ++sent_again_;
    return true;
  }
  std::optional<std::pair<std::string, std::string>> sometimes_answered() {
    const std::scoped_lock lock(mutex_);
    if (answered_.empty() || std::uniform_int_distribution<std::uint64_t>(1, kAgainOneIn)(random_) > 1) return std::nullopt;
    // Ids begin with their time: any of them, old and new alike.
    auto it = answered_.begin();
    std::advance(it, std::uniform_int_distribution<std::size_t>(0, answered_.size() - 1)(random_));
    return *it;
  }
  std::string next() {
    const std::scoped_lock lock(mutex_);
    if (!unanswered_.empty()) {
      std::string body = unanswered_.back();
      unanswered_.pop_back();
      return body;
    }
    // Events do not come in the order in which they happened.
    const auto hour = std::uniform_int_distribution<int>(10, 23)(random_), second = std::uniform_int_distribution<int>(10, 59)(random_);
    const std::string happened = "2026-01-01T" + std::to_string(hour) + ":00:" + std::to_string(second) + "Z";
    return message("chat_" + std::to_string(std::uniform_int_distribution<int>(1, kChats)(random_)), ++made_, {{"timestamp", happened}});
  }

  std::mutex mutex_;
  std::mt19937_64 random_;
  std::int64_t made_ = 0;
  std::map<std::string, std::string> answered_;
  std::vector<std::string> unanswered_;
  std::atomic<int> sent_again_{0};
};

class KillRounds : public SystemTest {
 protected:
  static void add_shipped(HostProcess& to, const std::string& start_at) {
    to.plugins["jsonl"] = "{library: \"" JSONL_EXPORT "\", start_at: " + start_at + ", config: {path: \"" + to.path("events.jsonl") + "\"}}";
    to.plugins["parts"] = "{library: \"" JSONL_EXPORT "\", start_at: " + start_at + ", config: {rotate_bytes: 50000, path: \"" + to.path("parts.jsonl") + "\"}}";
    to.plugins["crm"] = "{library: \"" PROSPECT_CRM "\", start_at: " + start_at + ", config: {path: \"" + to.path("crm.db") + "\"}}";
  }

  // One life of the host, ended by SIGKILL: from outside after a random time, every other one from a failpoint.
  void live_and_die(Provider& provider, std::size_t round) {
    std::vector<std::string> environment;
    const Failpoint* failpoint = round % 2 == 0 ? nullptr : &kFailpoints[round / 2 % std::size(kFailpoints)];
    if (failpoint != nullptr) {
      environment.push_back("HOOKHOST_FAILPOINTS=" + std::string(failpoint->name) + "=kill@" + std::to_string(1 + pick(failpoint->passes)));
    }
    const auto life = std::chrono::milliseconds{failpoint != nullptr ? 3000 : 20 + pick(200)};
    ChildProcess& process = host.spawn({}, environment);
    ASSERT_TRUE(poll_until([&] { return process.ended() || host.is_ready(); })) << host.diagnostics();
    if (process.ended()) {
      note_fired(failpoint);
    } else {
      std::thread killer([&] {
        if (poll_until([&] { return process.ended().has_value(); }, life)) note_fired(failpoint);
        process.signal(SIGKILL);
      });
      provider.send_until_gone(host.public_port());
      killer.join();
    }
    ASSERT_EQ(process.wait(), 128 + SIGKILL) << host.diagnostics();
  }

  void note_fired(const Failpoint* failpoint) {
    ASSERT_NE(failpoint, nullptr) << "it ended by itself\n" << host.diagnostics();
    fired_.insert(failpoint->name);
  }

  void is_in_the_log_once(const Provider& provider, const std::vector<json::object>& events) {
    std::map<std::string, std::string> logged;
    std::set<std::string> bodies;
    std::int64_t expected = 0;
    for (const auto& event : events) {
      EXPECT_EQ(event.at("offset").to_number<std::int64_t>(), expected++) << "offsets are dense";
      const std::string id(event.at("id").as_string()), body(event.at("body").as_string());
      EXPECT_TRUE(logged.emplace(id, body).second) << id << " is in the event log twice";
      EXPECT_TRUE(bodies.insert(body).second) << "a webhook that was sent again is in the event log twice";
    }
    for (const auto& [id, body] : provider.answered()) {
      ASSERT_TRUE(logged.contains(id)) << id << " was answered and is missing";
      EXPECT_EQ(logged[id], body);
    }
  }

  // At least once, and each key's events for the first time in order.
  void was_handed_all(const std::string& name, std::size_t events) {
    std::map<std::string, std::uint64_t> last;
    std::set<std::uint64_t> seen;
    for (const auto& line : journal(name)) {
      if (line.is_begin || !seen.insert(line.offset).second) continue;
      const auto before = last.find(line.key);
      EXPECT_TRUE(before == last.end() || before->second < line.offset) << name << " was handed " << line.offset << " of " << line.key << " late";
      last[line.key] = line.offset;
    }
    for (std::uint64_t offset = 0; offset < events; ++offset) EXPECT_TRUE(seen.contains(offset)) << name << " was never handed offset " << offset;
  }

  // How many parts the rotated export has, and all of them together.
  static std::pair<int, std::string> in_parts(const HostProcess& of) {
    std::pair<int, std::string> out{1, contents(of.path("parts.jsonl"))};
    for (std::string next; !(next = contents(of.path("parts.jsonl." + std::to_string(out.first)))).empty(); ++out.first) out.second += next;
    return out;
  }

  [[nodiscard]] std::uint64_t pick(std::uint64_t below) { return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_); }

  std::mt19937_64 random_;
  std::set<std::string> fired_;
};

TEST_F(KillRounds, NothingAnsweredIsLostAndWhatPluginsKeepIsThatOfARunWithoutKills) {
  random_.seed(seed());
  const int rounds = quick() ? 10 : 50;
  Provider provider(random_());
  add_probe("serial", "", "counts: \"" + host.path("serial.counts") + "\"");
  add_probe("concurrent", "concurrency: 4, ", "counts: \"" + host.path("concurrent.counts") + "\"", "test_probe_concurrent");
  add_shipped(host, "now");
  host.event_log = "{segment_bytes: 64KiB, disk_free_min: 1MiB}";  // so that lives roll
  host.write_config();
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    ASSERT_NO_FATAL_FAILURE(live_and_die(provider, static_cast<std::size_t>(round)));
  }
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(provider.send_the_rest(host.public_port())) << host.diagnostics();
  for (const char* name : {"serial", "concurrent", "jsonl", "parts", "crm"}) ASSERT_TRUE(host.catches_up(name));

  const auto events = host.events();
  std::cout << rounds << " kills, " << provider.answered().size() << " events answered, " << events.size() << " in the event log, " << provider.sent_again()
            << " sent again, " << fired_.size() << " of " << std::size(kFailpoints) << " failpoints fired" << std::endl;
  EXPECT_GT(provider.sent_again(), 0);
  if (!quick()) {
    EXPECT_GE(fired_.size() + 2, std::size(kFailpoints)) << testing::PrintToString(fired_);
  }
  ASSERT_GT(provider.answered().size(), static_cast<std::size_t>(rounds));
  ASSERT_NO_FATAL_FAILURE(is_in_the_log_once(provider, events));
  was_handed_all("serial", events.size());
  was_handed_all("concurrent", events.size());

  // A probe writes down at its start what is committed in kv.
  ASSERT_EQ(host.terminate(), 0) << host.diagnostics();
  for (const char* name : {"serial.counts", "concurrent.counts"}) std::filesystem::remove(host.path(name));
  ASSERT_TRUE(host.start());
  for (const char* name : {"serial.counts", "concurrent.counts"}) {
    ASSERT_TRUE(poll_until([&] { return !counts(host.path(name)).empty(); }));
    const auto counted = counts(host.path(name));
    EXPECT_EQ(counted.size(), events.size()) << name;
    for (const auto& [id, times] : counted) EXPECT_EQ(times, 1) << name << ": " << id;
    for (const auto& event : events) {
      EXPECT_TRUE(counted.contains(std::string(event.at("id").as_string()))) << name << " did not count offset " << event.at("offset").to_number<std::uint64_t>();
    }
  }
  ASSERT_EQ(host.terminate(), 0) << host.diagnostics();

  // The same event log, handled by a host that lives in peace.
  HostProcess calm;
  add_shipped(calm, "beginning");
  std::filesystem::create_directory(calm.data_dir());
  std::filesystem::copy(host.data_dir() + "/events", calm.data_dir() + "/events");
  std::filesystem::copy(host.data_dir() + "/registry.db", calm.data_dir() + "/registry.db");
  ASSERT_TRUE(calm.start());
  for (const char* name : {"jsonl", "parts", "crm"}) ASSERT_TRUE(calm.catches_up(name));
  ASSERT_EQ(calm.terminate(), 0) << calm.diagnostics();
  EXPECT_EQ(lines_of(contents(calm.path("events.jsonl"))).size(), events.size());
  EXPECT_TRUE(contents(host.path("events.jsonl")) == contents(calm.path("events.jsonl"))) << "jsonl_export's file differs";
  EXPECT_GT(in_parts(calm).first, 1);
  EXPECT_TRUE(in_parts(host) == in_parts(calm)) << "jsonl_export's parts differ";
  EXPECT_TRUE(in_parts(host).second == contents(host.path("events.jsonl"))) << "the parts are not the whole";
  for (const char* table : {"prospects", "chats", "messages"}) {
    const auto rows = rows_of(calm.path("crm.db"), std::string("SELECT * FROM ") + table);
    EXPECT_FALSE(rows.empty()) << table;
    EXPECT_EQ(rows_of(host.path("crm.db"), std::string("SELECT * FROM ") + table), rows) << table;
  }
}

}  // namespace
}  // namespace hookhost::test
