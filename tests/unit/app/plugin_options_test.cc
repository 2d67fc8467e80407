// From the configuration's words and the library's declaration to the engine's options.
#include <gmock/gmock.h>

#include <algorithm>

#include "app/prepared_plugin.h"

namespace hookhost::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Kind = delivery::OrderBy::Kind;

std::vector<Pattern> patterns(const std::vector<std::string>& texts) {
  std::vector<Pattern> out;
  for (const std::string& text : texts) out.push_back(parse_pattern(text, true).value());
  return out;
}

class PluginOptions : public testing::Test {
 protected:
  PluginOptions() {
    plugin.name = "crm";
    plugin.place = "hookhost.yaml:7:3";
    library.id = "acme.crm";
    library.events = patterns({"linkedin.*", "github:push"});
  }
  std::vector<std::string> narrowed(const std::vector<std::string>& to) {
    plugin.events = patterns(to);
    std::vector<std::string> out;
    const auto options = subscriber_options(plugin, library).value();
    for (const Pattern& pattern : options.events) out.push_back(pattern.text());
    return out;
  }
  Result<Kind> order(const std::string& wanted, plugins::Order declared) {
    plugin.order_by = wanted;
    library.order = declared;
    auto options = subscriber_options(plugin, library);
    if (!options) return fail(options.error());
    return options.value().order_by.kind;
  }

  config::Plugin plugin;
  plugins::LibraryInfo library;
};

TEST_F(PluginOptions, EventsAreWhatBothSidesMatch) {
  EXPECT_THAT(narrowed({}), testing::ElementsAre("linkedin.*", "github:push"));
  EXPECT_THAT(narrowed({"*"}), testing::ElementsAre("linkedin.*", "github:push"));
  EXPECT_THAT(narrowed({"linkedin.message.*"}), testing::ElementsAre("linkedin.message.*"));
  EXPECT_THAT(narrowed({"kakiyo:*"}), testing::ElementsAre("kakiyo:linkedin.*"));
  EXPECT_THAT(narrowed({"push"}), testing::ElementsAre("github:push"));
}

// It never gets what it does not declare, though "@source" means everything of one.
TEST_F(PluginOptions, ASourceIsNarrowedByWhatThePluginDeclares) {
  const auto gets = [&](std::string_view source, std::string_view type) {
    plugin.events = patterns({"@orders"});
    const auto options = subscriber_options(plugin, library).value();
    return std::ranges::any_of(options.events, [&](const Pattern& one) { return one.matches(source, "shop", type); });
  };
  library.events = patterns({"linkedin.*"});
  EXPECT_TRUE(gets("orders", "linkedin.message.sent"));
  EXPECT_FALSE(gets("orders", "push"));
  EXPECT_FALSE(gets("others", "linkedin.message.sent"));
  library.events = patterns({"*"});
  EXPECT_TRUE(gets("orders", "push"));
  EXPECT_FALSE(gets("orders", "hookhost.unparsable"));
  library.events = patterns({"*", "hookhost.unparsable"});
  EXPECT_TRUE(gets("orders", "hookhost.unparsable"));
  EXPECT_FALSE(gets("others", "hookhost.unparsable"));
}

TEST_F(PluginOptions, NarrowingToNothingNamesBothLists) {
  plugin.events = patterns({"github:pull_request", "hookhost.*"});
  const auto options = subscriber_options(plugin, library);
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().code, ErrorCode::invalid_config);
  EXPECT_THAT(options.error().message, AllOf(HasSubstr("hookhost.yaml:7:3: plugins.crm.events"), HasSubstr("github:pull_request, hookhost.*"), HasSubstr("linkedin.*, github:push")));
}

TEST_F(PluginOptions, TheOrderIsThePluginsOwnOrAStricterOne) {
  EXPECT_EQ(order("", plugins::Order::key).value(), Kind::key);
  EXPECT_EQ(order("", plugins::Order::none).value(), Kind::none);
  EXPECT_EQ(order("", plugins::Order::all).value(), Kind::all);
  EXPECT_EQ(order("key", plugins::Order::none).value(), Kind::key);
  EXPECT_EQ(order("all", plugins::Order::key).value(), Kind::all);
  EXPECT_EQ(order("/data/chatId", plugins::Order::key).value(), Kind::pointer);
  EXPECT_THAT(order("none", plugins::Order::key).error().message, HasSubstr("plugins.crm.order_by: 'none' is weaker than the order that acme.crm needs"));
  EXPECT_FALSE(order("key", plugins::Order::all));
  EXPECT_FALSE(order("/data/chatId", plugins::Order::all));
}

TEST_F(PluginOptions, ConcurrencyIsForThoseThatAllowIt) {
  EXPECT_EQ(concurrency_of(plugin, library).value(), 1U);
  plugin.concurrency = 3;
  EXPECT_THAT(concurrency_of(plugin, library).error().message, HasSubstr("plugins.crm.concurrency: acme.crm handles one event at a time"));
  library.concurrent = true;
  EXPECT_EQ(concurrency_of(plugin, library).value(), 3U);
  plugin.concurrency.reset();
  EXPECT_GT(concurrency_of(plugin, library).value(), 1U);
}

TEST_F(PluginOptions, AFileThatIsMissingIsNamedWithThePlaceOfItsPlugin) {
  plugin.library = "/nowhere/crm.so";
  const auto prepared = prepare_plugin(plugin, "/nowhere");
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ErrorCode::invalid_config);
  EXPECT_THAT(prepared.error().message, AllOf(HasSubstr("hookhost.yaml:7:3: plugins.crm: "), HasSubstr("/nowhere"), HasSubstr("No such file")));
}

}  // namespace
}  // namespace hookhost::app
