#include "base/printable.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace hookhost {
namespace {

TEST(Printable, WhatMovesATerminalIsEscaped) {
  EXPECT_EQ(printable("\x1b[2J\x07\r\n\t\x7f"), "\\u001b[2J\\u0007\\u000d\\u000a\\u0009\\u007f");
  EXPECT_EQ(printable("a\xc2\x80\xc2\x9b\xc2\x9f" "b"), "a\\u0080\\u009b\\u009fb") << "the second row of controls";
  EXPECT_EQ(printable("\x9b" "2J\xff"), "\\u009b2J\\u00ff") << "bytes that are no UTF-8";
}

TEST(Printable, TextStays) {
  for (const std::string text : {"", "plain \\ \"text\"", "Zo\xc3\xab", "\xc2\xa0", "\xe2\x82\xac", "\xf0\x9f\x8e\x89"}) EXPECT_EQ(printable(text), text);
}

TEST(Printable, LinesMayBeKept) { EXPECT_EQ(printable("{\n\t\x1b\r\n}", Lines::kept), "{\n\t\\u001b\\u000d\n}"); }

TEST(Printable, EveryPairOfBytesBecomesOneLineOfUtf8) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string shown = printable(std::string{static_cast<char>(first), static_cast<char>(second)});
      ASSERT_TRUE(is_valid_utf8(shown)) << first << " " << second;
      for (const unsigned char c : shown) ASSERT_TRUE(c >= 0x20 && c != 0x7f) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace hookhost
