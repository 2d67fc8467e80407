// The shipped plugins in a real host: jsonl_export writes what the command prints, slack_notify lives through its receiver's outages, prospect_crm's
// lost database is rebuilt.
#include <set>

#include "support/http_receiver.h"
#include "support/tables.h"
#include "system/command_line.h"

namespace hookhost::test {
namespace {

// ---- jsonl_export -------------------------------------------------------------------------------------------------------------------------

class JsonlExportInAHost : public CommandTest {
 protected:
  void post_to(const std::string& source, const std::string& body, const std::string& headers = "Content-Type: application/json\r\n") {
    RawClient client(host.public_port());
    client.send(post(body, headers, "/in/" + source));
    const RawAnswer answer = client.read_answer();
    ASSERT_EQ(answer.status, 200) << answer.body;
    ++sent_;
  }
  int sent_ = 0;
};

TEST_F(JsonlExportInAHost, WritesTheLinesThatEventsListPrints) {
  host.plugins["jsonl"] = "{library: \"" + paths::jsonl_export() + "\", config: {path: out.jsonl}}";
  ASSERT_TRUE(host.start());
  std::string ascii, bytes;
  for (int c = 1; c < 128; ++c) ascii += static_cast<char>(c);
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  ASSERT_FALSE(KakiyoSender(host.public_port()).send(message("chat \"1\" \xc3\xa9\n\x01", 1)).empty()) << "with a team and a key";
  for (const std::string& body : {std::string("{}"), ascii, bytes, std::string("\0", 1), std::string("\xed\xa0\x80 a lone surrogate"),
                                  std::string("\xf0\x9f\x98\x80 / \xe2\x80\xa8"), std::string(100'000, '\xfe')}) {
    ASSERT_NO_FATAL_FAILURE(post_to("raw", body));
  }
  ASSERT_NO_FATAL_FAILURE(post_to("raw", "headers", "Content-Type: text/plain; name=\"caf\xe9\"\r\nX-Odd: caf\xe9\r\nX-Empty:\r\nx-two: a\r\nX-Two: b \\ \"c\"\r\n"));
  ASSERT_NO_FATAL_FAILURE(post_to("raw", "no content type", ""));
  ASSERT_TRUE(host.catches_up("jsonl"));
  EXPECT_EQ(host.terminate(), 0);
  const Ran listed = host.run({"events", "list", "--json"});
  ASSERT_EQ(listed.status, 0) << listed;
  EXPECT_EQ(listed.objects().size(), static_cast<std::size_t>(sent_ + 1));
  const auto expected = lines_of(listed.out), written = lines_of(contents(host.path("conf/out.jsonl")));
  ASSERT_EQ(written.size(), expected.size());
  for (std::size_t i = 0; i < written.size(); ++i) EXPECT_EQ(written[i].substr(0, 5000), expected[i].substr(0, 5000));
  EXPECT_TRUE(written == expected);
  int binary = 0, without_key = 0;
  for (const auto& event : listed.objects()) {
    binary += event.contains("body_base64") ? 1 : 0;
    without_key += event.at("key").is_null() && event.at("team").is_null() ? 1 : 0;
  }
  EXPECT_EQ(binary, 3);
  EXPECT_EQ(without_key, sent_);
}

// ---- slack_notify -------------------------------------------------------------------------------------------------------------------------

class SlackNotifyInAHost : public SystemTest {
 protected:
  void add(const std::string& url, const std::string& more = "") {
    host.plugins["slack"] = "{library: \"" + paths::slack_notify() + "\", retry: [10ms], config: {allow_http: true, template: \"{{/data/chatId}} {{/data/n}}\", url: \"" + url + "\"" + more + "}}";
  }
  void send(int count) {
    KakiyoSender sender(host.public_port());
    for (int i = 0; i < count; ++i) {
      ++sent_;
      ASSERT_FALSE(sender.send(message("chat_" + std::to_string(sent_ % 3), sent_)).empty());
    }
  }
  // The numbers of each chat in the order of their posts.
  static std::map<std::string, std::vector<int>> posted(const HttpReceiver& receiver) {
    std::map<std::string, std::vector<int>> out;
    for (const auto& body : receiver.bodies()) {
      std::istringstream text(std::string(json::parse(body).at("text").as_string()));
      std::string chat;
      int n = 0;
      text >> chat >> n;
      out[chat].push_back(n);
    }
    return out;
  }
  [[nodiscard]] int outcome(const std::string& name) const { return host.subscriber("slack").at("outcomes").at(json::string_view(name)).to_number<int>(); }
  [[nodiscard]] bool waits() const { return host.subscriber("slack").at("state").as_string() == "waiting"; }
  void nothing_was_lost() {
    ASSERT_TRUE(host.catches_up("slack"));
    EXPECT_EQ(outcome("ok"), sent_);
    EXPECT_EQ(outcome("retry"), 0) << "no attempt was used";
    EXPECT_EQ(host.run({"dead-letters", "list", "--json"}).out, "");
    EXPECT_EQ(host.diagnostics().find("secret-part"), std::string::npos);
  }

  int sent_ = 0;
};

TEST_F(SlackNotifyInAHost, AnOutageCostsNoAttemptAndEverythingIsPostedOnceAfterIt) {
  const auto answer = [](const std::string&) { return HttpReceiver::status(200); };
  const std::uint16_t port = free_port();
  add("http://127.0.0.1:" + std::to_string(port) + "/services/T0/B0/secret-part");
  {
    const HttpReceiver before(answer, port);
    ASSERT_TRUE(host.start());
    ASSERT_NO_FATAL_FAILURE(send(6));
    ASSERT_TRUE(host.catches_up("slack"));
    EXPECT_EQ(before.bodies().size(), 6U);
  }
  ASSERT_NO_FATAL_FAILURE(send(30));
  ASSERT_TRUE(poll_until([&] { return waits(); })) << json::serialize(host.subscriber("slack"));
  const std::string status = host.run({"status", "slack"}).out;
  EXPECT_NE(status.find("cannot be reached"), std::string::npos) << status;
  const HttpReceiver after(answer, port);
  ASSERT_NO_FATAL_FAILURE(nothing_was_lost());
  for (const auto& [chat, numbers] : posted(after)) {
    EXPECT_EQ(numbers.size(), 10U) << chat;
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end())) << chat;
  }
  EXPECT_EQ(after.bodies().size(), 30U) << "once each";
}

TEST_F(SlackNotifyInAHost, AReceiverThatHangsOrFailsIsWaitedForAndItsTimeIsCounted) {
  std::atomic<bool> hangs{true}, fails{false};
  const HttpReceiver receiver([&](const std::string&) {
    static_cast<void>(poll_until([&] { return !hangs.load(); }));
    return HttpReceiver::status(fails ? 503 : 200, fails ? "Retry-After: 1\r\n" : "");
  });
  add(receiver.url(), ", timeout: 200ms, connections: 3");
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(9));
  ASSERT_TRUE(poll_until([&] { return waits(); })) << host.diagnostics();
  fails = true;
  hangs = false;
  const auto before = receiver.bodies().size();
  ASSERT_TRUE(poll_until([&] { return receiver.bodies().size() > before; })) << "it probes";
  fails = false;
  ASSERT_NO_FATAL_FAILURE(nothing_was_lost());
  std::set<int> numbers;
  for (const auto& [chat, all] : posted(receiver)) numbers.insert(all.begin(), all.end());
  EXPECT_EQ(numbers.size(), 9U);
  const std::string metrics = host.admin("GET", "/metrics").body;
  const std::string name = "\nhookhost_plugin_post_seconds{";
  const std::size_t at = metrics.find(name);
  ASSERT_NE(at, std::string::npos) << metrics;
  EXPECT_GE(std::strtod(metrics.c_str() + metrics.find("} ", at) + 2, nullptr), 0.2) << "a post hung for as long";
}

TEST_F(SlackNotifyInAHost, TheReceiversRefusalIsADeadLetterThatNamesTheStatusAndHidesTheUrl) {
  std::atomic<bool> knows{false};
  const HttpReceiver receiver([&](const std::string&) { return HttpReceiver::status(knows ? 200 : 404); });
  add(receiver.url());
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(2));
  ASSERT_TRUE(host.catches_up("slack"));
  const Ran letters = host.run({"dead-letters", "list", "--json"});
  ASSERT_EQ(letters.objects().size(), 2U) << letters;
  for (const auto& letter : letters.objects()) {
    EXPECT_EQ(letter.at("reason").as_string(), "rejected");
    EXPECT_NE(json::serialize(letter).find("the receiver answered 404"), std::string::npos) << json::serialize(letter);
  }
  EXPECT_EQ((letters.out + host.diagnostics()).find("secret-part"), std::string::npos);
  EXPECT_EQ(receiver.bodies().size(), 2U) << "refused once, not tried again";
  knows = true;
  ASSERT_EQ(host.run({"dead-letters", "retry", "--subscriber", "slack", "--all"}).status, 0);
  ASSERT_TRUE(poll_until([&] { return receiver.bodies().size() == 4; }));
}

// ---- prospect_crm -------------------------------------------------------------------------------------------------------------------------

TEST_F(SystemTest, ALostProspectDatabaseIsRefusedAndRebuiltByTheCommandThatTheMessageNames) {
  host.plugins["crm"] = "{library: \"" + paths::prospect_crm() + "\", config: {path: crm.db}}";
  ASSERT_TRUE(host.start());
  KakiyoSender sender(host.public_port());
  for (int n = 0; n < 20; ++n) ASSERT_FALSE(sender.send(message("chat_" + std::to_string(n % 4), n)).empty());
  ASSERT_TRUE(host.catches_up("crm"));
  EXPECT_EQ(host.terminate(), 0);
  const std::string everything = "SELECT * FROM messages", database = host.path("conf/crm.db");
  const auto rows = rows_of(database, everything);
  ASSERT_EQ(rows.size(), 20U);
  for (const char* name : {"", "-wal", "-shm"}) std::filesystem::remove(database + name);
  ASSERT_TRUE(host.start());
  const std::string command = "hookhost replay crm --from beginning --reset";
  ASSERT_TRUE(poll_until([&] { return json::serialize(host.subscriber("crm")).find(command) != std::string::npos; })) << json::serialize(host.subscriber("crm"));
  const Ran replayed = host.run({"replay", "crm", "--from", "beginning", "--reset", "--yes"});
  ASSERT_EQ(replayed.status, 0) << replayed;
  ASSERT_TRUE(host.catches_up("crm"));
  EXPECT_EQ(rows_of(database, everything), rows);
}

}  // namespace
}  // namespace hookhost::test
