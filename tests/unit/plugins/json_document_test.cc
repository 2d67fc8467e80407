// json(pointer) over a plugin's whole life: what it costs to ask again, and what it answers to.
#include "plugins/json_document.h"

#include <gtest/gtest.h>

#include <hookhost/testing/json.hpp>

namespace hookhost::plugins {
namespace {

hookhost_value ask(JsonDocument& document, std::string_view pointer) {
  hookhost_value out{};
  document.find(pointer, out);
  return out;
}

TEST(HostJsonDocument, AListThatIsAskedForAgainIsTheSameText) {
  JsonDocument document(R"({"list":[1,{"a":"b"}],"text":"x"})");
  const auto first = ask(document, "/list");
  EXPECT_EQ(std::string_view(first.text.ptr, first.text.len), R"([1,{"a":"b"}])");
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(ask(document, "/list").text.ptr, first.text.ptr) << "memory must not grow with the questions";
  EXPECT_EQ(ask(document, "/list/1").kind, HOOKHOST_VALUE_OBJECT);
  EXPECT_EQ(ask(document, "").kind, HOOKHOST_VALUE_OBJECT);
}

TEST(HostJsonDocument, WhatIsNotThereOrNoPointerIsAbsentAndItsTextIsNotNull) {
  JsonDocument document(R"({"a":{"b~c/d":[0]},"big":18446744073709551615,"e":1.5})");
  EXPECT_EQ(ask(document, "/a/b~0c~1d/0").kind, HOOKHOST_VALUE_INTEGER);
  EXPECT_EQ(ask(document, "/big").kind, HOOKHOST_VALUE_NUMBER) << "above what int64_t holds";
  EXPECT_EQ(ask(document, "/e").number, 1.5);
  for (const char* gone : {"a", "/a/b~0c~1d/1", "/a/b~0c~1d/00", "/a/b~0c~1d/-", "/a/b~2", "/a~", "/z"}) {
    const auto value = ask(document, gone);
    EXPECT_EQ(value.kind, HOOKHOST_VALUE_ABSENT) << gone;
    EXPECT_NE(value.text.ptr, nullptr) << gone;
  }
}

TEST(HostJsonDocument, WhatIsNoJsonAnswersNothing) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("\xff"), std::string(100'000, '[')}) {
    JsonDocument document(text);
    EXPECT_EQ(ask(document, "").kind, HOOKHOST_VALUE_ABSENT);
  }
}

// A plugin that passes its tests with the SDK's fake host must meet the same answers here.
TEST(HostJsonDocument, TheFakeHostAnswersTheSame) {
  const std::string documents[] = {
      R"({"a":{"b":[1,-2.5,"x",true,false,null,{"c":""}]},"":{"/":1},"a":{"b":[0]}})", "[]", "{}", "0", "-0.5e+3", "1E2", "9223372036854775807",
      "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1e400", R"("\u00e9\ud83d\ude00\n\/")", R"("\u0000")", " [1] ",
      "\xef\xbb\xbf{}", "", " ", "01", "1.", ".5", "-", "+1", "1e", "1e+", "0x1", "NaN", "tru", "nullx", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "'a'",
      "[1] 2", "\"\t\"", R"("\x")", R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc3\xa9\"", "/* */ 1", "[1 /**/]",
      std::string(100, '[') + std::string(100, ']'), std::string(200, '[') + std::string(200, ']')};
  const std::string pointers[] = {"", "/", "/a", "/a/b/0", "/a/b/1", "/a/b/2", "/a/b/6/c", "/a/b/-", "/a/b/00", "/0", "//~1", "/a~2", "a", "/a/b/99999999999"};
  for (const std::string& text : documents) {
    JsonDocument host(text);
    const hookhost::testing::JsonDocument fake(text);
    for (const std::string& pointer : pointers) {
      const auto expected = ask(host, pointer), seen = fake.find(pointer);
      SCOPED_TRACE(text.substr(0, 60) + " at " + pointer);
      ASSERT_EQ(seen.kind, expected.kind);
      if (seen.kind == HOOKHOST_VALUE_INTEGER) { EXPECT_EQ(seen.integer, expected.integer); }
      if (seen.kind == HOOKHOST_VALUE_NUMBER) { EXPECT_DOUBLE_EQ(seen.number, expected.number); }
      if (seen.kind == HOOKHOST_VALUE_TEXT) { EXPECT_EQ(view(seen.text), view(expected.text)); }
    }
  }
}

}  // namespace
}  // namespace hookhost::plugins
