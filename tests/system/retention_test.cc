// What is too old or too much goes, but nothing that a subscriber still needs, in whatever state it is.
#include "system/journal.h"

namespace hookhost::test {
namespace {

class Retention : public SystemTest {
 protected:
  static constexpr std::uint64_t kEventsBefore = 12, kEventsAfter = 40;
  static constexpr std::size_t kBodyBytes = 60'000;  // one a segment

  void send(std::uint64_t events) {
    KakiyoSender sender(host.public_port());
    for (std::uint64_t i = 0; i < events; ++i) {
      const std::string body = message("chat_" + std::to_string(sent_ % 3), static_cast<std::int64_t>(sent_), {{"padding", std::string(kBodyBytes, 'p')}});
      ASSERT_FALSE(sender.send(body).empty()) << sender.last().status;
      ++sent_;
    }
  }
  // Waits until the log begins above that offset and is whole from there to what was sent last. One listing: retention goes on between two.
  bool begins_above(std::uint64_t offset) {
    return poll_until([&] {
      const auto events = host.events();
      if (events.empty()) return false;
      begin_ = events.front().at("offset").to_number<std::uint64_t>();
      return begin_ > offset && begin_ + events.size() == sent_;
    });
  }
  void restart() {
    ASSERT_EQ(host.terminate(), 0) << host.diagnostics();
    ASSERT_TRUE(host.start());
  }
  [[nodiscard]] std::uint64_t kept_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(host.data_dir() + "/events")) {
      if (entry.path().extension() == ".events") sum += entry.file_size();
    }
    return sum;
  }

  // A subscriber stands in the middle when the rule is met.
  void holds_what_is_needed(const std::string& rule) {
    host.event_log = "{segment_bytes: 64KiB, disk_free_min: 1MiB, retention: {" + rule + "}}";
    add_probe("reader");
    add_probe("late");
    ASSERT_TRUE(host.start());
    ASSERT_NO_FATAL_FAILURE(send(kEventsBefore));
    ASSERT_TRUE(host.catches_up("late"));
    ASSERT_EQ(host.run({"plugin", "pause", "late"}).status, 0);
    ASSERT_NO_FATAL_FAILURE(send(kEventsAfter));
    ASSERT_TRUE(host.catches_up("reader"));
    ASSERT_NO_FATAL_FAILURE(restart());
    ASSERT_TRUE(begins_above(0)) << host.diagnostics();
    EXPECT_LE(begin_, kEventsBefore) << "the paused subscriber needs the rest";

    ASSERT_EQ(host.run({"plugin", "resume", "late"}).status, 0);
    ASSERT_TRUE(host.catches_up("late"));
    EXPECT_EQ(ends(journal("late")).size(), sent_) << "nothing was taken from it";
    ASSERT_NO_FATAL_FAILURE(restart());
    ASSERT_TRUE(begins_above(kEventsBefore)) << host.diagnostics();
  }

  std::uint64_t sent_ = 0, begin_ = 0;
};

TEST_F(Retention, BySizeHoldsWhatASubscriberNeeds) {
  ASSERT_NO_FATAL_FAILURE(holds_what_is_needed("bytes: 1MiB"));
  EXPECT_LE(kept_bytes(), (1U << 20) + (128U << 10));
  EXPECT_GE(kept_bytes(), (1U << 20) - (128U << 10)) << "and no more is taken than must be";
}

TEST_F(Retention, ByAgeHoldsWhatASubscriberNeeds) { ASSERT_NO_FATAL_FAILURE(holds_what_is_needed("age: 1s")); }

}  // namespace
}  // namespace hookhost::test
