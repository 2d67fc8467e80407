// Our OpenAPI file promises everything that Kakiyo's does, and marks what is more.
#include <gtest/gtest.h>

#include <algorithm>

#include "api/example_events.h"
#include "api/v1_types.h"
#include "contract/openapi.h"

namespace hookhost::test {
namespace {

namespace json = boost::json;

// Of Kakiyo's pages, though not of its file.
constexpr std::string_view kOfProse[] = {"validEvents", "teamId"};

bool contains(const json::array& all, const json::value& wanted) { return std::find(all.begin(), all.end(), wanted) != all.end(); }

// `request`: what a client may send, of which we must take all of Kakiyo's; else what we answer, which must be what Kakiyo's says.
std::string difference(const json::object& theirs, const json::object& own, bool request, const std::string& at) {
  std::string out;
  if (theirs.contains("type") && (!own.contains("type") || own.at("type") != theirs.at("type"))) out += at + ": another type\n";
  if (const json::value* choices = theirs.if_contains("enum"); choices != nullptr && own.contains("enum")) {
    for (const auto& one : choices->as_array()) out += contains(own.at("enum").as_array(), one) ? "" : at + ": without " + json::serialize(one) + "\n";
  }
  if (const json::value* required = own.if_contains("required"); request && required != nullptr) {
    for (const auto& one : required->as_array()) {
      out += theirs.contains("required") && contains(theirs.at("required").as_array(), one) ? "" : at + ": wants " + json::serialize(one) + "\n";
    }
  }
  if (theirs.contains("items")) out += difference(theirs.at("items").as_object(), own.at("items").as_object(), request, at + "[]");
  if (!theirs.contains("properties")) return out;
  const json::object& properties = theirs.at("properties").as_object();
  const json::object& own_properties = own.at("properties").as_object();
  for (const auto& one : properties) {
    const std::string path = at + "." + std::string(one.key());
    const json::value* found = own_properties.if_contains(one.key());
    out += found == nullptr ? path + ": is missing\n" : difference(one.value().as_object(), found->as_object(), request, path);
  }
  for (const auto& one : own_properties) {
    const bool of_prose = std::find(std::begin(kOfProse), std::end(kOfProse), std::string_view(one.key().data(), one.key().size())) != std::end(kOfProse);
    if (properties.contains(one.key()) || of_prose || one.value().as_object().contains("x-hookhost")) continue;
    out += at + "." + std::string(one.key()) + ": is ours and not marked x-hookhost\n";
  }
  return out;
}

std::string difference_of_calls(const json::object& theirs, const json::object& own, const std::string& at) {
  std::string out;
  if (own.contains("x-hookhost")) out += at + ": is Kakiyo's\n";
  if (own.at("operationId") != theirs.at("operationId")) out += at + ": another operationId\n";
  for (const auto& parameter : theirs.at("parameters").as_array()) {
    const auto& all = own.at("parameters").as_array();
    const bool found = std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.at("name") == parameter.at("name") && one.at("in") == parameter.at("in"); });
    if (!found) out += at + ": without parameter " + json::serialize(parameter.at("name")) + "\n";
  }
  if (theirs.contains("requestBody")) out += difference(schema_of(theirs.at("requestBody")), schema_of(own.at("requestBody")), true, at + " request");
  for (const auto& response : theirs.at("responses").as_object()) {
    const json::value* found = own.at("responses").as_object().if_contains(response.key());
    const std::string path = at + " " + std::string(response.key());
    out += found == nullptr ? path + ": is missing\n" : difference(schema_of(response.value()), schema_of(*found), false, path);
  }
  return out;
}

TEST(Superset, OurFilePromisesAllThatKakiyosDoesAndMarksWhatIsMore) {
  const OpenApi theirs = kakiyos(), own = ours();
  ASSERT_EQ(theirs.paths().size(), 7U);
  for (const auto& path : theirs.paths()) {
    for (const auto& call : path.value().as_object()) {
      const std::string at = std::string(call.key()) + " " + std::string(path.key());
      const auto found = own.operation(std::string(call.key()), std::string(path.key()));
      ASSERT_TRUE(found) << at;
      EXPECT_EQ(difference_of_calls(*theirs.operation(std::string(call.key()), std::string(path.key())), *found, at), "");
    }
  }
  for (const auto& path : own.paths()) {
    for (const auto& call : path.value().as_object()) {
      if (call.key() == "parameters" || theirs.operation(std::string(call.key()), std::string(path.key()))) continue;
      EXPECT_TRUE(call.value().as_object().contains("x-hookhost")) << path.key() << " " << call.key();
    }
  }
}

TEST(Superset, DifferencesAreSeen) {
  const auto theirs = json::parse(R"({"type":"object","required":["a"],"properties":{"a":{"type":"string","enum":["x","y"]},"b":{"type":"integer"}}})").as_object();
  const auto own = json::parse(R"({"type":"object","required":["a","b"],"properties":{"a":{"type":"integer","enum":["x"]},"c":{"type":"string"}}})").as_object();
  EXPECT_EQ(difference(theirs, own, true, "r"), "r: wants \"b\"\nr.a: another type\nr.a: without \"y\"\nr.b: is missing\nr.c: is ours and not marked x-hookhost\n");
}

TEST(Superset, TheExamplesAreThoseThatAreSentAndMarkedWhereKakiyoDocumentsNone) {
  const auto call = ours().operation("GET", "/webhooks/test/example/{event}");
  ASSERT_TRUE(call);
  const auto& examples = call->at("responses").at("200").at("content").at("application/json").at("examples").as_object();
  ASSERT_EQ(examples.size(), 6U);
  for (const auto& one : examples) {
    EXPECT_EQ(one.value().at("value"), api::example_envelope(std::string_view(one.key()), "team_12345abcde")) << one.key();
    const api::ExampleEvent* example = api::find_example("kakiyo", std::string_view(one.key()));
    ASSERT_NE(example, nullptr);
    const json::value* mark = one.value().as_object().if_contains("x-documented");
    EXPECT_EQ(mark == nullptr || mark->as_bool(), example->documented) << one.key();
  }
}

}  // namespace
}  // namespace hookhost::test
