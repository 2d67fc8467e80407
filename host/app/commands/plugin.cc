#include <CLI/CLI.hpp>
#include <memory>

#include "api/arguments.h"
#include "app/admin_client.h"
#include "app/plugin_template.h"
#include "app/printing.h"
#include "os/file_system.h"

namespace hookhost::app {
namespace {

CommandResult list(const Context& context) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/plugins", "", ""));
  print_list(context, answer, {"name", "state", "id", "version", "library", "error"});
  return 0;
}

CommandResult change(const Context& context, const std::string& verb, const std::string& name) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  const std::string path = "/api/subscribers/" + api::url_encode(name);
  HOOKHOST_TRY(const auto answer, verb == "forget" ? client->call("DELETE", path, "", "") : client->call("POST", path + "/" + verb, "", "{}"));
  context.out << (context.json ? answer : "done") << '\n';
  return 0;
}

}  // namespace

void add_plugin(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* plugin = root.add_subcommand("plugin", "Handler plugins");
  plugin->require_subcommand(1);
  CLI::App* fresh = plugin->add_subcommand("new", "Write a project for a new plugin, ready to build");
  auto name = std::make_shared<std::string>(), language = std::make_shared<std::string>("cpp");
  fresh->add_option("NAME", *name, "Its name and directory")->required();
  fresh->add_option("--lang", *language, "cpp or c")->check(CLI::IsMember({"cpp", "c"}));
  fresh->callback([&, name, language] {
    chosen.run = [&, name, language]() -> CommandResult {
      HOOKHOST_CHECK(write_plugin_project(*name, os::file_name(*name), *language == "c"));
      if (context.json) {
        context.out << boost::json::object{{"directory", *name}, {"language", *language}} << '\n';
      } else {
        context.out << "wrote " << *name << "/; its README.md says how to build and enable it\n";
      }
      return 0;
    };
  });
  add_plugin_test(*plugin, context, chosen);
  plugin->add_subcommand("list", "The configured ones")->callback([&] { chosen.run = [&] { return list(context); }; });
  const std::pair<const char*, const char*> verbs[] = {{"pause", "Stand still; nothing is lost"},
                                                       {"resume", "Go on: paused, stopped or held"},
                                                       {"acknowledge-gaps", "Events that retention removed are known"},
                                                       {"forget", "Delete the position and kv of one that is no longer configured"}};
  for (const auto& [verb, help] : verbs) {
    CLI::App* command = plugin->add_subcommand(verb, help);
    auto which = std::make_shared<std::string>();
    command->add_option("NAME", *which, "Its name in the configuration")->required();
    command->callback([&, verb = std::string(verb), which] { chosen.run = [&, verb, which] { return change(context, verb, *which); }; });
  }
}

}  // namespace hookhost::app
