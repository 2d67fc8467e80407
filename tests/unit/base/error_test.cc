#include <gtest/gtest.h>

#include "base/histogram.h"
#include "base/result.h"

namespace hookhost {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorCode::usage, "give an even number");
  return n / 2;
}

Result<int> quarter(int n) {
  HOOKHOST_TRY(const int once, half(n));
  return half(once);
}

TEST(Result, PassesErrorsOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().text(), "usage: give an even number");
}

TEST(ResultDeathTest, ReadingTheValueOfAFailureEndsTheProcess) {
  EXPECT_DEATH(static_cast<void>(half(1).value()), "value\\(\\) of a failed Result");
}

TEST(ErrorCodes, HaveTheStatusesOfTheContract) {
  EXPECT_EQ(http_status(ErrorCode::stale_timestamp), 401);
  EXPECT_EQ(http_status(ErrorCode::team_mismatch), 403);
  EXPECT_EQ(http_status(ErrorCode::header_too_large), 431);
  EXPECT_EQ(exit_code(ErrorCode::poisoned), 70);
  EXPECT_EQ(exit_code(ErrorCode::unreachable), 4);
  EXPECT_EQ(to_string(ErrorCode::body_too_large), "body_too_large");
}

TEST(ErrorCodes, AnHttpAnswerSaysOnlyWhatAClientCanUse) {
  EXPECT_EQ(public_code(ErrorCode::usage), ErrorCode::invalid_request);
  for (const ErrorCode code : {ErrorCode::io_error, ErrorCode::corrupt, ErrorCode::permission}) EXPECT_EQ(public_code(code), ErrorCode::internal_error);
  for (const ErrorCode code : {ErrorCode::no_space, ErrorCode::poisoned, ErrorCode::busy}) EXPECT_EQ(public_code(code), ErrorCode::unavailable);
  for (const ErrorCode code : {ErrorCode::team_mismatch, ErrorCode::not_supported, ErrorCode::timeout}) EXPECT_EQ(public_code(code), code);
}

TEST(Histogram, CountsCumulatively) {
  const double bounds[] = {1, 10};
  Histogram histogram(bounds);
  for (const double value : {0.5, 1.0, 5.0, 100.0}) histogram.observe(value);
  const auto snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.buckets, (std::vector<std::uint64_t>{2, 3, 4}));
  EXPECT_EQ(snapshot.count, 4U);
  EXPECT_DOUBLE_EQ(snapshot.sum, 106.5);
}

}  // namespace
}  // namespace hookhost
