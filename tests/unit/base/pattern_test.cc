#include "base/pattern.h"

#include <gtest/gtest.h>

namespace hookhost {
namespace {

bool matches(std::string_view pattern, std::string_view type, std::string_view provider = "kakiyo", std::string_view source = "in") {
  return parse_pattern(pattern, true).value().matches(source, provider, type);
}

TEST(Pattern, MatchesByTypeProviderAndSource) {
  EXPECT_TRUE(matches("*", "push"));
  EXPECT_TRUE(matches("linkedin.*", "linkedin.message.sent"));
  EXPECT_FALSE(matches("linkedin.*", "linkedin"));
  EXPECT_FALSE(matches("linkedin.*", "linkedinx.message"));
  EXPECT_TRUE(matches("push", "push"));
  EXPECT_FALSE(matches("push", "push.x"));
  EXPECT_TRUE(matches("github:*", "push", "github"));
  EXPECT_FALSE(matches("github:*", "push", "gitlab"));
  EXPECT_TRUE(matches("github:pull_request.*", "pull_request.opened", "github"));
  EXPECT_TRUE(matches("@in", "anything"));
  EXPECT_FALSE(matches("@out", "anything"));
}

TEST(Pattern, WildcardsNeverReachTheHostsOwnEvents) {
  EXPECT_FALSE(matches("*", "hookhost.subscriber.stopped", "hookhost"));
  EXPECT_FALSE(matches("hookhost:*", "hookhost.subscriber.stopped", "hookhost"));
  EXPECT_TRUE(matches("hookhost.*", "hookhost.subscriber.stopped", "hookhost"));
  EXPECT_TRUE(matches("hookhost.unparsable", "hookhost.unparsable"));
}

TEST(Pattern, ASourceIsEverythingThatCameFromIt) {
  EXPECT_TRUE(matches("@in", "hookhost.unparsable"));
  EXPECT_FALSE(matches("@out", "hookhost.unparsable"));
  EXPECT_FALSE(matches("kakiyo:*", "hookhost.unparsable"));
}

TEST(Pattern, PrintsWhatItRead) {
  for (const char* text : {"*", "a.*", "a.b", "github:*", "github:a.*", "github:push", "@orders"}) {
    EXPECT_EQ(parse_pattern(text, true).value().text(), text);
  }
}

TEST(Pattern, RefusesOthersAndSaysWhy) {
  for (const char* text : {"", ".*", "a*", "*.a", "a.*.b", ":a", "a b", "@", "git hub:*"}) {
    const auto pattern = parse_pattern(text, true);
    ASSERT_FALSE(pattern) << text;
    EXPECT_NE(pattern.error().message.find("write *"), std::string::npos);
  }
  EXPECT_FALSE(parse_pattern("@source", false));
}

TEST(Pattern, KnowsWhetherTwoOverlap) {
  const auto both = [](std::string_view left, std::string_view right) {
    const auto a = parse_pattern(left, true).value(), b = parse_pattern(right, true).value();
    EXPECT_EQ(overlap(a, b), overlap(b, a));
    return overlap(a, b);
  };
  EXPECT_TRUE(both("*", "a.b"));
  EXPECT_TRUE(both("a.*", "a.b.*"));
  EXPECT_FALSE(both("a.*", "b.*"));
  EXPECT_FALSE(both("github:*", "stripe:*"));
  EXPECT_TRUE(both("@in", "github:push"));
  EXPECT_TRUE(both("@in", "hookhost.unparsable"));
  EXPECT_FALSE(both("@in", "@out"));
  EXPECT_FALSE(both("*", "hookhost.*"));
}

}  // namespace
}  // namespace hookhost
