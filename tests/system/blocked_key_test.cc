// A key that is blocked for long beside a million events of other keys, in a real host that is killed in the middle.
#include <numeric>

#include "base/event_id.h"
#include "event_log/event_log.h"
#include "system/journal.h"

namespace hookhost::test {
namespace {

constexpr const char* kBlocked = "blocked";
constexpr std::uint64_t kBlockedOneIn = 101, kKeys = 97;
constexpr std::uint64_t kOthers = 1'000'000, kOthersQuick = 100'000;
constexpr std::uint64_t kInFlightMax = 50'000;  // of the appends; the queue takes 65,536
// What the host may have more than when it began: windows, what is not committed, kv of a batch; never the backlog, which is 30 times that.
#ifdef __SANITIZE_THREAD__
constexpr std::uint64_t kGrowthMax = 4 * 64ULL << 20;  // with the shadow that the sanitizer keeps of it
#else
constexpr std::uint64_t kGrowthMax = 64ULL << 20;
#endif
// Outcomes that wait for their commit, at most (host/delivery: four times commit_outcomes_max), and what is out besides.
constexpr std::uint64_t kUncommittedMax = 4 * 4'096 + 1'024;

class BlockedKey : public SystemTest {
 protected:
  // One mark an event; written by the plugin and read here, whatever becomes of the host.
  using Marks = std::string;
  [[nodiscard]] Marks marks() const { return contents(host.path("marks")); }

  static bool is_blocked(std::uint64_t offset) { return offset % kBlockedOneIn == 0; }
  static std::string key_of(std::uint64_t offset) { return is_blocked(offset) ? kBlocked : "key_" + std::to_string(offset % kKeys); }

  // As intake would, without sockets: many appends under way, each in the event log for good before this returns.
  void fill_the_event_log() {
    std::filesystem::create_directory(host.data_dir());
    auto log = event_log::EventLog::open(os::local_file_system(), {.directory = host.data_dir() + "/events", .segment_bytes = 16 << 20, .disk_free_min = 0}, system_clock());
    ASSERT_TRUE(log) << log.error().text();
    EventIdGenerator ids;
    std::atomic<std::uint64_t> answered{0}, refused{0};
    event_log::Event event;
    event.source = event.provider = "kakiyo";
    event.type = "linkedin.message.received";
    event.team = "team_1";
    event.verified = true;
    event.body = "{}";
    for (std::uint64_t offset = 0; offset < events_; ++offset) {
      ASSERT_TRUE(poll_until([&] { return offset - answered < kInFlightMax; }));
      event.received_at = system_clock().wall();
      event.id = ids.next(event.received_at);
      event.key = key_of(offset);
      log.value()->append(event, [&, offset](const Result<Offset>& where) {
        if (!where || where.value() != Offset{offset}) ++refused;
        ++answered;
      });
    }
    ASSERT_TRUE(poll_until([&] { return answered == events_; }));
    ASSERT_EQ(refused, 0U);
    log.value()->close();
  }

  ::testing::AssertionResult start(const std::vector<std::string>& arguments = {}) {
    std::filesystem::remove(host.path("counts"));
    const char* options = std::getenv("ASAN_OPTIONS");
    // Freed memory that the sanitizer keeps back is none of the host's.
    auto started = host.start(arguments, {"ASAN_OPTIONS=" + (options == nullptr ? std::string() : std::string(options) + ":") + "quarantine_size_mb=4"});
    resident_at_start_ = resident_max_ = resident();
    return started;
  }
  [[nodiscard]] std::uint64_t resident() const {
    for (const auto& line : lines_of(contents("/proc/" + std::to_string(host.process().pid()) + "/status"))) {
      if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) * 1024;
    }
    return 0;
  }
  // Until so many events of the other keys are marked; memory is looked at all the while.
  ::testing::AssertionResult handles_of_others(std::uint64_t wanted) {
    std::uint64_t seen = 0;
    const bool all = poll_until([&] {
      resident_max_ = std::max(resident_max_, resident());
      const Marks now = marks();
      seen = 0;
      for (std::uint64_t offset = 0; offset < events_; ++offset) seen += now[offset] != 0 && !is_blocked(offset) ? 1 : 0;
      return seen >= wanted;
    }, std::chrono::minutes{5});
    if (all) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << seen << " of " << wanted << " " << json::serialize(host.subscriber("tally")) << "\n" << host.diagnostics();
  }
  void expect_bounded_memory(const std::string& when) {
    std::cout << when << ": " << (resident_at_start_ >> 20) << " MiB at the start, " << (resident_max_ >> 20) << " MiB at most" << std::endl;
    EXPECT_LE(resident_max_, resident_at_start_ + kGrowthMax) << when;
  }

  // What was committed in kv when the plugin started last: how many events of each key, and the last one's offset.
  struct Counted {
    std::uint64_t events = 0, last = 0;
  };
  [[nodiscard]] std::map<std::string, Counted> committed() const {
    EXPECT_TRUE(poll_until([&] { return std::filesystem::exists(host.path("counts")); }));
    std::map<std::string, Counted> out;
    for (const auto& line : lines_of(contents(host.path("counts")))) {
      std::istringstream in(line);
      std::string key;
      in >> key;
      in >> out[key].events >> out[key].last;
    }
    return out;
  }

  const std::uint64_t others_ = quick() ? kOthersQuick : kOthers;
  const std::uint64_t events_ = others_ / (kBlockedOneIn - 1) * kBlockedOneIn;
  std::uint64_t resident_at_start_ = 0, resident_max_ = 0;
};

TEST_F(BlockedKey, BesideAMillionOfOtherKeysHoldsUpNobodyNeedsNoMemoryAndAKillDoublesNothing) {
  ASSERT_NO_FATAL_FAILURE(fill_the_event_log());
  write_text(host.path("marks"), std::string(events_, '\0'));
  std::string often = "3s";
  for (int i = 1; i < 100; ++i) often += ", 3s";
  host.event_log = "{segment_bytes: 16MiB, disk_free_min: 1MiB}";
  host.plugins["tally"] = "{library: \"" + library("test_tally") + "\", start_at: beginning, concurrency: 2, retry: [" + often + "], config: {marks: \"" + host.path("marks") +
                          "\", counts: \"" + host.path("counts") + "\", refused: " + kBlocked + ", open: \"" + host.path("open") + "\"}}";

  ASSERT_TRUE(start({"--new-registry"}));
  ASSERT_TRUE(handles_of_others(others_ / 2));
  expect_bounded_memory("before the kill");
  host.kill_9();
  const Marks at_kill = marks();
  const auto handled_at_kill = static_cast<std::uint64_t>(std::count_if(at_kill.begin(), at_kill.end(), [](char mark) { return mark != 0; }));

  ASSERT_TRUE(start());
  const auto kept = committed();
  const auto committed_at_kill = std::accumulate(kept.begin(), kept.end(), std::uint64_t{0}, [](std::uint64_t sum, const auto& key) { return sum + key.second.events; });
  EXPECT_FALSE(kept.contains(kBlocked));
  ASSERT_TRUE(handles_of_others(others_));
  ASSERT_TRUE(poll_until([&] { return host.subscriber("tally").at("lag_events").to_number<std::uint64_t>() == 0; })) << "the position passes the blocked key";
  expect_bounded_memory("after it");
  const json::object blocked = host.subscriber("tally");
  EXPECT_EQ(blocked.at("blocked_keys").to_number<int>(), 1) << json::serialize(blocked);
  const Marks while_blocked = marks();
  for (std::uint64_t offset = 0; offset < events_; offset += kBlockedOneIn) ASSERT_EQ(while_blocked[offset], 0) << offset << " is of the blocked key";

  write_text(host.path("open"), "");
  ASSERT_TRUE(host.catches_up("tally"));
  resident_max_ = std::max(resident_max_, resident());
  expect_bounded_memory("after the blocked key's " + std::to_string(events_ - others_));

  // The effects: none is lost, and what came twice is exactly what the kill kept from being committed.
  std::uint64_t twice = 0;
  const Marks all = marks();
  for (std::uint64_t offset = 0; offset < events_; ++offset) {
    ASSERT_GE(all[offset], 1) << offset << " was lost";
    ASSERT_LE(all[offset], 2) << offset;
    twice += all[offset] == 2 ? 1 : 0;
  }
  std::cout << events_ << " events, killed at " << handled_at_kill << ", " << twice << " came twice" << std::endl;
  EXPECT_EQ(twice, handled_at_kill - committed_at_kill);
  EXPECT_LE(twice, kUncommittedMax);
  // kv: each event once, and in order, for the plugin rejects what does not come behind the last one of its key.
  EXPECT_EQ(host.subscriber("tally").at("dead_letters").to_number<int>(), 0);
  ASSERT_EQ(host.terminate(), 0) << host.diagnostics();
  ASSERT_TRUE(start());
  std::map<std::string, Counted> expected;
  for (std::uint64_t offset = 0; offset < events_; ++offset) {
    auto& [events, last] = expected[key_of(offset)];
    ++events;
    last = offset;
  }
  const auto counted = committed();
  ASSERT_EQ(counted.size(), expected.size());
  for (const auto& [key, in_kv] : counted) {
    EXPECT_EQ(in_kv.events, expected[key].events) << key;
    EXPECT_EQ(in_kv.last, expected[key].last) << key;
  }
}

}  // namespace
}  // namespace hookhost::test
