// `hookhost events`, `deliveries`, `dead-letters` and `status`: filters, members of the JSON, and what the verbs do.
#include <gmock/gmock.h>

#include <regex>

#include "base/printable.h"
#include "system/command_line.h"

namespace hookhost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Events : public CommandTest {
 protected:
  // 0 and 1: two of chat_1; 2: chat_2 of another team; 3: a push of GitHub; 4: bytes that are no text
  void SetUp() override {
    ASSERT_TRUE(host.start());
    KakiyoSender sender(host.public_port());
    for (const auto& body : {message("chat_1", 1), message("chat_1", 2)}) ASSERT_FALSE(sender.send(body).empty());
    ASSERT_EQ(host.run({"send", "kakiyo", "linkedin.invitation.sent", "--set", "data.chatId=chat_2", "--set", "teamId=team_2"}).status, 0);
    ASSERT_EQ(host.run({"send", "github", "push"}).status, 0);
    RawClient client = host.connect();
    client.send(post(kBytes, "Content-Type: application/octet-stream\r\nX-Two: b\r\nx-two: a\r\n", "/in/raw"));
    ASSERT_EQ(client.read_answer().status, 200);
  }
  const std::string kBytes{"\x00\xff\xfe{}\r\n", 7};
};

TEST_F(Events, Filters) {
  EXPECT_THAT(offsets({}), ElementsAre(0, 1, 2, 3, 4)) << "all, oldest first";
  EXPECT_THAT(offsets({"--source", "github"}), ElementsAre(3));
  EXPECT_THAT(offsets({"--type", "linkedin.*"}), ElementsAre(0, 1, 2));
  EXPECT_THAT(offsets({"--type", "linkedin.message.received"}), ElementsAre(0, 1));
  EXPECT_THAT(offsets({"--type", "github:*"}), ElementsAre(3));
  EXPECT_THAT(offsets({"--type", "@kakiyo"}), ElementsAre(0, 1, 2));
  EXPECT_THAT(offsets({"--type", "*"}), ElementsAre(0, 1, 2, 3)) << "* never matches hookhost.unparsable";
  EXPECT_THAT(offsets({"--type", "hookhost.*"}), ElementsAre(4));
  EXPECT_THAT(offsets({"--team", "team_2"}), ElementsAre(2));
  EXPECT_THAT(offsets({"--key", "chat_1"}), ElementsAre(0, 1));
  EXPECT_THAT(offsets({"--since", "3"}), ElementsAre(3, 4));
  EXPECT_THAT(offsets({"--until", "3"}), ElementsAre(0, 1, 2)) << "exclusive";
  EXPECT_THAT(offsets({"--since", "1", "--until", "4", "--source", "kakiyo"}), ElementsAre(1, 2));
  EXPECT_THAT(offsets({"--since", "1h"}), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(offsets({"--since", "now"}), IsEmpty());
  EXPECT_THAT(offsets({"--until", "2020-01-01"}), IsEmpty());
  EXPECT_THAT(offsets({"--since", "2020-01-01T00:00:00Z", "--limit", "2"}), ElementsAre(0, 1));
  EXPECT_THAT(offsets({"--reverse"}), ElementsAre(4, 3, 2, 1, 0));
  EXPECT_THAT(offsets({"--reverse", "--key", "chat_1", "--limit", "1"}), ElementsAre(1));
}

TEST_F(Events, MembersAreAsDocumented) {
  const auto events = host.events();
  ASSERT_EQ(events.size(), 5U);
  const std::vector<std::string> common{"offset", "id", "source", "provider", "type", "team", "key", "received_at", "headers", "content_type", "verified"};
  for (const auto& event : events) {
    auto wanted = common;
    wanted.push_back(text(event, "offset") == "4" ? "body_base64" : "body");
    EXPECT_EQ(members(event), wanted);
    EXPECT_TRUE(std::regex_match(text(event, "received_at"), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z)"))) << text(event, "received_at");
    EXPECT_TRUE(std::regex_match(text(event, "id"), std::regex("evt_[0-9A-Za-z]{26}"))) << text(event, "id");
  }
  const json::object& bytes = events[4];
  EXPECT_EQ(text(bytes, "body_base64"), "AP/+e30NCg==");
  EXPECT_TRUE(bytes.at("key").is_null());
  EXPECT_TRUE(bytes.at("team").is_null());
  EXPECT_FALSE(bytes.at("verified").as_bool());
  EXPECT_EQ(text(bytes, "content_type"), "application/octet-stream");
  EXPECT_EQ(json::serialize(bytes.at("headers")),
            R"([["Host","h"],["Content-Length","7"],["Content-Type","application/octet-stream"],["X-Two","b"],["x-two","a"]])")
      << "pairs, as sent and in order";
}

TEST_F(Events, TextOutputHasNoControlsOfTheSender) {
  RawClient client = host.connect();
  client.send(post("{\"x\": 1}\n\x1b]0;owned\x07\xc2\x9b" "2J\x9b", "X-Odd: a\xc2\x9b" "31m\r\n", "/in/raw"));
  ASSERT_EQ(client.read_answer().status, 200);
  ASSERT_FALSE(KakiyoSender(host.public_port()).send(R"({"event":"a\u001b[31mb\u009b","data":{"chatId":"k\u0007\u007f"}})").empty());
  for (const auto& line : std::vector<std::vector<std::string>>{{"list"}, {"show", "5"}, {"show", "6"}, {"tail", "--since", "5", "--limit", "2"}}) {
    std::vector<std::string> words{"events"};
    words.insert(words.end(), line.begin(), line.end());
    const Ran ran = host.run(words);
    ASSERT_EQ(ran.status, 0) << ran;
    EXPECT_EQ(printable(ran.out, Lines::kept), ran.out) << testing::PrintToString(line);
  }
  EXPECT_THAT(host.run({"events", "list"}).out, HasSubstr("a\\u001b[31mb\\u009b  k\\u0007\\u007f"));
  EXPECT_THAT(host.run({"events", "show", "5"}).out, HasSubstr("{\"x\": 1}\n\\u001b]0;owned\\u0007\\u009b2J\\u009b")) << "lines of the body stay";
}

TEST_F(Events, ShowByOffsetAndById) {
  const auto events = host.events();
  const Ran by_offset = host.run({"events", "show", "3", "--json"}), by_id = host.run({"events", "show", text(events[3], "id"), "--json"});
  ASSERT_EQ(by_offset.objects().size(), 1U) << by_offset;
  EXPECT_EQ(by_offset.objects()[0], events[3]);
  EXPECT_EQ(by_id.out, by_offset.out);
  EXPECT_THAT(host.run({"events", "show", "3"}).out, HasSubstr("X-GitHub-Event: push"));
}

TEST_F(Events, TailFollowsWhatArrives) {
  const Ran past = host.run({"events", "tail", "--json", "--since", "beginning", "--source", "kakiyo", "--limit", "2"});
  ASSERT_EQ(past.objects().size(), 2U) << past;
  EXPECT_EQ(text(past.objects()[1], "offset"), "1");
  const std::string out = host.path("tail.out");
  ChildProcess tail({{paths::host(), "events", "tail", "--json", "--key", "chat_live", "--limit", "1", "-c", host.config_path()}, {}, "", out, host.path("tail.err")});
  KakiyoSender sender(host.public_port());
  int n = 0;
  EXPECT_TRUE(poll_until([&] {
    ++n;
    sender.send(message(n % 2 == 0 ? "chat_live" : "chat_other", n));
    return tail.ended().has_value();
  }));
  EXPECT_EQ(tail.wait(), 0) << contents(host.path("tail.err"));
  ASSERT_EQ(lines_of(contents(out)).size(), 1U);
  EXPECT_EQ(text(json::parse(contents(out)).as_object(), "key"), "chat_live");
}

TEST_F(Events, VerifyReadsEachRecordAndOneWrongByteIsOne) {
  const Ran good = host.run({"events", "verify", "--json"});
  EXPECT_EQ(good.status, 0) << good;
  EXPECT_EQ(text(good.objects().at(0), "events"), "5");
  EXPECT_EQ(text(good.objects().at(0), "damaged"), "0");
  ASSERT_EQ(host.terminate(), 0);
  const std::string segment = host.data_dir() + "/events/00000000000000000000.events";
  std::string bytes = contents(segment);
  const std::size_t place = bytes.find("message 1");
  ASSERT_NE(place, std::string::npos);
  bytes[place] ^= 1;
  write_text(segment, bytes);
  const Ran damaged = host.run({"events", "verify", "--json"});
  EXPECT_EQ(damaged.status, 1) << damaged;
  EXPECT_THAT(damaged.err, HasSubstr("cannot be read"));
  EXPECT_NE(text(damaged.objects().at(0), "damaged"), "0");
}

class Deliveries : public CommandTest {
 protected:
  std::vector<json::object> list(const std::vector<std::string>& filters, const std::string& what = "deliveries") {
    std::vector<std::string> line{what, "list", "--json"};
    line.insert(line.end(), filters.begin(), filters.end());
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 0) << ran;
    return ran.objects();
  }
};

TEST_F(Deliveries, WaitingOnesAreShownAndTriedNow) {
  add_probe("probe");
  add_probe("other");
  ASSERT_TRUE(host.start());
  KakiyoSender sender(host.public_port());
  ASSERT_FALSE(sender.send(message("chat_1", 1, {{"do", "own_delay"}, {"times", 1}})).empty());
  ASSERT_TRUE(poll_until([&] { return list({"--state", "blocked"}).size() == 2; })) << host.diagnostics();
  const auto one = list({"--subscriber", "probe", "--event", "0", "--key", "chat_1"});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_THAT(members(one[0]), ElementsAre("subscriber", "offset", "id", "type", "state", "attempts", "next_attempt_at", "last_outcome", "last_error"));
  EXPECT_EQ(text(one[0], "attempts"), "1");
  EXPECT_EQ(text(one[0], "last_outcome"), "retry");
  EXPECT_EQ(text(one[0], "last_error"), "told to wait");
  EXPECT_EQ(text(one[0], "type"), "linkedin.message.received");
  EXPECT_THAT(list({"--key", "chat_2"}), IsEmpty());
  EXPECT_THAT(list({"--event", "1"}), IsEmpty());
  EXPECT_EQ(host.run({"deliveries", "show", "--event", "0", "--json"}).objects().size(), 2U);
  EXPECT_EQ(host.run({"deliveries", "show", "0", "--json"}).objects().size(), 2U);
  EXPECT_EQ(list({"--event", text(one[0], "id")}).size(), 2U) << "by its id";
  EXPECT_EQ(host.run({"deliveries", "show", "--event", "1"}).status, 3);
  EXPECT_EQ(host.run({"deliveries", "list", "--event", "first"}).status, 2);

  EXPECT_EQ(host.run({"deliveries", "retry-now", "--subscriber", "probe", "--event", "0"}).status, 0);
  EXPECT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{0, 1}}));
  EXPECT_EQ(list({}).size(), 1U) << "the other still waits";
  EXPECT_EQ(host.run({"deliveries", "retry-now", "--subscriber", "other", "--event", text(one[0], "id")}).status, 0);
  EXPECT_TRUE(host.catches_up("other"));
  EXPECT_EQ(host.run({"deliveries", "retry-now", "--subscriber", "probe", "--event", "0"}).status, 3) << "nothing of it waits";
}

TEST_F(Deliveries, WaitingOnesAreShownOfADisabledPluginAndWithoutAHost) {
  add_probe("probe", "retry: [10h], ");
  ASSERT_TRUE(host.start());
  send("chat_1", {{"do", "throw"}});
  ASSERT_TRUE(poll_until([&] { return text(host.subscriber("probe"), "blocked_keys") == "1"; }));
  const auto shown = [&] {
    const Ran ran = host.run({"deliveries", "list", "--json"});
    EXPECT_EQ(ran.status, 0) << ran;
    return ran.out;
  };
  const std::string running = shown();
  EXPECT_THAT(running, testing::AllOf(HasSubstr(R"("state":"blocked")"), HasSubstr("linkedin.message.received")));
  add_probe("probe", "retry: [10h], enabled: false, ");
  host.write_config();
  ASSERT_EQ(host.run({"reload"}).status, 0);
  EXPECT_EQ(shown(), running);
  ASSERT_EQ(host.terminate(), 0);
  EXPECT_EQ(shown(), running);
}

TEST_F(Deliveries, AllAreListedHoweverMany) {
  constexpr int kKeys = 1'100;
  add_probe("probe", "retry: [1h], ");
  set_mode("probe", "retry");
  ASSERT_TRUE(host.start());
  KakiyoSender sender(host.public_port());
  for (int n = 0; n < kKeys; ++n) ASSERT_FALSE(sender.send(message("chat_" + std::to_string(n), n)).empty());
  ASSERT_TRUE(poll_until([&] { return host.subscriber("probe").at("blocked_keys").to_number<int>() == kKeys; })) << host.diagnostics();
  std::set<std::string> ids;
  for (const auto& one : list({})) ids.insert(text(one, "id"));
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kKeys)) << "each with its own event";
  EXPECT_FALSE(ids.contains("null"));
}

TEST_F(Deliveries, DeadLettersAreRetriedAndDiscarded) {
  add_probe("probe", "retry: [1ms], ");
  set_mode("probe", "retry");
  ASSERT_TRUE(host.start());
  KakiyoSender sender(host.public_port());
  for (int n = 1; n <= 3; ++n) ASSERT_FALSE(sender.send(message("chat_" + std::to_string(n), n)).empty());
  const auto letters = [&](const std::vector<std::string>& filters) { return list(filters, "dead-letters"); };
  ASSERT_TRUE(poll_until([&] { return letters({}).size() == 3; })) << host.diagnostics();
  EXPECT_EQ(text(letters({})[0], "reason"), "exhausted");
  EXPECT_EQ(text(letters({})[0], "last_error"), "told to retry");
  EXPECT_EQ(letters({"--subscriber", "probe", "--type", "linkedin.*"}).size(), 3U);
  EXPECT_EQ(letters({"--type", "kakiyo:*"}).size(), 3U);
  EXPECT_EQ(letters({"--type", "@kakiyo"}).size(), 3U);
  EXPECT_EQ(letters({"--since", "1"}).size(), 2U) << "from that offset on";
  EXPECT_THAT(letters({"--type", "github:*"}), IsEmpty());
  EXPECT_THAT(letters({"--since", "2100-01-01"}), IsEmpty());
  EXPECT_EQ(letters({"--since", "1h"}).size(), 3U);
  // The host's own event of the first one may have taken the offset behind it.
  const std::string second = std::to_string(letters({})[1].at("offset").to_number<int>());
  const Ran shown = host.run({"dead-letters", "show", "probe", second, "--json"});
  ASSERT_EQ(shown.status, 0) << shown;
  EXPECT_EQ(text(shown.objects().at(0), "body"), message("chat_2", 2)) << "a copy of the event";
  EXPECT_EQ(host.run({"status", "--check"}).status, 1);
  EXPECT_EQ(host.run({"status", "probe", "--check"}).status, 1);
  EXPECT_EQ(host.run({"status"}).status, 0);

  const Ran which = host.run({"dead-letters", "retry", "--subscriber", "probe"});
  EXPECT_EQ(which.status, 2) << which;
  EXPECT_THAT(which.err, HasSubstr("--all"));
  set_mode("probe", "");
  EXPECT_EQ(host.run({"dead-letters", "retry", "--subscriber", "probe", "--offset", "0"}).status, 0);
  ASSERT_TRUE(poll_until([&] { return ends(journal("probe")) == std::map<std::uint64_t, int>{{0, 1}}; }));
  ASSERT_TRUE(poll_until([&] { return letters({}).size() == 2; }));
  EXPECT_EQ(host.run({"dead-letters", "discard", "--all", "--json"}).objects().at(0).at("count").to_number<int>(), 2);
  EXPECT_THAT(letters({}), IsEmpty());
  EXPECT_TRUE(poll_until([&] { return host.run({"status", "--check"}).status == 0; }));
  EXPECT_EQ(host.run({"status", "probe", "--check"}).status, 0);
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{0, 1}})) << "what was discarded is not handled";
}

TEST_F(Deliveries, StatusHasTheDocumentedMembers) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  const Ran all = host.run({"status", "--json"}), one = host.run({"status", "probe", "--json"});
  ASSERT_EQ(all.objects().size(), 1U) << all;
  ASSERT_EQ(one.objects().size(), 1U) << one;
  const std::vector<std::string> documented{"name", "kind", "state", "position", "lag_events", "lag_seconds", "blocked_keys", "pending", "dead_letters"};
  EXPECT_EQ(members(all.objects()[0]), documented);
  auto in_full = members(one.objects()[0]);
  in_full.resize(documented.size());
  EXPECT_EQ(in_full, documented) << "and goes on with more";
  EXPECT_EQ(text(all.objects()[0], "kind"), "plugin");
  EXPECT_EQ(text(all.objects()[0], "state"), "live");
}

}  // namespace
}  // namespace hookhost::test
