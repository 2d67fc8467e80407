// `hookhost dead-letters` on events that really became dead letters: what each filter means, what is retried is handled once, and what is
// discarded leaves nothing.
#include <gmock/gmock.h>

#include "support/tables.h"
#include "system/command_line.h"

namespace hookhost::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class DeadLetters : public CommandTest {
 protected:
  using Names = std::multiset<std::string>;

  // One event is rejected, one exhausted, one good, and a push of GitHub, which "second" gets too, exhausted. The host's own events come
  // between them, so they are known by their ids.
  void SetUp() override {
    add_probe("first", "retry: [1ms], ");
    add_probe("second", "retry: [1ms], events: [\"github:*\"], ");
    ASSERT_TRUE(host.start());
    names_[send("chat_1", {{"do", "reject"}})] = "rejected";
    names_[send("chat_1", {{"do", "throw"}})] = "exhausted";
    names_[send("chat_2")] = "good";
    ASSERT_EQ(host.run({"send", "github", "push", "--data", R"({"data":{"do":"throw"}})"}).status, 0);
    for (const auto& event : host.events()) {
      if (text(event, "type") == "push") names_[text(event, "id")] = "push";
    }
    ASSERT_TRUE(become({"first rejected", "first exhausted", "first push", "second push"}));
  }
  Ran asked(const std::string& verb, const std::vector<std::string>& filters) {
    std::vector<std::string> line{"dead-letters", verb, "--json"};
    line.insert(line.end(), filters.begin(), filters.end());
    return host.run(line);
  }
  Names letters(const std::vector<std::string>& filters = {}) {
    Names out;
    for (const auto& letter : asked("list", filters).objects()) out.insert(text(letter, "subscriber") + " " + names_.at(text(letter, "id")));
    return out;
  }
  testing::AssertionResult become(const Names& expected) {
    if (poll_until([&] { return letters() == expected; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << host.run({"dead-letters", "list"}) << host.diagnostics();
  }
  std::string offset_of(const std::string& name) {
    for (const auto& event : host.events()) {
      const auto known = names_.find(text(event, "id"));
      if (known != names_.end() && known->second == name) return text(event, "offset");
    }
    return "(none)";
  }
  // How often each ended with that outcome.
  std::map<std::string, int> handled(const std::string& subscriber, const std::string& outcome = "0") {
    std::map<std::string, int> out;
    for (const auto& line : journal(subscriber)) {
      if (!line.is_begin && line.outcome == outcome) ++out[names_.at(line.id)];
    }
    return out;
  }
  void repair() {
    for (const char* name : {"first", "second"}) set_mode(name, "repaired");
  }

 private:
  std::map<std::string, std::string> names_;  // of the events, by id
};

TEST_F(DeadLetters, EachSaysWhyAndFiltersMeanWhatTheySay) {
  std::map<std::string, std::string> reasons;
  for (const auto& letter : asked("list", {"--subscriber", "first"}).objects()) reasons[text(letter, "reason")] = text(letter, "last_error");
  EXPECT_THAT(reasons, UnorderedElementsAre(Pair("rejected", "told to reject"), Pair("exhausted", "told to throw")));
  EXPECT_THAT(letters({"--subscriber", "second"}), ElementsAre("second push"));
  EXPECT_THAT(letters({"--type", "push"}), ElementsAre("first push", "second push"));
  EXPECT_THAT(letters({"--type", "kakiyo:*"}), ElementsAre("first exhausted", "first rejected"));
  EXPECT_THAT(letters({"--type", "push", "--subscriber", "first"}), ElementsAre("first push"));
  EXPECT_THAT(letters({"--since", "2020-01-01"}), SizeIs(4));
  EXPECT_THAT(letters({"--since", offset_of("push")}), SizeIs(2)) << "from that event on";
  EXPECT_THAT(letters({"--since", "now"}), IsEmpty());
  EXPECT_EQ(asked("list", {"--subscriber", "nobody"}).status, 3);
  EXPECT_EQ(asked("list", {"--type", "a*b"}).status, 2);
  EXPECT_EQ(asked("show", {"first", offset_of("rejected")}).status, 0);
  EXPECT_EQ(asked("show", {"second", offset_of("rejected")}).status, 3);
}

TEST_F(DeadLetters, RetriedOnesAreHandledOnceAndOnlyThoseThatAreMeant) {
  repair();
  EXPECT_EQ(asked("retry", {"--type", "linkedin.*"}).status, 2) << "two are meant";
  const Ran one_type = asked("retry", {"--type", "linkedin.*", "--since", "1h", "--all"});
  ASSERT_EQ(one_type.status, 0) << one_type;
  EXPECT_EQ(text(one_type.objects().at(0), "count"), "2");
  ASSERT_TRUE(become({"first push", "second push"}));
  EXPECT_THAT(handled("first"), UnorderedElementsAre(Pair("rejected", 1), Pair("exhausted", 1), Pair("good", 1)));
  EXPECT_EQ(asked("retry", {"--subscriber", "second"}).status, 0) << "one is meant";
  ASSERT_TRUE(become({"first push"}));
  EXPECT_EQ(asked("retry", {"--all"}).status, 0);
  ASSERT_TRUE(become({}));
  EXPECT_EQ(asked("retry", {"--all"}).status, 3) << "none is left";
  host.kill_9();
  ASSERT_TRUE(host.start());
  for (const char* name : {"first", "second"}) ASSERT_TRUE(host.catches_up(name));
  EXPECT_THAT(letters(), IsEmpty());
  EXPECT_THAT(handled("first"), UnorderedElementsAre(Pair("rejected", 1), Pair("exhausted", 1), Pair("good", 1), Pair("push", 1)));
  EXPECT_THAT(handled("second"), ElementsAre(Pair("push", 1)));
}

TEST_F(DeadLetters, OneThatFailsAgainIsADeadLetterAgain) {
  const int before = handled("first", "threw").at("exhausted");
  ASSERT_EQ(asked("retry", {"--subscriber", "first", "--offset", offset_of("exhausted")}).status, 0);
  EXPECT_TRUE(poll_until([&] { return handled("first", "threw").at("exhausted") == 2 * before; })) << "with fresh attempts";
  EXPECT_TRUE(become({"first rejected", "first exhausted", "first push", "second push"})) << "and stands there once";
}

TEST_F(DeadLetters, WhatIsDiscardedLeavesNothing) {
  EXPECT_EQ(asked("discard", {}).status, 2) << "which?";
  EXPECT_EQ(asked("discard", {"--subscriber", "first", "--offset", offset_of("rejected")}).status, 0);
  EXPECT_THAT(letters(), ElementsAre("first exhausted", "first push", "second push"));
  EXPECT_EQ(text(asked("discard", {"--all"}).objects().at(0), "count"), "3");
  EXPECT_THAT(letters(), IsEmpty());
  EXPECT_EQ(asked("show", {"first", offset_of("rejected")}).status, 3);
  repair();
  ASSERT_EQ(host.terminate(), 0);
  EXPECT_THAT(rows_of(host.data_dir() + "/delivery.db", "SELECT * FROM parked"), IsEmpty());
  ASSERT_TRUE(host.start());
  for (const char* name : {"first", "second"}) {
    ASSERT_TRUE(host.catches_up(name));
    EXPECT_EQ(text(host.subscriber(name), "dead_letters"), "0");
  }
  EXPECT_THAT(handled("first"), ElementsAre(Pair("good", 1))) << "nor does a restart bring it back";
  EXPECT_THAT(handled("second"), IsEmpty());
}

}  // namespace
}  // namespace hookhost::test
