// kill -9 under load, at random moments and at the named failpoints, again and again: what was answered is in the event log once, every plugin
// is handed it, and what the effectively-once plugins keep is what a host that was never killed would have made.
#include "support/tables.h"
#include "system/kill_rounds.h"

namespace hookhost::test {
namespace {

constexpr int kChats = 7;

constexpr Failpoint kFailpoints[] = {
    {"event_log.before_write", 20},      {"event_log.before_sync", 20},     {"event_log.after_sync", 20}, {"event_log.roll_sealed", 3},
    {"event_log.roll_before_rename", 4}, {"event_log.roll_renamed", 4},     {"state.before_commit", 20},  {"event_log.recovery_rewritten", 1},
    {"event_log.recovery_sealed", 1},    {"delivery.before_checkpoint", 9}, {"state.after_commit", 20},   {"delivery.after_checkpoint", 9}};

// Events do not come in the order in which they happened.
std::string any_message(std::mt19937_64& random, std::int64_t n) {
  const auto hour = std::uniform_int_distribution<int>(10, 23)(random), second = std::uniform_int_distribution<int>(10, 59)(random);
  const std::string happened = "2026-01-01T" + std::to_string(hour) + ":00:" + std::to_string(second) + "Z";
  return message("chat_" + std::to_string(std::uniform_int_distribution<int>(1, kChats)(random)), n, {{"timestamp", happened}});
}

class KillRounds : public KilledHost {
 protected:
  static void add_shipped(HostProcess& to, const std::string& start_at) {
    to.plugins["jsonl"] = "{library: \"" + paths::jsonl_export() + "\", start_at: " + start_at + ", config: {path: \"" + to.path("events.jsonl") + "\"}}";
    to.plugins["parts"] = "{library: \"" + paths::jsonl_export() + "\", start_at: " + start_at + ", config: {rotate_bytes: 50000, path: \"" + to.path("parts.jsonl") + "\"}}";
    to.plugins["crm"] = "{library: \"" + paths::prospect_crm() + "\", start_at: " + start_at + ", config: {path: \"" + to.path("crm.db") + "\"}}";
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
};

TEST_F(KillRounds, NothingAnsweredIsLostAndWhatPluginsKeepIsThatOfARunWithoutKills) {
  random_.seed(seed());
  const int rounds = quick() ? 10 : 50;
  Provider provider(random_(), {.connect = send_to_source, .body = any_message, .senders = 3});
  add_probe("serial", "", "counts: \"" + host.path("serial.counts") + "\"");
  add_probe("concurrent", "concurrency: 4, ", "counts: \"" + host.path("concurrent.counts") + "\"", "test_probe_concurrent");
  add_shipped(host, "now");
  host.event_log = "{segment_bytes: 64KiB, disk_free_min: 1MiB}";  // so that lives roll
  host.write_config();
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    ASSERT_NO_FATAL_FAILURE(live_and_die({&provider}, static_cast<std::size_t>(round), kFailpoints));
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
  ASSERT_NO_FATAL_FAILURE(is_in_the_log_once({&provider}, events));
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
