#include "contract/answer_book.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hookhost::test {
namespace {

namespace json = boost::json;

// Headers without which an answer is not what the file says.
void hold_headers(const json::value& said, const V1Answer& answer, const std::string& what) {
  const json::value* headers = said.as_object().if_contains("headers");
  if (headers == nullptr) return;
  for (const auto& [name, header] : headers->as_object()) {
    const std::string text = answer.raw.header(std::string(name));
    const json::value* required = header.as_object().if_contains("required");
    if (text.empty() && (required == nullptr || !required->as_bool())) continue;
    boost::system::error_code no_json;
    const json::value value = json::parse(text, no_json);
    EXPECT_EQ(no_json ? "it is missing or no JSON" : violations(header.at("schema"), value), "") << what << ", header " << name << ": '" << text << "'";
  }
}

}  // namespace

void AnswerBook::hold(const std::string& method, const std::string& path, const V1Answer& answer) {
  const std::string call = method + " " + path + " ", what = call + std::to_string(answer.status);
  EXPECT_EQ(answer.raw.header("Content-Type"), "application/json") << what;
  if (const auto theirs = kakiyos_.answer(method, path, answer.status, false)) {
    EXPECT_EQ(violations(schema_of(*theirs), answer.body), "") << "Kakiyo's file, " << what << ": " << answer.raw.body;
  }
  const auto own = ours_.answer(method, path, answer.status, true);
  ASSERT_TRUE(own) << what << " is undocumented";
  EXPECT_EQ(violations(schema_of(*own), answer.body), "") << "our file, " << what << ": " << answer.raw.body;
  EXPECT_EQ(undocumented(schema_of(*own), answer.body), "") << "our file, " << what << ": " << answer.raw.body;
  hold_headers(*own, answer, what);
  seen_.insert(what);
  if (answer.status >= 500) seen_.insert(call + "5XX");
}

std::set<std::string> AnswerBook::unseen(const OpenApi& file) const {
  const auto all = file.answers();
  std::set<std::string> out;
  std::set_difference(all.begin(), all.end(), seen_.begin(), seen_.end(), std::inserter(out, out.end()));
  return out;
}

}  // namespace hookhost::test
