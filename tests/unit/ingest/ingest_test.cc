#include "ingest/ingest.h"

#include <gtest/gtest.h>

#include <future>

#include "ingest/describe.h"
#include "signing/sign.h"
#include "support/temp_dir.h"

namespace hookhost::ingest {
namespace {

class IngestTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    ingest_.reset();
    log_.reset();
    auto opened = event_log::EventLog::open(os::local_file_system(), {.directory = directory_ / "events", .disk_free_min = 0}, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(opened.value());
    ingest_ = std::make_unique<Ingest>(*log_, ids_, clock_);
    const auto config = config::parse(R"(
sources:
  kakiyo: {scheme: kakiyo, secrets: [s1]}
  pinned: {scheme: kakiyo, secrets: [s1], team: team_a}
  github: {scheme: github, secrets: [s1]}
  orders: {scheme: hmac, header: X-Sig, secrets: [s1], type: "header:X-Topic", key: /customer/id, id: "header:X-Id"}
  open: {unsigned: true}
)",
                                      "hookhost.yaml", {});
    ASSERT_TRUE(config) << config.error().message;
    ingest_->configure(config.value().sources);
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  Result<Accepted> send(const std::string& path, const std::string& body, Headers more = {}, const std::string& secret = "s1") {
    const auto sources = ingest_->sources();
    const Source* source = sources->find(path);
    if (source == nullptr) return fail(ErrorCode::unknown_source, path);
    Headers headers = signing::sign(source->scheme, secret, "id", clock_.wall(), body).value();
    headers.insert(headers.end(), more.begin(), more.end());
    std::vector<signing::HeaderView> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    std::promise<Result<Accepted>> promise;
    auto future = promise.get_future();
    ingest_->accept(*source, {views, "application/json", body, "req_1"}, [&](Result<Accepted> done) { promise.set_value(std::move(done)); });
    return future.get();
  }

  Result<Accepted> publish(const std::string& team, const std::string& key, const std::string& body = kPublished) {
    std::promise<Result<Accepted>> promise;
    auto future = promise.get_future();
    ingest_->publish({team, "linkedin.message.sent", body, key, key.empty() ? "" : signing::sha256(body), "req_1"}, [&](Result<Accepted> done) { promise.set_value(std::move(done)); });
    return future.get();
  }
  static constexpr const char* kPublished = R"({"event":"linkedin.message.sent","data":{"chatId":"chat_1"}})";

  event_log::Event last() {
    auto got = log_->reader().read(Offset{log_->durable_end().value - 1}, log_->durable_end(), {});
    return *got.value().events.at(0);
  }

  test::TempDir directory_;
  ManualClock clock_;
  EventIdGenerator ids_;
  std::unique_ptr<event_log::EventLog> log_;
  std::unique_ptr<Ingest> ingest_;
};

constexpr const char* kBody = R"({"event":"linkedin.message.received","teamId":"team_a","data":{"chatId":"chat_1","prospectId":"p_1"}})";

TEST_F(IngestTest, StoresWhatKakiyoSends) {
  const auto done = send("/in/kakiyo", kBody);
  ASSERT_TRUE(done) << done.error().message;
  const auto event = last();
  EXPECT_EQ(event.id, done.value().id);
  EXPECT_EQ(event.type, "linkedin.message.received");
  EXPECT_EQ(event.key, "chat_1");
  EXPECT_EQ(event.team, "team_a");
  EXPECT_EQ(event.body, kBody);
  EXPECT_TRUE(event.verified);
}

TEST_F(IngestTest, RefusesAWrongSecretAndCountsIt) {
  EXPECT_EQ(send("/in/kakiyo", kBody, {}, "other").error().code, ErrorCode::invalid_signature);
  EXPECT_EQ(log_->durable_end(), Offset{0});
  EXPECT_EQ(ingest_->sources()->find("/in/kakiyo")->state->counters.refused[2].load(), 1U);
}

TEST_F(IngestTest, ADuplicateHasTheFirstOnesIdAlsoAfterARestart) {
  const auto first = send("/in/kakiyo", kBody);
  const auto again = send("/in/kakiyo", kBody);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again.value().duplicate);
  EXPECT_EQ(again.value().id, first.value().id);
  open();
  ASSERT_TRUE(ingest_->rebuild_duplicates());
  EXPECT_EQ(send("/in/kakiyo", kBody).value().id, first.value().id);
  clock_.advance(std::chrono::minutes{2} + std::chrono::seconds{1});
  EXPECT_FALSE(send("/in/kakiyo", kBody).value().duplicate);
  EXPECT_EQ(log_->durable_end(), Offset{2});
}

TEST_F(IngestTest, GithubIsKnownByItsDeliveryId) {
  const Headers one{{"X-GitHub-Event", "pull_request"}, {"X-GitHub-Delivery", "d1"}};
  const std::string body = R"({"action":"opened","repository":{"full_name":"o/r"}})";
  ASSERT_TRUE(send("/in/github", body, one));
  EXPECT_EQ(last().type, "pull_request.opened");
  EXPECT_EQ(last().key, "o/r");
  EXPECT_TRUE(send("/in/github", body, one).value().duplicate);
  EXPECT_FALSE(send("/in/github", body, {{"X-GitHub-Event", "pull_request"}, {"X-GitHub-Delivery", "d2"}}).value().duplicate);
  EXPECT_EQ(send("/in/github", body, {{"X-GitHub-Delivery", "a"}, {"X-GitHub-Delivery", "b"}}).error().code, ErrorCode::invalid_request);
}

TEST_F(IngestTest, AGenericSourceUsesItsSelectors) {
  ASSERT_TRUE(send("/in/orders", R"({"customer":{"id":7}})", {{"X-Topic", "orders/create"}, {"X-Id", "9"}}));
  EXPECT_EQ(last().type, "orders/create");
  EXPECT_EQ(last().key, "7");
  EXPECT_EQ(last().provider, "orders");
}

TEST_F(IngestTest, APinnedTeamRefusesAnother) {
  EXPECT_TRUE(send("/in/pinned", kBody));
  EXPECT_EQ(send("/in/pinned", R"({"event":"x","teamId":"team_b"})").error().code, ErrorCode::team_mismatch);
  ASSERT_TRUE(send("/in/pinned", R"({"event":"x"})"));
  EXPECT_EQ(last().team, "team_a");
}

TEST_F(IngestTest, KeepsWhatItCannotParseAndLetsNobodyPoseAsTheHost) {
  for (const char* body : {"not json", "", "[1]", R"({"event":"hookhost.subscriber.stopped"})", R"({"event":7e99})"}) {
    ASSERT_TRUE(send("/in/kakiyo", body)) << body;
    EXPECT_EQ(last().type, "hookhost.unparsable") << body;
    EXPECT_EQ(last().body, body);
  }
}

TEST_F(IngestTest, AnUnsignedSourceIsMarked) {
  ASSERT_TRUE(send("/in/open", R"({"type":"ping"})"));
  EXPECT_FALSE(last().verified);
  EXPECT_EQ(last().type, "ping");
}

TEST_F(IngestTest, StoresWhatATeamPublishes) {
  const auto done = publish("team_a", "order 7");
  ASSERT_TRUE(done) << done.error().message;
  const auto event = last();
  EXPECT_EQ(event.id, done.value().id);
  EXPECT_EQ(event.source, "v1");
  EXPECT_EQ(event.provider, "kakiyo");
  EXPECT_EQ(event.type, "linkedin.message.sent");
  EXPECT_EQ(event.team, "team_a");
  EXPECT_EQ(event.key, "chat_1");
  EXPECT_EQ(event.body, kPublished);
  EXPECT_TRUE(event.verified);
  const event_log::Header kept{"Idempotency-Key", "order 7"};
  EXPECT_EQ(event.headers.back(), kept);
}

TEST_F(IngestTest, APublishedDuplicateIsKnownByItsKeyForADayOverARestartAndApartPerTeam) {
  const auto first = publish("team_a", "k");
  ASSERT_TRUE(first);
  EXPECT_FALSE(publish("team_b", "k").value().duplicate);
  EXPECT_FALSE(publish("team_ak", "").value().duplicate);
  EXPECT_FALSE(publish("team_a", "").value().duplicate);
  EXPECT_FALSE(publish("team_a", "").value().duplicate);  // without a key nothing is a duplicate
  EXPECT_EQ(log_->durable_end(), Offset{5});
  open();
  ASSERT_TRUE(ingest_->rebuild_duplicates());
  const auto again = publish("team_a", "k");
  EXPECT_TRUE(again.value().duplicate);
  EXPECT_EQ(again.value().id, first.value().id);
  EXPECT_EQ(log_->durable_end(), Offset{5});
  EXPECT_EQ(publish("team_a", "k", "{}").error().code, ErrorCode::idempotency_key_reused);
  EXPECT_EQ(log_->durable_end(), Offset{5});
  EXPECT_EQ(ingest_->published().state->counters.duplicates.load(), 1U);
  clock_.advance(std::chrono::hours{24} + std::chrono::seconds{1});
  EXPECT_FALSE(publish("team_a", "k").value().duplicate);
}

TEST(Duplicates, FollowersShareTheFateOfTheFirst) {
  DuplicatesWindow window({});
  const DuplicatesWindow::Mark mark{{1}};
  const EventId id{"evt_00000000000000000000000001"};
  EventId known;
  int failed = 0, done = 0;
  ASSERT_EQ(window.claim(mark, id, WallTime{}, known, {}), DuplicatesWindow::Claim::first);
  ASSERT_EQ(window.claim(mark, id, WallTime{}, known, [&](Result<EventId> r) { failed += r ? 0 : 1; }), DuplicatesWindow::Claim::follows);
  window.settle(mark.digest, fail(ErrorCode::poisoned, "no"));
  EXPECT_EQ(failed, 1);
  ASSERT_EQ(window.claim(mark, id, WallTime{}, known, {}), DuplicatesWindow::Claim::first);
  ASSERT_EQ(window.claim(mark, id, WallTime{}, known, [&](Result<EventId> r) { done += r ? 1 : 0; }), DuplicatesWindow::Claim::follows);
  window.settle(mark.digest, id);
  EXPECT_EQ(done, 1);
  ASSERT_EQ(window.claim(mark, id, WallTime{}, known, {}), DuplicatesWindow::Claim::known);
  EXPECT_EQ(known, id);
}

TEST(Duplicates, IsBounded) {
  DuplicatesWindow window({.entries_max = 10});
  EventId known;
  for (char i = 0; i < 50; ++i) {
    const DuplicatesWindow::Digest digest{i, 1};
    ASSERT_EQ(window.claim({digest}, EventId{"evt_00000000000000000000000001"}, WallTime{}, known, {}), DuplicatesWindow::Claim::first);
    window.settle(digest, EventId{"evt_00000000000000000000000001"});
  }
  EXPECT_LE(window.size(), 11U);
}

}  // namespace
}  // namespace hookhost::ingest
