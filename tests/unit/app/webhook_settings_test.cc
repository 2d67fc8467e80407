// The settings column of registry.db.
#include "app/webhook_settings.h"

#include <gtest/gtest.h>

namespace hookhost::app {
namespace {

using namespace std::chrono_literals;

TEST(WebhookSettings, GiveBackWhatTheyWereGiven) {
  WebhookSettings all;
  all.signing = "both";
  all.profile = "standard";
  all.retry = {Duration{}, 1ms, 5s, 31 * 24h};
  all.timeout = 1500ms;
  all.concurrency = 1'024;
  all.rate = 0.5;
  all.headers = {{"X-A", "1"}, {"X-\"B\"", "\xc3\xa4\t\\"}};
  const auto back = parse_webhook_settings(to_json(all));
  ASSERT_TRUE(back);
  EXPECT_EQ(back.value(), all);
}

TEST(WebhookSettings, TellWhatIsNotSaidFromWhatIsEmpty) {
  EXPECT_EQ(to_json({}), "{}");
  EXPECT_EQ(parse_webhook_settings("{}").value(), WebhookSettings{});
  WebhookSettings empty;
  empty.retry.emplace();
  empty.headers.emplace();
  EXPECT_EQ(parse_webhook_settings(to_json(empty)).value(), empty);
  EXPECT_NE(parse_webhook_settings(to_json(empty)).value(), WebhookSettings{});
}

TEST(WebhookSettings, OfANewerHookhostAreReadWithoutWhatIsUnknown) {
  EXPECT_EQ(parse_webhook_settings(R"({"colour":"red","signing":"none"})").value().signing, "none");
}

TEST(WebhookSettings, ThatAreDamagedAreToldSo) {
  for (const char* text : {"", "[]", "{", R"({"retry":3})", R"({"timeout":"5s"})", R"({"concurrency":-1})", R"({"headers":{"a":1}})", R"({"signing":null})"}) {
    const auto parsed = parse_webhook_settings(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::corrupt) << text;
  }
}

}  // namespace
}  // namespace hookhost::app
