#include "base/diagnostics.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/line_limit.h"

namespace hookhost {
namespace {

using namespace std::chrono_literals;

class Diagnostics : public testing::Test {
 protected:
  ~Diagnostics() override { configure_diagnostics({}); }

  static std::string written(const DiagnosticsOptions& options, Level level, std::string_view message, std::string_view value) {
    configure_diagnostics(options);
    testing::internal::CaptureStderr();
    diagnose(level, "room", message, {{"field", value}});
    return testing::internal::GetCapturedStderr();
  }
  static std::string after_time(const std::string& line) { return line.substr(line.find('Z')); }
};

TEST_F(Diagnostics, OneLineWhateverTheTextHolds) {
  EXPECT_EQ(after_time(written({}, Level::warn, "one\ntwo", "a\r\n2026 error b: forged")), "Z warn room: one\\u000atwo field=\"a\\u000d\\u000a2026 error b: forged\"\n");
  EXPECT_EQ(after_time(written({}, Level::warn, "\xc2\x9b" "2J", "x")), "Z warn room: \\u009b2J field=x\n");
  EXPECT_EQ(after_time(written({.json = true}, Level::warn, "say \"no\"", "x\ny")),
            "Z\",\"level\":\"warn\",\"room\":\"room\",\"message\":\"say \\\"no\\\"\",\"field\":\"x\\u000ay\"}\n");
}

TEST_F(Diagnostics, BytesThatAreNoUtf8AreEscaped) {
  EXPECT_TRUE(is_valid_utf8(written({.json = true}, Level::info, "\xff\xfe", "\xc3")));
  EXPECT_NE(written({.json = true}, Level::info, "Zo\xc3\xab", "").find("Zo\xc3\xab"), std::string::npos);
}

TEST_F(Diagnostics, LinesBelowTheLevelAreNotWritten) {
  EXPECT_EQ(written({}, Level::debug, "quiet", ""), "");
  EXPECT_NE(written({.level = Level::debug}, Level::debug, "loud", ""), "");
}

TEST(LineLimit, LetsOneThroughAMinuteOfEachSubjectAndReasonAndCountsTheOthers) {
  ManualClock clock;
  LineLimit lines(clock);
  EXPECT_EQ(lines.pass("a", ErrorCode::timeout), 0U);
  EXPECT_EQ(lines.pass("a", ErrorCode::timeout), std::nullopt);
  EXPECT_EQ(lines.pass("b", ErrorCode::timeout), 0U);
  EXPECT_EQ(lines.pass("a", ErrorCode::invalid_request), 0U);
  clock.advance(59s);
  EXPECT_EQ(lines.pass("a", ErrorCode::timeout), std::nullopt);
  clock.advance(1s);
  EXPECT_EQ(lines.pass("a", ErrorCode::timeout), 2U);
  clock.advance(1min);
  EXPECT_EQ(lines.pass("a", ErrorCode::timeout), 0U);
}

}  // namespace
}  // namespace hookhost
