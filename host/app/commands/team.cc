#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "api/arguments.h"
#include "app/admin_client.h"
#include "app/printing.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

CommandResult list_keys(const Context& context) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/team-keys", "", ""));
  print_list(context, answer, {"team", "id", "label", "state", "created_at", "revoked_at"});
  const json::value all = json::parse(answer);
  const bool refused = std::ranges::any_of(all.as_array(), [](const auto& key) { return text_of(key.as_object(), "state") == "refused"; });
  if (refused && !context.json) {
    context.err << "refused: the key's team does not stand under teams in the configuration; add it there and reload, or revoke the key\n";
  }
  return 0;
}

CommandResult add_key(const Context& context, const std::string& team, const std::string& label) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("POST", "/api/team-keys", "", json::serialize(json::object{{"team", team}, {"label", label}})));
  const json::value made = json::parse(answer);
  context.out << (context.json ? answer : text_of(made.as_object(), "key")) << '\n';
  if (!context.json) {
    context.err << "this is " << text_of(made.as_object(), "id") << ", shown once and kept as a hash; send it as: Authorization: Bearer <key>\n";
  }
  return 0;
}

CommandResult revoke_key(const Context& context, const std::string& id) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("DELETE", "/api/team-keys/" + api::url_encode(id), "", ""));
  context.out << (context.json ? answer : "revoked") << '\n';
  return 0;
}

}  // namespace

void add_team(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* team = root.add_subcommand("team", "Teams and their keys to /v1");
  team->require_subcommand(1);
  const auto show = [&] { chosen.run = [&] { return list_keys(context); }; };
  team->add_subcommand("list", "Teams with their keys")->callback(show);
  CLI::App* key = team->add_subcommand("key", "Their keys");
  key->require_subcommand(1);
  key->add_subcommand("list", "List them")->callback(show);
  CLI::App* add = key->add_subcommand("add", "Make one; it is shown once");
  auto whose = std::make_shared<std::string>(), label = std::make_shared<std::string>(), id = std::make_shared<std::string>();
  add->add_option("TEAM", *whose, "The team, as its events name it: letters, digits, '_', '-' and '.', at most 64")->required();
  add->add_option("--label", *label, "What it is for");
  add->callback([&, whose, label] { chosen.run = [&, whose, label] { return add_key(context, *whose, *label); }; });
  CLI::App* revoke = key->add_subcommand("revoke", "End one, at once");
  revoke->add_option("ID", *id, "The key's id (key_...)")->required();
  revoke->callback([&, id] { chosen.run = [&, id] { return revoke_key(context, *id); }; });
}

}  // namespace hookhost::app
