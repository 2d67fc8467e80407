// Endpoints of a real host: those of the YAML file and what becomes of their deliveries.
#include <gmock/gmock.h>

#include "system/v1_fixture.h"

namespace hookhost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Endpoints : public EndpointTest {};

TEST_F(Endpoints, OfTheFileGetSignedPostsOfTheBytesThatCame) {
  Receiver receiver;
  add_endpoint("crm", receiver.url(), ", events: [\"linkedin.message.*\"], secrets: [\"endpoint-test-secret\"], headers: {X-Token: mine}");
  ASSERT_TRUE(host.start());
  const std::string body = message("chat_1", 1);
  const std::string id = KakiyoSender(host.public_port()).send(body);
  ASSERT_TRUE(reaches(receiver, 1));
  EXPECT_EQ(receiver.bodies()[0], body);
  EXPECT_TRUE(verifies(signing::Scheme::kakiyo, receiver, 0, {"X-Kakiyo-Signature"}, kEndpointSecret));
  EXPECT_TRUE(verifies(signing::Scheme::standard_webhooks, receiver, 0, kStandardHeaders, kEndpointSecret));
  EXPECT_EQ(receiver.header(0, "webhook-id"), id);
  EXPECT_EQ(receiver.header(0, "X-Token"), "mine");
  EXPECT_EQ(receiver.header(0, "Hookhost-Attempt"), "1");
  EXPECT_THAT(receiver.header(0, "User-Agent"), HasSubstr("hookhost/"));
  EXPECT_TRUE(host.catches_up("crm"));
  EXPECT_EQ(text(host.subscriber("crm"), "kind"), "endpoint");
}

TEST_F(Endpoints, ThatPassThroughGetTheHeadersAndBytesThatCame) {
  Receiver receiver;
  add_endpoint("relay", receiver.url(), ", events: [\"@github\"], signing: pass_through");
  ASSERT_TRUE(host.start());
  const std::string body = R"({"action":"opened",  "number": 1})";
  RawClient client = host.connect();
  ASSERT_TRUE(client.send(post(body, "Content-Type: application/json\r\nX-GitHub-Event: pull_request\r\nX-GitHub-Delivery: d1\r\n" +
                                         signature_of(body, signing::Scheme::github, "github-test-secret"), "/in/github")));
  ASSERT_EQ(client.read_answer().status, 200);
  send_messages(0, 1);  // of another source
  ASSERT_TRUE(reaches(receiver, 1));
  EXPECT_EQ(receiver.bodies()[0], body);
  EXPECT_EQ(receiver.header(0, "X-GitHub-Event"), "pull_request");
  EXPECT_EQ(receiver.header(0, "Content-Type"), "application/json");
  EXPECT_TRUE(verifies(signing::Scheme::github, receiver, 0, {"X-Hub-Signature-256"}, "github-test-secret")) << "the receiver's own check goes on working";
  EXPECT_TRUE(host.catches_up("relay"));
  EXPECT_EQ(receiver.count(), 1U);
}

TEST_F(Endpoints, StandStillWhilePausedAndGoOnWithAllOfIt) {
  Receiver receiver;
  add_endpoint("crm", receiver.url());
  ASSERT_TRUE(host.start());
  send_messages(0, 2);
  ASSERT_TRUE(reaches(receiver, 2));
  EXPECT_EQ(host.run({"endpoint", "pause", "crm"}).status, 0);
  send_messages(2, 5);
  EXPECT_EQ(receiver.count(), 2U);
  EXPECT_EQ(state_of("crm"), "paused");
  EXPECT_EQ(host.run({"endpoint", "resume", "crm"}).status, 0);
  ASSERT_TRUE(reaches(receiver, 5));
  EXPECT_EQ(receiver.messages(), numbers(0, 5));
}

TEST_F(Endpoints, GetTheirTeamsEventsOnly) {
  Receiver ours, theirs, all;
  add_endpoint("ours", ours.url(), ", events: [\"*\"], team: team_1");
  add_endpoint("theirs", theirs.url(), ", events: [\"*\"], team: team_2");
  add_endpoint("all", all.url());
  ASSERT_TRUE(host.start());
  send_messages(0, 3);
  ASSERT_TRUE(reaches(all, 3));
  ASSERT_TRUE(reaches(ours, 3));
  EXPECT_TRUE(host.catches_up("theirs"));
  EXPECT_EQ(theirs.count(), 0U);
}

TEST_F(Endpoints, AnAnswerOf410DisablesAndAResumeDeliversExactlyWhatWasHeld) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start_with_two_delivered(receiver, ", events: [\"*\"]"));
  receiver.answer_with(410);
  send_messages(2, 4);
  ASSERT_TRUE(poll_until([&] { return state_of("crm") == "stopped"; })) << state_of("crm");
  send_messages(4, 6, "chat_2");
  receiver.answer_with(200);
  const std::size_t before = receiver.count();
  EXPECT_EQ(before, 3U) << "nothing more was sent to it";
  EXPECT_EQ(host.run({"endpoint", "resume", "crm"}).status, 0);
  ASSERT_TRUE(reaches(receiver, before + 4));
  EXPECT_TRUE(host.catches_up("crm"));
  EXPECT_EQ(receiver.count(), before + 4);
  const auto got = receiver.messages();
  EXPECT_THAT(got, testing::UnorderedElementsAreArray(numbers(0, 6)));
  EXPECT_LT(std::find(got.begin(), got.end(), 2), std::find(got.begin(), got.end(), 3)) << "in order per key";
  EXPECT_LT(std::find(got.begin(), got.end(), 4), std::find(got.begin(), got.end(), 5));
  EXPECT_EQ(text(host.subscriber("crm"), "held"), "0");
}

TEST_F(Endpoints, AReceiverThatIsDownForAWhileMissesNothingAndIsNotDisabled) {
  const std::uint16_t port = free_port();
  add_endpoint("crm", "http://127.0.0.1:" + std::to_string(port) + "/hook", ", events: [\"*\"], retry: [200ms, 300ms, 500ms, 1s, 2s, 3s, 5s, 10s]");
  ASSERT_TRUE(host.start());
  for (int chat = 0; chat < 20; ++chat) send_messages(2 * chat, 2 * chat + 2, "chat_" + std::to_string(chat));
  ASSERT_TRUE(poll_until([&] { return text(host.subscriber("crm"), "blocked_keys") == "20"; })) << json::serialize(host.subscriber("crm"));
  EXPECT_NE(state_of("crm"), "stopped");
  Receiver receiver(port);
  EXPECT_TRUE(host.catches_up("crm"));
  std::vector<std::int64_t> got = receiver.messages();
  for (int chat = 0; chat < 20; ++chat) {
    const auto first = std::find(got.begin(), got.end(), 2 * chat), second = std::find(got.begin(), got.end(), 2 * chat + 1);
    EXPECT_TRUE(first < second && second != got.end()) << "in order per chat: " << chat;
  }
  EXPECT_EQ(got.size(), 40U);
  EXPECT_EQ(text(host.subscriber("crm"), "dead_letters"), "0");
}

TEST_F(Endpoints, AReloadAddsChangesAndDetachesThem) {
  Receiver first, second;
  add_endpoint("crm", first.url());
  ASSERT_TRUE(host.start());
  send_messages(0, 1);
  ASSERT_TRUE(reaches(first, 1));
  add_endpoint("crm", second.url());
  host.write_config();
  EXPECT_THAT(host.run({"reload"}).out, HasSubstr("endpoint crm: changed url"));
  send_messages(1, 2);
  ASSERT_TRUE(reaches(second, 1));
  EXPECT_EQ(first.count(), 1U);
  remove_endpoint("crm");
  host.write_config();
  EXPECT_THAT(host.run({"reload"}).out, HasSubstr("endpoint crm: removed"));
  EXPECT_EQ(state_of("crm"), "detached");
  send_messages(2, 3);
  add_endpoint("crm", second.url());
  host.write_config();
  EXPECT_EQ(host.run({"reload"}).status, 0);
  ASSERT_TRUE(reaches(second, 2)) << "it goes on where it was";
  EXPECT_EQ(second.messages(), numbers(1, 3));
  remove_endpoint("crm");
  host.more += "endpoints: {crm: {url: \"https://10.0.0.1/\", events: [\"*\"]}}\n";
  host.write_config();
  const Ran refused = host.run({"reload"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("nothing was changed"));
  EXPECT_THAT(refused.err, HasSubstr("not public"));
  EXPECT_EQ(host.run({"check"}).status, 1);
}

}  // namespace
}  // namespace hookhost::test
