#include "base/units.h"

#include <gtest/gtest.h>

namespace hookhost {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreReadAndWrittenTheSame) {
  const std::pair<const char*, Duration> forms[] = {{"250ms", 250ms}, {"10s", 10s}, {"1m30s", 90s}, {"2h", 2h}, {"30d", 720h}, {"0", 0s}};
  for (const auto& [text, expected] : forms) {
    EXPECT_EQ(parse_duration(text).value(), expected) << text;
    EXPECT_EQ(parse_duration(format_duration(expected)).value(), expected) << text;
  }
  EXPECT_EQ(format_duration(90s), "1m30s");
}

TEST(Durations, RefuseOthers) {
  for (const char* text : {"", "10", "s", "-1s", "1.5s", "10 s", "1y", "99999999999999999999s", "300000d", "1h 30m"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Sizes, AreReadInBothPowers) {
  EXPECT_EQ(parse_bytes("512").value(), 512U);
  EXPECT_EQ(parse_bytes("16KiB").value(), 16_KiB);
  EXPECT_EQ(parse_bytes("20GiB").value(), 20_GiB);
  EXPECT_EQ(parse_bytes("2MB").value(), 2'000'000U);
  for (const char* text : {"", "KiB", "1.5MiB", "-1", "1 MiB", "1mib", "99999999999TiB"}) EXPECT_FALSE(parse_bytes(text)) << text;
  EXPECT_EQ(format_bytes(1536_MiB), "1.5 GiB");
  EXPECT_EQ(format_bytes(12), "12 B");
}

}  // namespace
}  // namespace hookhost
