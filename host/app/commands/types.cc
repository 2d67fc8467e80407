#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "api/example_events.h"
#include "app/command.h"

namespace hookhost::app {
namespace {

CommandResult list(const Context& context) {
  for (const api::ExampleEvent& example : api::example_events()) {
    if (context.json) {
      context.out << boost::json::serialize(boost::json::object{{"provider", example.provider},
                                                                {"type", example.type},
                                                                {"description", example.description},
                                                                {"documented", example.documented}})
                  << '\n';
    } else {
      context.out << example.provider << ':' << example.type << "\n    " << example.description << '\n';
    }
  }
  return 0;
}

CommandResult print_example(const Context& context, const std::string& name) {
  const auto colon = name.find(':');
  const std::string provider = colon == std::string::npos ? "" : name.substr(0, colon);
  const std::string type = colon == std::string::npos ? name : name.substr(colon + 1);
  const api::ExampleEvent* example = api::find_example(provider, type);
  if (example == nullptr) {
    return fail(ErrorCode::not_found, "there is no example of '" + name + "'; `hookhost types list` names those there are");
  }
  context.out << example->body << '\n';
  return 0;
}

}  // namespace

void add_types(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* types = root.add_subcommand("types", "The event types hookhost has examples of");
  types->require_subcommand(1);
  types->add_subcommand("list", "Name them")->callback([&] { chosen.run = [&] { return list(context); }; });
  CLI::App* example = types->add_subcommand("example", "Print one example payload");
  auto name = std::make_shared<std::string>();
  example->add_option("TYPE", *name, "The type, or provider:type")->required();
  example->callback([&, name] { chosen.run = [&, name] { return print_example(context, *name); }; });
}

}  // namespace hookhost::app
