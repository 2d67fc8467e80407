#include "api/example_events.h"

#include <gtest/gtest.h>

#include <set>

#include "ingest/describe.h"

namespace hookhost::api {
namespace {

config::Source source_of(std::string_view provider) {
  config::Source source;
  source.name = source.provider = provider;
  source.scheme = provider;
  return source;
}

// What `send` sends is what a host takes it for.
TEST(ExampleEvents, AreDescribedAsTheTypeTheyAreListedUnder) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const ExampleEvent& one : example_events()) {
    EXPECT_TRUE(seen.emplace(one.provider, one.type).second) << one.type << " is listed twice";
    const std::string github_event(one.type.substr(0, one.type.find('.')));
    std::vector<signing::HeaderView> headers;
    if (one.provider == "github") headers.push_back({"X-GitHub-Event", github_event});
    const auto described = ingest::describe(source_of(one.provider), headers, one.body);
    ASSERT_TRUE(described) << one.type;
    EXPECT_EQ(described.value().type, one.type);
    EXPECT_FALSE(one.description.empty());
    if (one.provider == "kakiyo") {
      EXPECT_FALSE(described.value().key.empty()) << one.type << " has no key";
      EXPECT_FALSE(described.value().team.empty()) << one.type << " has no team";
    }
  }
  EXPECT_GE(seen.size(), 6U);
}

TEST(ExampleEvents, AreFoundByProviderAndType) {
  ASSERT_NE(find_example("kakiyo", "linkedin.message.received"), nullptr);
  EXPECT_EQ(find_example("", "linkedin.message.received"), find_example("kakiyo", "linkedin.message.received"));
  EXPECT_EQ(find_example("github", "linkedin.message.received"), nullptr);
  EXPECT_EQ(find_example("", "no.such"), nullptr);
}

}  // namespace
}  // namespace hookhost::api
