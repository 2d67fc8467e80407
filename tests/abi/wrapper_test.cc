// The C++ wrapper, seen from the host's side of the ABI.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "hookhost/kakiyo.hpp"
#include "hookhost/plugin.hpp"
#include "hookhost/testing.hpp"

namespace hookhost::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// Does what the event's /do says.
class Obedient {
 public:
  static constexpr Info info{.id = "test.hookhost.obedient",
                             .version = "1.2.3",
                             .events = {"linkedin.message.*", "github:push", "*", "stripe:*"},
                             .description = "for tests",
                             .on_replay = OnReplay::reset_only,
                             .order = Order::all};
  Obedient(Host host, const Config& config) : host_(host), mode_(config.text("/mode", "")) {
    if (mode_ == "throws int") throw 1;  // NOLINT
    if (mode_ == "throws") throw std::runtime_error("the constructor failed");
    if (mode_ == "unavailable") throw UnavailableError("the database is down");
    if (mode_ == "wants a channel") (void)config.text("/channel");
  }
  void start(const Resume& resume) {
    if (mode_ == "start throws") throw std::runtime_error("start failed");
    if (mode_ == "start reads kv") host_.info("kv said " + resume.kv.get("greeting").value_or("nothing"));
    if (resume.reset) host_.info("reset");
  }
  Outcome handle(const Event& event, Call& call) {
    const std::string what(call.json("/do").text_or("ok"));
    if (what == "ok") return ok();
    if (what == "ignore") return ignored();
    if (what == "retry") return retry("again").after(5s);
    if (what == "reject") return reject("never");
    if (what == "unavailable") return unavailable("down").after(1min);
    if (what == "throw") throw std::runtime_error("it broke");
    if (what == "throw int") throw 7;  // NOLINT
    if (what == "throw unavailable") throw UnavailableError("no connection");
    if (what == "throw config") throw ConfigError("too late");
    if (what == "deferred without defer") return deferred();
    if (what == "put") {
      call.kv().put("seen", std::string(event.key()));
      return call.json("/fail").exists() ? retry("after the write") : ok();
    }
    if (what == "scan") {
      std::string all;
      call.kv().scan("s", [&](std::string_view key, std::string_view value) { return all.append(key).append("=").append(value), true; });
      return reject(all);
    }
    if (what == "scan throws") call.kv().scan("s", [](std::string_view, std::string_view) -> bool { throw std::runtime_error("in a visit"); });
    return defer(what, call);
  }
  void checkpoint(const Checkpoint& point) {
    if (mode_ == "refuses") throw std::runtime_error("the disk is full");
    host_.gauge("offsets", static_cast<double>(point.offsets.size()));
  }
  void stop() {
    threads_.clear();
    if (mode_ == "stop throws") throw std::runtime_error("stop failed");
  }
  Outcome health() { return mode_ == "ill" ? unavailable("feverish") : ok(); }
  bool reconfigure(const Config& config) {
    if (config.has("/other")) return false;
    mode_ = config.text("/mode");
    return true;
  }

 private:
  Outcome defer(const std::string& what, Call& call) {
    Completion done = call.defer();
    if (what == "defer, then drop") return deferred();
    if (what == "defer, then throw") throw std::runtime_error("after defer");
    if (what == "defer, then answer") {
      done(ok());
      return ok();
    }
    if (what == "defer, complete at once") {
      done(ok());
      done(reject("a second time"));
      return deferred();
    }
    // On another thread, through a move.
    threads_.emplace_back([moved = std::move(done)] { moved(retry("from a thread").after(2s)); });
    return deferred();
  }

  Host host_;
  std::string mode_;
  std::vector<std::jthread> threads_;  // joined in the destructor at the latest
};

class Small final {
 public:
  static constexpr Info info{.id = "test.hookhost.small", .version = "1", .events = {"*"}, .name = "Small", .concurrent = true};
  Small(Host, const Config&) {}
  Outcome handle(const Event&, Call&) { return ok(); }
};

class WrapperTest : public ::testing::Test {
 protected:
  void TearDown() override { host_.stop(); }
  Answer told(const std::string& what) { return host_.deliver(event(what)); }
  static TestEvent event(const std::string& what) { return {.body = R"({"do":")" + what + "\"}", .key = "chat_1"}; }
  Answer started(const std::string& mode) {
    host_.stop();
    host_.configure(R"({"mode":")" + mode + "\"}");
    return host_.start();
  }

  FakeHost host_{plugin<Obedient>(), "obedient"};
};

TEST_F(WrapperTest, EntrySaysWhatTheClassSays) {
  const hookhost_plugin_entry& entry = *plugin<Obedient>();
  EXPECT_EQ(entry.struct_size, sizeof entry);
  EXPECT_EQ(view(entry.id), "test.hookhost.obedient");
  EXPECT_EQ(view(entry.name), "test.hookhost.obedient") << "the id stands in for a missing name";
  EXPECT_EQ(view(entry.version), "1.2.3");
  EXPECT_EQ(view(entry.description), "for tests");
  EXPECT_EQ(entry.event_count, 4U);
  EXPECT_EQ(view(entry.events[1]), "github:push");
  EXPECT_EQ(entry.flags, 0U);
  EXPECT_EQ(entry.on_replay, HOOKHOST_REPLAY_RESET_ONLY);
  EXPECT_EQ(entry.order, HOOKHOST_ORDER_ALL);
  EXPECT_EQ(entry.abi_minor_needed, 0U);
  EXPECT_EQ(plugin<Small>()->flags, HOOKHOST_CONCURRENT);
  EXPECT_EQ(view(plugin<Small>()->name), "Small");
}

TEST_F(WrapperTest, WhatTheClassLacksIsNull) {
  FakeHost host(plugin<Small>());
  hookhost_instance* made = nullptr;
  ASSERT_EQ(plugin<Small>()->create(host.raw(), str("{}"), str("/"), &made, nullptr), HOOKHOST_OK);
  EXPECT_EQ(made->start, nullptr);
  EXPECT_EQ(made->checkpoint, nullptr);
  EXPECT_EQ(made->stop, nullptr);
  EXPECT_EQ(made->get_extension, nullptr);
  made->destroy(made);
}

TEST_F(WrapperTest, OutcomesReachTheHost) {
  ASSERT_TRUE(host_.start().ok());
  EXPECT_EQ(told("ok").status, HOOKHOST_OK);
  EXPECT_EQ(told("ignore").status, HOOKHOST_IGNORED);
  const Answer again = told("retry");
  EXPECT_EQ(again.status, HOOKHOST_RETRY);
  EXPECT_EQ(again.error, "again");
  EXPECT_EQ(again.retry_after, 5s);
  EXPECT_EQ(told("reject").status, HOOKHOST_REJECT);
  const Answer down = told("unavailable");
  EXPECT_EQ(down.status, HOOKHOST_UNAVAILABLE);
  EXPECT_EQ(down.retry_after, 1min);
  EXPECT_THAT(host_.violations(), IsEmpty());
}

TEST_F(WrapperTest, ExceptionsOfHandleBecomeRetries) {
  ASSERT_TRUE(host_.start().ok());
  EXPECT_EQ(told("throw").status, HOOKHOST_RETRY);
  EXPECT_EQ(told("throw").error, "it broke");
  EXPECT_EQ(told("throw int").status, HOOKHOST_RETRY);
  EXPECT_EQ(told("throw config").status, HOOKHOST_RETRY) << "bad configuration is no status of handle";
  EXPECT_EQ(told("throw unavailable").status, HOOKHOST_UNAVAILABLE);
  EXPECT_THAT(host_.violations(), IsEmpty());
}

TEST_F(WrapperTest, FailedStartsSayWhy) {
  EXPECT_EQ(started("throws").status, HOOKHOST_RETRY);
  EXPECT_EQ(started("throws").error, "the constructor failed");
  EXPECT_EQ(started("throws int").status, HOOKHOST_RETRY);
  EXPECT_EQ(started("unavailable").status, HOOKHOST_UNAVAILABLE);
  EXPECT_EQ(started("start throws").error, "start failed");
  const Answer channel = started("wants a channel");
  EXPECT_EQ(channel.status, HOOKHOST_BAD_CONFIG);
  EXPECT_EQ(channel.error, "plugins.obedient.config.channel: missing (obedient needs a text)");
  EXPECT_FALSE(host_.running());
}

TEST_F(WrapperTest, DeferredCallsEndOnce) {
  ASSERT_TRUE(host_.start().ok());
  const Answer late = told("defer");
  EXPECT_EQ(late.status, HOOKHOST_RETRY);
  EXPECT_EQ(late.error, "from a thread");
  EXPECT_EQ(late.retry_after, 2s);
  EXPECT_EQ(told("defer, complete at once").status, HOOKHOST_OK);
  EXPECT_EQ(told("defer, then drop").error, "the plugin dropped the call");
  EXPECT_EQ(told("defer, then throw").status, HOOKHOST_RETRY);
  EXPECT_EQ(host_.lines().back().text, "after defer");
  EXPECT_THAT(host_.violations(), IsEmpty());
}

TEST_F(WrapperTest, BrokenPromisesOfDeferAreSeen) {
  ASSERT_TRUE(host_.start().ok());
  EXPECT_EQ(told("defer, then answer").status, HOOKHOST_RETRY);
  EXPECT_EQ(told("deferred without defer").status, HOOKHOST_RETRY);
  EXPECT_THAT(host_.violations(), ElementsAre(HasSubstr("called defer but answered 0"), HasSubstr("without calling defer")));
}

TEST_F(WrapperTest, KvIsKeptWithTheOutcome) {
  host_.put_kv("greeting", "hello");
  ASSERT_TRUE(started("start reads kv").ok());
  EXPECT_EQ(host_.lines().back().text, "kv said hello");
  TestEvent failing = event("put");
  failing.body = R"({"do":"put","fail":true})";
  EXPECT_EQ(host_.deliver(failing).status, HOOKHOST_RETRY);
  EXPECT_EQ(told("scan").error, "") << "a failed call's writes are dropped";
  EXPECT_TRUE(told("put").ok());
  EXPECT_EQ(told("scan").error, "seen=chat_1") << "the batch's own writes are seen";
  EXPECT_THAT(host_.kv(), ElementsAre(Pair("greeting", "hello")));
  EXPECT_TRUE(host_.commit().ok());
  EXPECT_THAT(host_.kv(), ElementsAre(Pair("greeting", "hello"), Pair("seen", "chat_1")));
  EXPECT_EQ(told("scan throws").error, "in a visit");
  host_.refuse_kv_writes(true);
  EXPECT_THAT(told("put").error, HasSubstr("kv refused"));
  EXPECT_THAT(host_.violations(), IsEmpty());
}

TEST_F(WrapperTest, AHostWithoutKvIsUnsupportedOnlyWhenItIsNeeded) {
  host_.without_extensions();
  ASSERT_TRUE(host_.start().ok());
  EXPECT_TRUE(told("ok").ok());
  EXPECT_THAT(told("put").error, HasSubstr("hookhost.kv/1"));
  EXPECT_EQ(started("start reads kv").status, HOOKHOST_UNSUPPORTED);
}

TEST_F(WrapperTest, CheckpointsAreHeldOrRefused) {
  ASSERT_TRUE(host_.start().ok());
  EXPECT_TRUE(told("ok").ok());
  EXPECT_TRUE(told("ok").ok());
  EXPECT_EQ(told("reject").status, HOOKHOST_REJECT);
  EXPECT_TRUE(host_.commit().ok());
  EXPECT_EQ(host_.metrics().at("offsets"), 2);
  EXPECT_EQ(host_.committed_token(), 1U);
  ASSERT_TRUE(started("refuses").ok());
  EXPECT_TRUE(told("put").ok());
  EXPECT_EQ(host_.commit().status, HOOKHOST_RETRY);
  EXPECT_EQ(host_.lines().back().text, "the disk is full");
  EXPECT_EQ(told("scan").error, "") << "a new instance sees committed state alone";
  EXPECT_EQ(host_.committed_token(), 1U);
}

TEST_F(WrapperTest, HealthAndReconfigure) {
  ASSERT_TRUE(host_.start().ok());
  EXPECT_TRUE(host_.health().ok());
  EXPECT_TRUE(host_.reconfigure(R"({"mode":"ill"})").ok());
  EXPECT_EQ(host_.health().status, HOOKHOST_UNAVAILABLE);
  EXPECT_EQ(host_.health().error, "feverish");
  EXPECT_EQ(host_.reconfigure(R"({"other":1})").status, HOOKHOST_UNSUPPORTED);
  const Answer missing = host_.reconfigure("{}");
  EXPECT_EQ(missing.status, HOOKHOST_BAD_CONFIG);
  EXPECT_EQ(missing.error, "plugins.obedient.config.mode: missing (obedient needs a text)");
}

TEST_F(WrapperTest, ResetReachesStart) {
  ASSERT_TRUE(host_.start().ok());
  EXPECT_TRUE(host_.reset().ok());
  EXPECT_EQ(host_.lines().back().text, "reset");
  ASSERT_TRUE(started("stop throws").ok());
  host_.stop();
  EXPECT_EQ(host_.lines().back().text, "stop failed");
}

// ---- Config and Kakiyo --------------------------------------------------------------------------------------------------------------------

std::string why(const std::function<void()>& read) {
  try {
    read();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ConfigTest, ReadsEveryKindAndNamesWhatIsWrong) {
  FakeHost host(plugin<Small>(), "notify");
  host.configure(R"({"t":"x","i":-7,"d":1.5,"yes":true,"wait":"1m30s","none":null,"list":["a","b"],"deep":{"a/b":1},"file":"out.db","abs":"/x"})", "/etc/h");
  const Config config(host.raw(), "{}", "/etc/h");
  EXPECT_EQ(config.text("/t"), "x");
  EXPECT_EQ(config.text("/none", "fallback"), "fallback");
  EXPECT_EQ(config.integer("/i"), -7);
  EXPECT_EQ(config.integer("/gone", 3), 3);
  EXPECT_EQ(config.number("/i"), -7);
  EXPECT_EQ(config.number("/d"), 1.5);
  EXPECT_TRUE(config.boolean("/yes"));
  EXPECT_EQ(config.duration("/wait"), 90s);
  EXPECT_EQ(config.duration("/gone", 5s), 5s);
  EXPECT_THAT(config.texts("/list"), ElementsAre("a", "b"));
  EXPECT_THAT(config.texts("/gone"), IsEmpty());
  EXPECT_EQ(config.path("/file"), "/etc/h/out.db");
  EXPECT_EQ(config.path("/abs"), "/x");
  EXPECT_TRUE(config.has("/deep/a~1b"));
  EXPECT_FALSE(config.has("/none"));
  EXPECT_EQ(why([&] { (void)config.text("/i"); }), "plugins.notify.config.i: wrong (notify needs a text)");
  EXPECT_EQ(why([&] { (void)config.text("/deep/a~1b"); }), "plugins.notify.config.deep.a/b: wrong (notify needs a text)");
  EXPECT_EQ(why([&] { (void)config.integer("/d", 1); }), "plugins.notify.config.d: wrong (notify needs a whole number)");
  EXPECT_EQ(why([&] { (void)config.duration("/t"); }), "plugins.notify.config.t: wrong (notify needs a duration such as 30s)");
  EXPECT_EQ(why([&] { (void)config.boolean("/gone"); }), "plugins.notify.config.gone: missing (notify needs true or false)");
  EXPECT_EQ(why([&] { (void)config.texts("/t"); }), "plugins.notify.config.t: wrong (notify needs a list of texts)");
}

TEST(ConfigTest, Durations) {
  using detail::parse_duration;
  EXPECT_EQ(parse_duration("0"), 0ns);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("30d"), 720h);
  for (const char* wrong : {"", "5", "s", "-1s", "1.5s", "5 s", "1y", "999999999999999999d", "106752d", "9999999999999999999s"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
}

class KakiyoReader {
 public:
  static constexpr Info info{.id = "test.hookhost.kakiyo", .version = "1", .events = {"*"}};
  KakiyoReader(Host, const Config&) {}
  Outcome handle(const Event& event, Call& call) {
    if (const auto received = kakiyo::message_received(event, call)) {
      if (!received->message()) return reject("no message");
      return reject(std::string(*received->message()) + " in " + std::string(received->chat().value_or("?")) + " of " +
                    std::string(received->team().value_or("?")) + " at " +
                    std::to_string(received->timestamp().value_or(Time{}).time_since_epoch() / 1s));
    }
    if (const auto manual = kakiyo::qualification_manual(event, call)) return reject(std::string(manual->prospect().value_or("?")));
    return kakiyo::message_sent(event, call) || kakiyo::invitation_sent(event, call) || kakiyo::invitation_accepted(event, call) ||
                   kakiyo::unqualified(event, call)
               ? ok()
               : ignored();
  }
};

TEST(KakiyoTest, ViewsReadWhatIsThere) {
  FakeHost host(plugin<KakiyoReader>());
  ASSERT_TRUE(host.start().ok());
  EXPECT_EQ(host.deliver(kakiyo_event("linkedin.message.received", "chat_1", "hi")).error, "hi in chat_1 of team_12345abcde at 1686825000");
  EXPECT_EQ(host.deliver({.body = R"({"team":{"id":"t"},"data":{"message":"x"}})"}).error, "x in ? of t at 0");
  EXPECT_EQ(host.deliver({.body = "no JSON"}).error, "no message");
  EXPECT_EQ(host.deliver(kakiyo_event("prospect.qualification.manual")).error, "prospect_98765");
  for (const char* type : {"linkedin.message.sent", "linkedin.invitation.sent", "linkedin.invitation.accepted", "prospect.unqualified"}) {
    EXPECT_TRUE(host.deliver(kakiyo_event(type)).ok()) << type;
  }
  EXPECT_EQ(host.deliver({.type = "campaign.completed"}).status, HOOKHOST_IGNORED);
}

TEST(KakiyoTest, Times) {
  using kakiyo::detail::parse_time;
  EXPECT_EQ(parse_time("2025-07-15T10:30:00.250Z")->time_since_epoch(), std::chrono::seconds(1752575400) + 250ms);
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z")->time_since_epoch(), 0ns);
  for (const char* wrong : {"", "2025-07-15", "2025-07-15T10:30:00", "2025-02-30T10:30:00Z", "2025-07-15T10:30:00.Z", "2025-07-15T10:30:00,5Z",
                            "2025-07-15T24:30:00Z", "2025-07-15T10:30:00.1234567890Z", "x025-07-15T10:30:00Z", "9999-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_time(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace hookhost::testing
