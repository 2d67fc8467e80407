#include "base/failpoint.h"

#include <gtest/gtest.h>

namespace hookhost {
namespace {

TEST(Failpoint, FiresAtItsPassOnly) {
  ASSERT_TRUE(arm_failpoints("a=error@2,b=error"));
  EXPECT_FALSE(failpoint_error("a"));
  EXPECT_TRUE(failpoint_error("a"));
  EXPECT_FALSE(failpoint_error("a"));
  EXPECT_TRUE(failpoint_error("b"));
  EXPECT_TRUE(failpoint_error("b"));
  EXPECT_FALSE(failpoint_error("c"));
  ASSERT_TRUE(arm_failpoints("a=error@2+"));
  EXPECT_FALSE(failpoint_error("a"));
  EXPECT_TRUE(failpoint_error("a"));
  EXPECT_TRUE(failpoint_error("a"));
  ASSERT_TRUE(arm_failpoints(""));
  EXPECT_FALSE(failpoint_error("b"));
}

TEST(Failpoint, RefusesWhatItCannotRead) {
  for (const char* text : {"a", "a=explode", "a=error@", "a=error@0", "a=error@+", "a=kill@x"}) EXPECT_FALSE(arm_failpoints(text)) << text;
}

TEST(FailpointDeathTest, Kills) {
  EXPECT_EXIT(
      {
        arm_failpoints("a=kill@2");
        HOOKHOST_FAILPOINT("a");
        HOOKHOST_FAILPOINT("a");
      },
      testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace hookhost
