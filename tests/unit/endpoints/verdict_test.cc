#include "endpoints/verdict.h"

#include <gtest/gtest.h>

namespace hookhost::endpoints {
namespace {

using namespace std::chrono_literals;
using delivery::Status;

const WallTime kNow{1'700'000'000s};  // Tue, 14 Nov 2023 22:13:20 GMT

delivery::Outcome of(int status, std::optional<std::string> retry_after = {}) {
  return outcome_of(http_client::TransferAnswer{.status = status, .body = "b", .retry_after = std::move(retry_after)}, kNow);
}

TEST(Verdict, OnlyTwoHundredsAreOk) {
  for (const int status : {200, 201, 202, 204, 299}) EXPECT_EQ(of(status).status, Status::ok) << status;
  for (const int status : {300, 301, 302, 307, 400, 401, 404, 409, 410, 413, 429, 500, 502, 503, 504, 599}) EXPECT_EQ(of(status).status, Status::retry) << status;
}

TEST(Verdict, FourHundredTenIsGoodbye) {
  EXPECT_TRUE(of(410).gone);
  for (const int status : {200, 404, 500}) EXPECT_FALSE(of(status).gone) << status;
}

TEST(Verdict, RetryAfterIsHonouredUpToAnHour) {
  EXPECT_EQ(of(429, "7").retry_after, 7s);
  EXPECT_EQ(of(503, "120").retry_after, 120s);
  EXPECT_EQ(of(429, "0").retry_after, 0s);
  EXPECT_EQ(of(429, "0").wish, delivery::Wish::lengthens);
  EXPECT_EQ(of(429, "86400").retry_after, 1h);
  EXPECT_EQ(of(429, "99999999999999999999").retry_after, 1h);
  EXPECT_EQ(of(503, "Tue, 14 Nov 2023 22:14:20 GMT").retry_after, 60s);
  EXPECT_EQ(of(503, "Tue, 14 Nov 2023 22:13:00 GMT").retry_after, 0s);
  EXPECT_EQ(of(503, "Wed, 15 Nov 2023 22:13:20 GMT").retry_after, 1h);
  for (const char* text : {"", "-1", "soon", "7 s", "1.5", "Tue, 14 Nov 2023"}) EXPECT_EQ(of(429, text).retry_after, std::nullopt) << text;
  EXPECT_EQ(of(500, "7").retry_after, std::nullopt);
}

TEST(Verdict, ADateThatTheClockCannotHoldIsAnHourOrNoWait) {
  for (const char* date : {"Fri, 31 Dec 2261 23:59:59 GMT", "Sun, 31 Dec 2400 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"}) EXPECT_EQ(of(429, date).retry_after, 1h) << date;
  for (const char* date : {"Fri, 31 Dec 1600 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "Sat, 01 Jan 0000 00:00:00 GMT"}) EXPECT_EQ(of(429, date).retry_after, 0s) << date;
}

TEST(Verdict, KeepsTheStatusAndTheFirstKibibyte) {
  const auto outcome = outcome_of(http_client::TransferAnswer{.status = 500, .body = std::string(5000, 'x')}, kNow);
  EXPECT_EQ(outcome.http_status, 500);
  EXPECT_EQ(outcome.answer.size(), 1024U);
}

TEST(Verdict, NoAnswerIsARetryThatSaysWhy) {
  const auto outcome = outcome_of(fail(ErrorCode::timeout, "no answer from https://example.com: Timeout was reached"), kNow);
  EXPECT_EQ(outcome.status, Status::retry);
  EXPECT_EQ(outcome.http_status, 0);
  EXPECT_NE(outcome.error.find("Timeout"), std::string::npos);
}

}  // namespace
}  // namespace hookhost::endpoints
