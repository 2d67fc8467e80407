#include "base/bytes.h"

#include <gtest/gtest.h>

namespace hookhost {
namespace {

using namespace std::literals;

TEST(Hex, RoundTripsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  EXPECT_EQ(from_hex("AbCd"), "\xab\xcd");
}

TEST(Hex, RefusesOddLengthAndOtherCharacters) {
  for (const auto text : {"a"sv, "0g"sv, "0x12"sv, " 12 "sv, "1\0"sv}) EXPECT_FALSE(from_hex(text)) << text;
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(plain), coded);
    EXPECT_EQ(from_base64(coded), plain);
  }
  EXPECT_EQ(from_base64("Zg"), "f");
}

TEST(Base64, RefusesWhatIsNotBase64) {
  for (const auto text : {"Z"sv, "Zg="sv, "Zh=="sv, "Zm9v\n"sv, "Zm-_"sv, "===="sv, "Zg==Zg=="sv}) EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Utf8, AcceptsTextAndRefusesOverlongSurrogateAndCut) {
  EXPECT_TRUE(is_valid_utf8("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x98\x80"));
  for (const auto text : {"\xc0\x80"sv, "\xe0\x80\x80"sv, "\xed\xa0\x80"sv, "\xf5\x80\x80\x80"sv, "\xe2\x82"sv, "\x80"sv, "\xff"sv}) {
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

TEST(Utf8, OfOthersIsMadeValidAndCutBetweenCharacters) {
  EXPECT_EQ(to_utf8("plain, \xc3\xa9", 100), "plain, \xc3\xa9");
  EXPECT_EQ(to_utf8("a\xff\xe2\x82z", 100), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
  EXPECT_EQ(to_utf8("a\xe2\x82\xac", 3), "a");
  EXPECT_EQ(to_utf8("a\xe2\x82\xac", 4), "a\xe2\x82\xac");
  EXPECT_EQ(to_utf8(std::string(1000, '\xff'), 10).size(), 9U);
}

TEST(Ascii, ComparesAndTrims) {
  EXPECT_TRUE(equals_ignoring_case("X-Kakiyo-Signature", "x-kakiyo-SIGNATURE"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_EQ(trim(" \t x y \t"), "x y");
  EXPECT_EQ(parse_u64("18446744073709551615"), 18446744073709551615U);
  for (const auto text : {""sv, "+1"sv, "-1"sv, " 1"sv, "1 "sv, "18446744073709551616"sv, "0x1"sv}) EXPECT_FALSE(parse_u64(text)) << text;
}

}  // namespace
}  // namespace hookhost
