// testing.hpp: every rule that the fake host watches, broken once through the raw ABI.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "hookhost/testing.hpp"

namespace hookhost::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What the instance does is the test's.
struct Script {
  std::function<std::int32_t(hookhost_resume&)> start = [](hookhost_resume&) { return HOOKHOST_OK; };
  std::function<std::int32_t(const hookhost_event*, hookhost_call*)> handle = [](auto*, auto*) { return HOOKHOST_OK; };
  std::function<std::int32_t(const hookhost_checkpoint&)> checkpoint = [](auto&) { return HOOKHOST_OK; };
  std::function<void()> stop = [] {};
  const hookhost_host* host = nullptr;
};
Script* script = nullptr;

hookhost_instance table{sizeof table,
                        0,
                        nullptr,
                        [](hookhost_instance*, hookhost_resume* resume, hookhost_error*) { return script->start(*resume); },
                        [](hookhost_instance*, const hookhost_event* event, hookhost_call* call) { return script->handle(event, call); },
                        [](hookhost_instance*, const hookhost_checkpoint* point) { return script->checkpoint(*point); },
                        [](hookhost_instance*) { script->stop(); },
                        [](hookhost_instance*) {},
                        nullptr};
hookhost_str pattern = str("*");
const hookhost_plugin_entry kEntry{sizeof kEntry, 0, 0, 0, str("test.script"), str("script"), str("1"), str(""), str(""), &pattern, 1, 0, 0,
                                   [](const hookhost_host* host, hookhost_str, hookhost_str, hookhost_instance** out, hookhost_error*) {
                                     script->host = host;
                                     *out = &table;
                                     return HOOKHOST_OK;
                                   }};

class FakeHostTest : public ::testing::Test {
 protected:
  FakeHostTest() { script = &script_; }
  Answer handled(std::function<std::int32_t(const hookhost_event*, hookhost_call*)> handle) {
    script_.handle = std::move(handle);
    if (!host_.running()) {
      EXPECT_TRUE(host_.start().ok());
    }
    return host_.handle({});
  }
  const hookhost_kv_v1& kv() { return *static_cast<const hookhost_kv_v1*>(script_.host->get_extension(script_.host, str(HOOKHOST_EXT_KV))); }

  Script script_;
  FakeHost host_{&kEntry};
};

TEST_F(FakeHostTest, AGoodPluginBreaksNothing) {
  EXPECT_TRUE(handled([](auto* event, auto* call) {
                EXPECT_EQ(view(event->id), "evt_0");
                EXPECT_EQ(event->attempt, 1U);
                EXPECT_EQ(call->is_cancelled(call), 0);
                return HOOKHOST_OK;
              }).ok());
  EXPECT_TRUE(host_.commit().ok());
  host_.stop();
  EXPECT_THAT(host_.violations(), IsEmpty());
}

TEST_F(FakeHostTest, UnknownStatusIsRetry) {
  EXPECT_EQ(handled([](auto*, auto*) { return 99; }).status, HOOKHOST_RETRY);
  EXPECT_THAT(host_.violations(), ElementsAre(HasSubstr("unknown status 99")));
}

TEST_F(FakeHostTest, AnExceptionThroughTheAbi) {
  EXPECT_EQ(handled([](auto*, auto*) -> std::int32_t { throw 1; }).status, HOOKHOST_RETRY);
  EXPECT_THAT(host_.violations(), ElementsAre("handle threw an exception through the ABI"));
}

TEST_F(FakeHostTest, ACallUsedAfterItsEnd) {
  hookhost_call* kept = nullptr;
  EXPECT_TRUE(handled([&](auto*, auto* call) { return kept = call, HOOKHOST_OK; }).ok());
  hookhost_value value{};
  kept->json(kept, str("/a"), &value);
  EXPECT_EQ(kv().put(script_.host, kept, bytes("a"), bytes("b")), -1);
  EXPECT_THAT(host_.violations(), ElementsAre("json was called after the call had ended", "kv put was called after the call had ended"));
}

TEST_F(FakeHostTest, ACallUsedOnAnotherThread) {
  EXPECT_TRUE(handled([](auto*, auto* call) {
                std::thread([&] { call->set_error(call, str("x")); }).join();
                std::thread([&] { (void)call->is_cancelled(call); }).join();
                return HOOKHOST_OK;
              }).ok());
  EXPECT_THAT(host_.violations(), ElementsAre(HasSubstr("set_error is [handle],"), HasSubstr("is_cancelled is [handle, deferred]")));
}

TEST_F(FakeHostTest, ADeferredCallMayBeUsedOnAnyThread) {
  std::uint64_t delivery = 0;
  hookhost_call* kept = nullptr;
  const Answer answer = handled([&](auto*, auto* call) { return kept = call, delivery = call->defer(call), HOOKHOST_DEFERRED; });
  EXPECT_EQ(answer.status, HOOKHOST_DEFERRED);
  EXPECT_EQ(host_.deferred(), 1U);
  std::thread([&] {
    EXPECT_EQ(kept->is_cancelled(kept), 0);
    host_.cancel(delivery);
    EXPECT_EQ(kept->is_cancelled(kept), 1);
    EXPECT_EQ(kv().put(script_.host, kept, bytes("a"), bytes("b")), 0);
    script_.host->complete(script_.host, delivery, HOOKHOST_OK, str(""), 0);
  }).join();
  EXPECT_TRUE(host_.wait(answer.delivery).ok());
  EXPECT_TRUE(host_.commit().ok());
  EXPECT_EQ(host_.kv().at("a"), "b");
  EXPECT_THAT(host_.violations(), IsEmpty());
}

TEST_F(FakeHostTest, CompletionsComeExactlyOnce) {
  handled([&](auto*, auto* call) {
    const std::uint64_t delivery = call->defer(call);
    script_.host->complete(script_.host, delivery, HOOKHOST_OK, str(""), 0);
    script_.host->complete(script_.host, delivery, HOOKHOST_OK, str(""), 0);
    script_.host->complete(script_.host, 777, HOOKHOST_OK, str(""), 0);
    return HOOKHOST_DEFERRED;
  });
  EXPECT_THAT(host_.violations(), ElementsAre(HasSubstr("completed twice"), HasSubstr("777")));
}

TEST_F(FakeHostTest, ACompletionWithAnImpossibleStatus) {
  const Answer answer = handled([&](auto*, auto* call) {
    script_.host->complete(script_.host, call->defer(call), HOOKHOST_DEFERRED, str(""), 0);
    return HOOKHOST_DEFERRED;
  });
  EXPECT_EQ(answer.status, HOOKHOST_RETRY);
  EXPECT_THAT(host_.violations(), ElementsAre(HasSubstr("unknown status 2")));
}

TEST_F(FakeHostTest, ACompletionThatNeverComes) {
  const Answer answer = handled([](auto*, auto* call) { return call->defer(call), HOOKHOST_DEFERRED; });
  EXPECT_EQ(host_.wait(answer.delivery, std::chrono::milliseconds(1)).status, HOOKHOST_DEFERRED);
  host_.stop();
  EXPECT_THAT(host_.violations(), ElementsAre(HasSubstr("offset 0 was not completed")));
  script_.host->complete(script_.host, answer.delivery, HOOKHOST_OK, str(""), 0);
  script_.host->log(script_.host, HOOKHOST_LOG_INFO, str("still here"), nullptr, 0);
  EXPECT_THAT(host_.violations(), ::testing::Contains("complete was called after stop had returned"));
  EXPECT_THAT(host_.violations(), ::testing::Contains("a thread of the plugin called log after stop had returned"));
}

TEST_F(FakeHostTest, AThreadThatOutlivesStop) {
  EXPECT_TRUE(handled([](auto*, auto*) { return HOOKHOST_OK; }).ok());
  const hookhost_host& host = *script_.host;
  const auto* metrics = static_cast<const hookhost_metrics_v1*>(host.get_extension(&host, str(HOOKHOST_EXT_METRICS)));
  const auto use_everything = [&] {
    hookhost_value value{};
    host.now(&host);
    host.config_json(&host, str("/a"), &value);
    host.get_extension(&host, str(HOOKHOST_EXT_KV));
    metrics->count(&host, str("n"), 1);
    metrics->gauge(&host, str("n"), 1);
  };
  std::thread(use_everything).join();
  EXPECT_THAT(host_.violations(), IsEmpty());
  script_.stop = use_everything;  // as long as stop has not returned
  host_.stop();
  EXPECT_THAT(host_.violations(), IsEmpty());
  std::thread(use_everything).join();
  EXPECT_THAT(host_.violations(), ElementsAre(HasSubstr("now after stop"), HasSubstr("config_json after stop"), HasSubstr("get_extension after stop"),
                                              HasSubstr("a metric after stop"), HasSubstr("a metric after stop")));
}

TEST_F(FakeHostTest, KvInsideAScan) {
  host_.put_kv("a", "1");
  handled([&](auto*, auto* call) {
    struct Both {
      const hookhost_kv_v1& kv;
      const hookhost_host* host;
      hookhost_call* call;
    } both{kv(), script_.host, call};
    const auto visit = [](void* context, hookhost_bytes key, hookhost_bytes) -> std::int32_t {
      const auto& [kv_table, host, inner] = *static_cast<Both*>(context);
      return kv_table.erase(host, inner, key) == -1 ? 1 : 0;
    };
    return kv().scan(script_.host, call, bytes(""), visit, &both);
  });
  EXPECT_THAT(host_.violations(), ElementsAre("kv erase was called from within a scan"));
}

TEST_F(FakeHostTest, KvLimits) {
  handled([&](auto*, auto* call) {
    EXPECT_EQ(kv().put(script_.host, call, bytes(""), bytes("x")), -1);
    EXPECT_EQ(kv().put(script_.host, call, bytes(std::string(256, 'k')), bytes("x")), 0);
    EXPECT_EQ(kv().put(script_.host, call, bytes(std::string(257, 'k')), bytes("x")), -1);
    EXPECT_EQ(kv().put(script_.host, call, bytes("k"), bytes(std::string((1 << 20) + 1, 'v'))), -1);
    EXPECT_EQ(kv().put(script_.host, nullptr, bytes("k"), bytes("v")), -1);
    return HOOKHOST_OK;
  });
  EXPECT_THAT(host_.violations(), IsEmpty());
}

TEST_F(FakeHostTest, ATokenOfItsOwnCountsAsDone) {
  std::uint64_t own = 0;
  script_.checkpoint = [&](const hookhost_checkpoint& point) { return own = point.token, HOOKHOST_OK; };
  script_.start = [&](hookhost_resume& resume) { return resume.own_token = std::max(resume.token, own), HOOKHOST_OK; };
  EXPECT_TRUE(handled([](auto*, auto*) { return HOOKHOST_OK; }).ok());
  EXPECT_TRUE(host_.lose_commit().ok());
  EXPECT_EQ(host_.committed_token(), 1U);
  EXPECT_THAT(host_.violations(), IsEmpty());
  own = 1000;
  EXPECT_TRUE(host_.crash().ok());
  EXPECT_THAT(host_.violations(), ElementsAre(HasSubstr("token 1000")));
}

TEST_F(FakeHostTest, CheckpointsCoverWhatEndedWell) {
  std::vector<std::uint64_t> covered;
  script_.checkpoint = [&](const hookhost_checkpoint& point) {
    covered.assign(point.offsets, point.offsets + point.offset_count);
    return HOOKHOST_OK;
  };
  handled([](auto* event, auto*) { return event->offset % 2 == 0 ? HOOKHOST_OK : HOOKHOST_REJECT; });
  for (int i = 0; i < 4; ++i) (void)host_.handle({});
  EXPECT_TRUE(host_.commit().ok());
  EXPECT_THAT(covered, ElementsAre(0, 2, 4));
  EXPECT_TRUE(host_.commit().ok());
  EXPECT_THAT(covered, IsEmpty());
}

TEST(JsonDocumentTest, FindsByPointer) {
  const JsonDocument json(R"( {"a":{"b~c":[1,-2.5,"x\u00e9\ud83d\ude00\n",true,null,9223372036854775808]},"":{"a/b":false},"a":{"b~c":[1,-2.5,"\u00e9"]}} )");
  ASSERT_TRUE(json.valid());
  EXPECT_EQ(json.find("/a/b~0c/0").integer, 1);
  EXPECT_EQ(json.find("/a/b~0c/1").number, -2.5);
  EXPECT_EQ(view(json.find("/a/b~0c/2").text), "\xC3\xA9") << "the last of equal names counts";
  EXPECT_EQ(json.find("//a~1b").kind, HOOKHOST_VALUE_FALSE);
  EXPECT_EQ(view(json.find("/a").text), R"({"b~c":[1,-2.5,"\u00e9"]})");
  EXPECT_EQ(json.find("").kind, HOOKHOST_VALUE_OBJECT);
  for (const char* gone : {"a", "/a/b~0c/3", "/a/b~0c/00", "/a/b~0c/-", "/b", "/a/b~0c/0/x"}) EXPECT_EQ(json.find(gone).kind, HOOKHOST_VALUE_ABSENT) << gone;
}

TEST(JsonDocumentTest, RefusesWhatIsNoJson) {
  EXPECT_EQ(view(JsonDocument(R"(["x\u00e9\ud83d\ude00\n"])").find("/0").text), "x\xC3\xA9\xF0\x9F\x98\x80\n");
  EXPECT_EQ(JsonDocument("9223372036854775808").find("").kind, HOOKHOST_VALUE_NUMBER);
  for (const char* wrong : {"", "{", "[1,]", "{\"a\"}", "{\"a\":}", "tru", "\"\\x\"", "\"\\ud800\"", "\"\\u12\"", "1 2", "+1", "-", "1e", "\"a", "'a'", "\"\n\""}) {
    EXPECT_FALSE(JsonDocument(wrong).valid()) << wrong;
  }
  EXPECT_FALSE(JsonDocument(std::string(100000, '[')).valid()) << "depth is bounded";
}

}  // namespace
}  // namespace hookhost::testing
