#include "api/v1_json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "api/v1_fields.h"

namespace hookhost::api {
namespace {

TEST(V1Json, RefusesWhatTwoReadersCouldTakeDifferently) {
  const std::string deep = std::string(kV1JsonDepthMax + 1, '[') + std::string(kV1JsonDepthMax + 1, ']');
  for (const std::string& text : {std::string(R"({"a":1,"a":2})"), std::string(R"({"a":1,"\u0061":2})"), std::string(R"([{"x":{"b":1, "c":[], "b" : 2}}])"), std::string("{\"a\":\"\xff\"}"),
                                  std::string("{'a':1}"), std::string(R"({"a":1}x)"), std::string(R"({"a":1,})"), std::string(R"({"a":NaN})"), std::string(), deep}) {
    const auto parsed = parse_strictly(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::usage);
    EXPECT_TRUE(parsed.error().message.starts_with("body: ")) << parsed.error().message;
  }
  EXPECT_TRUE(parse_strictly(R"({"a":{"a":"a"},"b":[{"a":1},{"a":1}],"c\"":"a\\","d":"{\"a\":1,\"a\":2}"})"));
  EXPECT_FALSE(parse_object("[1]"));
}

TEST(V1Json, GivesTheBytesOfMembersAndElements) {
  const std::string_view object = R"( {"a" : 1.50 ,"ev\u0065nts":[ {"x":"]}"} , 2, [3 ,4],"s\"," ], "z":true} )";
  EXPECT_EQ(member_text(object, "a"), "1.50");
  EXPECT_EQ(member_text(object, "z"), "true");
  EXPECT_EQ(member_text(object, "none"), "");
  const auto elements = element_texts(member_text(object, "events"));
  ASSERT_EQ(elements.size(), 4U);
  EXPECT_EQ(elements[0], R"({"x":"]}"})");
  EXPECT_EQ(elements[1], "2");
  EXPECT_EQ(elements[2], "[3 ,4]");
  EXPECT_EQ(elements[3], R"("s\",")");
  EXPECT_TRUE(element_texts("[ ]").empty());
  EXPECT_EQ(member_text("{ }", "a"), "");
}

TEST(V1Fields, TellsEveryProblemAndWhatNobodyAskedFor) {
  V1Fields fields(parse_object(R"({"a":1,"b":"","c":"x\ny","d":["ok",7],"e":0.5,"f":"2 weeks","g":"red","more":1})").value(), "events[2].");
  EXPECT_FALSE(fields.text("a", 1, 5));
  EXPECT_FALSE(fields.text("b", 1, 5));
  EXPECT_FALSE(fields.text("c", 1, 5));
  EXPECT_FALSE(fields.texts("d", 5, 5));
  EXPECT_FALSE(fields.whole("e", 0, 5));
  EXPECT_FALSE(fields.duration("f"));
  EXPECT_FALSE(fields.one_of("g", {"blue", "green"}));
  EXPECT_FALSE(fields.flag("absent"));
  fields.require("needed");
  EXPECT_EQ(fields.finish().error().message,
            "events[2].a: must be a text\nevents[2].b: must not be empty\nevents[2].c: must not hold control characters\nevents[2].d[1]: must be a text\n"
            "events[2].e: must be a whole number from 0 to 5\nevents[2].f: must be a duration such as \"30s\", \"5m\" or \"24h\"\n"
            "events[2].g: must be one of blue, green\nevents[2].needed: is required");
  EXPECT_EQ(fields.unknown(), std::vector<std::string>{"more"});
}

}  // namespace
}  // namespace hookhost::api
