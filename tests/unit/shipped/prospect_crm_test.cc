// prospect_crm through the ABI: what the tables hold after events in every order, after every kind of restart, and when the disk is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <hookhost/testing.hpp>
#include <random>

#include "support/file_limit.h"
#include "support/poll.h"
#include "support/tables.h"
#include "support/temp_dir.h"

extern "C" const hookhost_plugin_entry* hookhost_plugin_entry_v1(void);

namespace hookhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Rows = std::multiset<std::string>;
using testing::Answer;
using testing::FakeHost;
using testing::TestEvent;

// One of Kakiyo's events of that minute; `more` are further members of data.
TestEvent event_at(const std::string& type, int minute, const std::string& more = R"("prospectId":"p1","chatId":"c1")") {
  TestEvent event;
  event.type = type;
  event.team = "team_1";
  const std::string time = "2026-01-01T10:" + std::string(minute < 10 ? "0" : "") + std::to_string(minute) + ":00Z";
  event.body = R"({"event":")" + type + R"(","data":{"timestamp":")" + time + "\"" + (more.empty() ? "" : ",") + more + "}}";
  return event;
}

class ProspectCrm : public ::testing::Test {
 protected:
  void SetUp() override {
    host.configure(R"({"path": "crm.db"})", directory.path());
    ASSERT_TRUE(host.start().ok());
  }
  void handle(TestEvent event) {
    const Answer answer = host.deliver(std::move(event));
    ASSERT_TRUE(answer.ok()) << answer.error;
  }
  void commit() { ASSERT_TRUE(host.commit().ok()); }
  [[nodiscard]] Rows rows(const std::string& query) const { return rows_of(directory / "crm.db", query); }
  [[nodiscard]] Rows prospects() const { return rows("SELECT prospect_id, state, last_type FROM prospects"); }
  [[nodiscard]] Rows messages() const { return rows("SELECT event_offset, direction, message FROM messages"); }
  [[nodiscard]] Rows token() const { return rows("SELECT token FROM hookhost_state"); }
  // Everything but the token.
  [[nodiscard]] std::vector<Rows> all() const {
    return {rows("SELECT * FROM prospects"), rows("SELECT * FROM chats"), rows("SELECT * FROM messages")};
  }

  TempDir directory;
  FakeHost host{hookhost_plugin_entry_v1(), "crm"};
};

TEST_F(ProspectCrm, EachKakiyoTypeIsAStateOfTheProspect) {
  const std::pair<const char*, const char*> states[] = {
      {"linkedin.invitation.sent", "invited"},      {"linkedin.invitation.accepted", "connected"},        {"linkedin.message.sent", "contacted"},
      {"linkedin.message.received", "replied"},     {"prospect.qualification.manual", "needs_review"}, {"prospect.unqualified", "unqualified"}};
  int minute = 0;
  for (const auto& [type, state] : states) {
    handle(event_at(type, minute++, R"("prospectId":"p1","chatId":"c1","message":"m")"));
    commit();
    EXPECT_THAT(prospects(), ElementsAre("p1|" + std::string(state) + "|" + type));
  }
  EXPECT_THAT(messages(), ElementsAre("2|out|m", "3|in|m"));
  EXPECT_THAT(rows("SELECT chat_id, prospect_id, team_id, last_message, last_direction FROM chats"), ElementsAre("c1|p1|team_1|m|in"));
  host.stop();
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(ProspectCrm, RowsAndTokenAppearInOneTransaction) {
  handle(event_at("linkedin.message.received", 1));
  EXPECT_THAT(prospects(), IsEmpty()) << "nothing is seen before the checkpoint";
  EXPECT_THAT(token(), ElementsAre("0"));
  commit();
  EXPECT_THAT(prospects(), ElementsAre("p1|replied|linkedin.message.received"));
  EXPECT_THAT(token(), ElementsAre("1"));
}

// Whose token it would move is another life's.
TEST_F(ProspectCrm, ATestChangesNeitherRowsNorToken) {
  handle(event_at("linkedin.message.received", 1));
  commit();
  const Rows before = token();
  FakeHost other{hookhost_plugin_entry_v1(), "crm"};
  other.configure(R"({"path": "crm.db"})", directory.path());
  ASSERT_TRUE(other.start_test().ok());
  TestEvent event = event_at("prospect.unqualified", 2);
  event.flags |= HOOKHOST_EVENT_TEST;
  EXPECT_EQ(other.deliver(event).status, HOOKHOST_IGNORED);
  EXPECT_TRUE(other.commit().ok());
  other.stop();
  EXPECT_EQ(token(), before);
  EXPECT_EQ(rows("SELECT state FROM prospects"), Rows{"replied"});
}

TEST_F(ProspectCrm, AnOlderEventNeverOverwritesANewer) {
  handle(event_at("linkedin.message.received", 30, R"("prospectId":"p1","chatId":"c1","message":"newer")"));
  handle(event_at("linkedin.invitation.sent", 5));
  handle(event_at("linkedin.message.sent", 20, R"("prospectId":"p1","chatId":"c1","message":"older")"));
  commit();
  EXPECT_THAT(prospects(), ElementsAre("p1|replied|linkedin.message.received"));
  EXPECT_THAT(rows("SELECT last_message, last_direction FROM chats"), ElementsAre("newer|in"));
  EXPECT_THAT(messages(), ElementsAre("0|in|newer", "2|out|older")) << "each message is kept";
}

TEST_F(ProspectCrm, OfOneMomentTheLaterInTheLogWins) {
  auto first = event_at("linkedin.message.sent", 1), second = event_at("linkedin.message.received", 1);
  first.offset = 7;
  second.offset = 8;
  handle(second);
  handle(first);
  commit();
  EXPECT_THAT(prospects(), ElementsAre("p1|replied|linkedin.message.received"));
}

TEST_F(ProspectCrm, EveryOrderAndEveryRepetitionGivesTheSameTables) {
  std::mt19937_64 random(seed());
  const char* types[] = {"linkedin.invitation.sent", "linkedin.invitation.accepted", "linkedin.message.sent", "linkedin.message.received",
                         "prospect.qualification.manual", "prospect.unqualified", "prospect.moved"};
  std::vector<TestEvent> events;
  for (std::uint64_t offset = 0; offset < 60; ++offset) {
    const std::string who = std::to_string(random() % 4);
    const std::string campaign = random() % 2 == 0 ? R"(,"campaignId":"of )" + who + "\"" : "";
    events.push_back(event_at(types[random() % 7], static_cast<int>(random() % 50),
                              R"("prospectId":"p)" + who + R"(","chatId":"c)" + who + R"(","message":"m)" + std::to_string(offset) + "\"" + campaign));
    events.back().offset = offset;
  }
  for (const auto& event : events) handle(event);
  commit();
  const auto expected = all();
  ASSERT_EQ(expected[0].size(), 4U);
  ASSERT_TRUE(host.reset().ok());
  EXPECT_THAT(prospects(), IsEmpty());
  std::shuffle(events.begin(), events.end(), random);
  for (int round = 0; round < 2; ++round) {  // a replay of everything over what is there
    for (const auto& event : events) handle(event);
    commit();
    EXPECT_EQ(all(), expected);
  }
}

TEST_F(ProspectCrm, WhatANewerEventLeavesOutIsKept) {
  handle(event_at("linkedin.message.sent", 1, R"("prospectId":"p1","chatId":"c1","campaignId":"k1","agentId":"a1","message":"hi")"));
  auto bare = event_at("linkedin.message.received", 2, R"("prospectId":"p1")");
  bare.team = "";
  handle(bare);
  commit();
  EXPECT_THAT(rows("SELECT team_id, campaign_id, agent_id, chat_id, state FROM prospects"), ElementsAre("team_1|k1|a1|c1|replied"));
}

TEST_F(ProspectCrm, UnknownTypesTellNoStateAndMalformedEventsAreIgnored) {
  handle(event_at("prospect.moved", 1));
  commit();
  EXPECT_THAT(prospects(), ElementsAre("p1|unknown|prospect.moved"));
  handle(event_at("linkedin.message.received", 2));
  handle(event_at("prospect.moved", 3));
  commit();
  EXPECT_THAT(prospects(), ElementsAre("p1|replied|prospect.moved"));
  const auto before = all();
  for (const std::string body : {"", "no JSON", "[]", "{}", R"({"data":7})", R"({"data":{"prospectId":7,"chatId":null}})", "{\"data\":{\"prospectId\":\"\xff\"}}"}) {
    TestEvent odd;
    odd.body = body;
    EXPECT_EQ(host.deliver(odd).status, HOOKHOST_IGNORED) << body;
  }
  commit();
  EXPECT_EQ(all(), before);
}

TEST_F(ProspectCrm, ATimeThatCannotBeReadIsTheTimeOfReceipt) {
  for (const char* time : {"yesterday", "2026-99-99T10:00:00Z", "", "2026-01-01T10:00:00"}) {
    TestEvent event;
    event.type = "linkedin.message.received";
    event.received_at = 1'800'000'000'000'000'000;
    event.body = std::string(R"({"data":{"prospectId":"p","timestamp":")") + time + "\"}}";
    handle(event);
    commit();
    EXPECT_THAT(rows("SELECT DISTINCT last_at_ns FROM prospects"), ElementsAre("1800000000000000000")) << time;
  }
}

// ---- Restarts -----------------------------------------------------------------------------------------------------------------------------

TEST_F(ProspectCrm, ACrashTakesBackWhatWasNotCommitted) {
  handle(event_at("linkedin.message.received", 1));
  commit();
  const auto committed = all();
  handle(event_at("prospect.unqualified", 2, R"("prospectId":"p2")"));
  ASSERT_TRUE(host.crash().ok());
  EXPECT_EQ(all(), committed);
  EXPECT_EQ(host.committed_token(), 1U);
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(ProspectCrm, OneStepAheadOfTheHostTheBatchCountsAsDone) {
  handle(event_at("linkedin.message.received", 1));
  ASSERT_TRUE(host.lose_commit().ok());
  EXPECT_EQ(host.committed_token(), 1U) << "the database has it";
  EXPECT_THAT(messages(), ElementsAre("0|in|null"));
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(ProspectCrm, BehindTheHostItRefusesToStartAndAResetRebuildsIt) {
  handle(event_at("linkedin.message.received", 1));
  commit();
  host.stop();
  for (const char* name : {"crm.db", "crm.db-wal", "crm.db-shm"}) std::filesystem::remove(directory / name);
  const Answer refused = host.start();
  EXPECT_EQ(refused.status, HOOKHOST_BAD_CONFIG);
  EXPECT_THAT(refused.error, HasSubstr("hookhost replay crm --from beginning --reset"));
  ASSERT_TRUE(host.reset().ok());
  handle(event_at("linkedin.message.received", 1));
  commit();
  EXPECT_THAT(prospects(), ElementsAre("p1|replied|linkedin.message.received"));
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(ProspectCrm, AResetEmptiesEverything) {
  handle(event_at("linkedin.message.received", 1));
  commit();
  ASSERT_TRUE(host.reset().ok());
  EXPECT_EQ(all(), (std::vector<Rows>{{}, {}, {}}));
  EXPECT_THAT(token(), ElementsAre("0"));
}

// ---- The disk -----------------------------------------------------------------------------------------------------------------------------

// SQLite takes the whole transaction back when a write fails while its cache is spilt: what was answered ok must not be confirmed then.
TEST_F(ProspectCrm, AFullDiskLosesNothingThatWasAnsweredOk) {
  const std::string text(1 << 20, 'x');
  int ok = 0;
  {
    const FileLimit limit(3 << 20);
    Answer answer;
    for (int i = 0; i < 20; ++i) {
      answer = host.deliver(event_at("linkedin.message.received", i, R"("prospectId":"p1","chatId":"c1","message":")" + text + "\""));
      if (!answer.ok()) break;
      ++ok;
    }
    EXPECT_EQ(answer.status, HOOKHOST_UNAVAILABLE) << answer.error;
    ASSERT_GT(ok, 0);
    EXPECT_FALSE(host.commit().ok()) << "refused: the " << ok << " are gone from the transaction";
    EXPECT_THAT(token(), ElementsAre("0"));
    EXPECT_EQ(host.committed_token(), 0U);
  }
  for (int i = 0; i <= ok; ++i) handle(event_at("linkedin.message.received", i));
  commit();
  EXPECT_EQ(messages().size(), static_cast<std::size_t>(ok) + 1);
  EXPECT_THAT(token(), ElementsAre(std::to_string(host.committed_token())));
}

TEST_F(ProspectCrm, ADatabaseIsReadableByItsOwnerAlone) {
  handle(event_at("linkedin.message.received", 1));
  commit();
  for (const char* name : {"crm.db", "crm.db-wal", "crm.db-shm"}) {
    struct stat facts {};
    ASSERT_EQ(::stat((directory / name).c_str(), &facts), 0) << name;
    EXPECT_EQ(facts.st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(ProspectCrm, APathThatCannotBeOpenedIsSaid) {
  host.stop();
  host.configure(R"({"path": "no/such/folder/crm.db"})", directory.path());
  const Answer answer = host.start();
  EXPECT_FALSE(answer.ok());
  EXPECT_THAT(answer.error, HasSubstr("cannot open the database"));
}

}  // namespace
}  // namespace hookhost::test
