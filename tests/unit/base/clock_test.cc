#include "base/clock.h"

#include <gtest/gtest.h>

namespace hookhost {
namespace {

TEST(Time, PrintsNineDecimalsInUtc) {
  EXPECT_EQ(to_rfc3339(from_unix_ns(0)), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(to_rfc3339(from_unix_ns(1686825000'123456789)), "2023-06-15T10:30:00.123456789Z");
  EXPECT_EQ(to_rfc3339(from_unix_ns(-1)), "1969-12-31T23:59:59.999999999Z");
}

TEST(Time, ReadsTheFormsPeopleWrite) {
  const std::pair<const char*, const char*> forms[] = {
      {"2023-06-15", "2023-06-15T00:00:00.000000000Z"},
      {"2023-06-15T10:30", "2023-06-15T10:30:00.000000000Z"},
      {"2023-06-15 10:30:01", "2023-06-15T10:30:01.000000000Z"},
      {"2023-06-15T10:30:00.25Z", "2023-06-15T10:30:00.250000000Z"},
      {"2023-06-15T10:30:00+01:30", "2023-06-15T09:00:00.000000000Z"},
      {"2023-06-15T10:30:00-0100", "2023-06-15T11:30:00.000000000Z"},
  };
  for (const auto& [text, expected] : forms) {
    const auto time = parse_time(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(to_rfc3339(time.value()), expected) << text;
  }
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2023", "2023-13-01", "2023-02-30", "2023-06-15T25:00", "2023-06-15T10:30:00X", "2023-06-15T10:30:00.Z",
                           "2023-06-15T10:30:00+24:00", "yesterday", "9999-01-01"}) {
    const auto time = parse_time(text);
    ASSERT_FALSE(time) << text;
    EXPECT_NE(time.error().message.find("is not a time"), std::string::npos);
  }
}

TEST(ManualClock, StepsWallTimeWithoutMonotonicTime) {
  ManualClock clock;
  const auto wall = clock.wall();
  const auto monotonic = clock.monotonic();
  clock.step_wall(std::chrono::hours{-1});
  EXPECT_EQ(clock.wall(), wall - std::chrono::hours{1});
  EXPECT_EQ(clock.monotonic(), monotonic);
  clock.advance(std::chrono::seconds{5});
  EXPECT_EQ(clock.monotonic(), monotonic + std::chrono::seconds{5});
}

}  // namespace
}  // namespace hookhost
