#include <CLI/CLI.hpp>
#include <csignal>
#include <map>
#include <memory>
#include <thread>

#include "api/arguments.h"
#include "app/admin_client.h"
#include "app/printing.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

constexpr auto kKeepEvery = std::chrono::milliseconds{500};

volatile std::sig_atomic_t interrupted = 0;

// The options of one command that go into the call as they are.
struct Wishes {
  std::map<std::string, std::string> texts;
  std::map<std::string, std::vector<std::string>> lists;

  [[nodiscard]] std::string body() const {
    json::object out;
    for (const auto& [name, value] : texts) {
      if (!value.empty()) out[name] = name == "secret" && value == kNoSecret ? "" : value;
    }
    for (const auto& [name, values] : lists) {
      if (!values.empty()) out[name] = json::value_from(values);
    }
    return json::serialize(out);
  }
  static constexpr const char* kNoSecret = "none";
};

std::string path_of(const std::string& id, const char* verb = "") { return "/api/endpoints/" + api::url_encode(id) + verb; }

const std::vector<std::string> kColumns{"id", "name", "state", "origin", "team", "url", "successes", "failures", "held", "paused_reason"};

CommandResult list(const Context& context) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/endpoints", "", ""));
  print_list(context, answer, kColumns);
  return 0;
}

void tell(const Context& context, const std::string& answer, const char* what) {
  if (context.json) {
    context.out << answer << '\n';
    return;
  }
  const json::value parsed = json::parse(answer);
  const json::object& object = parsed.as_object();
  context.out << what;
  if (object.contains("id")) context.out << ' ' << text_of(object, "id");
  if (object.contains("has_secret") && !object.at("has_secret").as_bool() && text_of(object, "signing") != "none" && text_of(object, "signing") != "pass_through") {
    context.out << "; its POSTs are not signed: hookhost endpoint update " << text_of(object, "id") << " --secret SECRET";
  }
  if (object.contains("skipped") && !object.at("skipped").is_null()) context.out << ": " << text_of(object, "skipped") << " events of the time it was off are skipped";
  context.out << '\n';
}

CommandResult call(const Context& context, const std::string& method, const std::string& path, const std::string& body, const char* what) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call(method, path, "", body));
  tell(context, answer, what);
  return 0;
}

void add_wishes(CLI::App* command, Wishes& wishes) {
  command->add_option("--name", wishes.texts["name"], "What people call it");
  command->add_option("--event", wishes.lists["event"], "A pattern of what it gets (*, prefix.*, a type, [provider:], @source); several are allowed");
  command->add_option("--secret", wishes.texts["secret"], "Signs its deliveries; none: no longer");
  command->add_option("--signing", wishes.texts["signing"], "both, kakiyo, standard-webhooks, pass_through, none");
  command->add_option("--profile", wishes.texts["profile"], "kakiyo or standard");
  command->add_option("--retry", wishes.lists["retry"], "The delays between attempts, such as 5s 5m 2h");
  command->add_option("--timeout", wishes.texts["timeout"], "Of one request");
  command->add_option("--concurrency", wishes.texts["concurrency"], "Requests at once");
  command->add_option("--rate", wishes.texts["rate"], "Requests a second; 0: no limit");
  command->add_option("--header", wishes.lists["header"], "'Name: value', sent with each; several are allowed");
}

std::uint64_t number(const json::object& object, const char* member) { return object.at(member).to_number<std::uint64_t>(); }

// Until Ctrl-C, which removes it, or the host's end.
CommandResult watch(const Context& context, AdminClient& client, const std::string& id) {
  const std::string path = "/api/forwards/" + id;
  std::uint64_t successes = 0, failures = 0;
  while (interrupted == 0) {
    HOOKHOST_TRY(const std::string text, client.call("POST", path + "/keep", "", "{}"));
    const json::value parsed = json::parse(text);
    const json::object& now = parsed.as_object();
    if (number(now, "successes") != successes || number(now, "failures") != failures) {
      successes = number(now, "successes");
      failures = number(now, "failures");
      if (context.json) context.out << text << std::endl;
      if (!context.json) context.out << successes << " delivered, " << failures << " attempts failed" << std::endl;
    }
    std::this_thread::sleep_for(kKeepEvery);
  }
  HOOKHOST_CHECK(client.call("DELETE", path, "", ""));
  return 0;
}

CommandResult forward(const Context& context, const std::string& source, const std::string& url, const std::string& from) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_CHECK(client->require_host());
  for (const int one : {SIGINT, SIGTERM}) std::signal(one, [](int) { interrupted = 1; });
  json::object body{{"source", source}, {"url", url}, {"from", from}};
  HOOKHOST_TRY(const auto text, client->call("POST", "/api/forwards", "", json::serialize(body)));
  const json::value made = json::parse(text);
  const std::string id = text_of(made.as_object(), "id");
  if (!context.json) context.out << "forwarding " << source << " to " << url << "; Ctrl-C ends it" << std::endl;
  return watch(context, *client, id);
}

}  // namespace

void add_endpoint(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* endpoint = root.add_subcommand("endpoint", "HTTP receivers of events");
  endpoint->require_subcommand(1);
  endpoint->add_subcommand("list", "List them")->callback([&] { chosen.run = [&] { return list(context); }; });

  CLI::App* add = endpoint->add_subcommand("add", "Register one");
  auto fresh = std::make_shared<Wishes>();
  add->add_option("URL", fresh->texts["url"], "Where events are posted to")->required();
  add_wishes(add, *fresh);
  add->add_option("--team", fresh->texts["team"], "It gets only this team's events");
  add->add_option("--since", fresh->texts["since"], "Where it begins (WHEN); default: now");
  add->callback([&, fresh] { chosen.run = [&, fresh] { return call(context, "POST", "/api/endpoints", fresh->body(), "added"); }; });

  CLI::App* update = endpoint->add_subcommand("update", "Change one; what is not said stays");
  auto changes = std::make_shared<Wishes>();
  auto which = std::make_shared<std::string>();
  update->add_option("ID", *which, "Which one")->required();
  update->add_option("--url", changes->texts["url"], "Where events are posted to");
  add_wishes(update, *changes);
  update->add_option("--secret-grace", changes->texts["secret_grace"], "How long the secret before signs too; default 24h");
  update->callback([&, changes, which] { chosen.run = [&, changes, which] { return call(context, "PUT", path_of(*which), changes->body(), "updated"); }; });

  const std::tuple<const char*, const char*, const char*, const char*> verbs[] = {{"remove", "Delete one that was registered", "DELETE", ""},
                                                                                  {"pause", "Stand still; nothing is lost", "POST", "/pause"},
                                                                                  {"resume", "Go on, with what is held first", "POST", "/resume"}};
  for (const auto& [verb, help, method, tail] : verbs) {
    CLI::App* command = endpoint->add_subcommand(verb, help);
    auto id = std::make_shared<std::string>();
    command->add_option("ID", *id, "Which one")->required();
    command->callback([&, id, method = std::string(method), tail = tail] {
      chosen.run = [&, id, method, tail] { return call(context, method, path_of(*id, tail), method == "POST" ? "{}" : "", "done"); };
    });
  }
}

void add_forward(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* command = root.add_subcommand("forward", "Pass the events of a source on to a URL, for as long as the command runs");
  auto source = std::make_shared<std::string>(), url = std::make_shared<std::string>(), from = std::make_shared<std::string>("now");
  command->add_option("SOURCE", *source, "A source of the configuration")->required();
  command->add_option("URL", *url, "Where to; any address is allowed")->required();
  command->add_option("--from", *from, "Where it begins (WHEN); default: now");
  command->callback([&, source, url, from] { chosen.run = [&, source, url, from] { return forward(context, *source, *url, *from); }; });
}

void add_team(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* team = root.add_subcommand("team", "Teams and their keys to /v1");
  team->require_subcommand(1);
  const auto show = [&] {
    chosen.run = [&]() -> CommandResult {
      HOOKHOST_TRY(auto client, AdminClient::make(context));
      HOOKHOST_TRY(const auto answer, client->call("GET", "/api/team-keys", "", ""));
      print_list(context, answer, {"team", "id", "label", "created_at", "revoked_at"});
      return 0;
    };
  };
  team->add_subcommand("list", "Teams with their keys")->callback(show);
  CLI::App* key = team->add_subcommand("key", "Their keys");
  key->require_subcommand(1);
  key->add_subcommand("list", "List them")->callback(show);
  CLI::App* add = key->add_subcommand("add", "Make one; it is shown once");
  auto whose = std::make_shared<std::string>(), label = std::make_shared<std::string>(), id = std::make_shared<std::string>();
  add->add_option("TEAM", *whose, "The team")->required();
  add->add_option("--label", *label, "What it is for");
  add->callback([&, whose, label] {
    chosen.run = [&, whose, label]() -> CommandResult {
      HOOKHOST_TRY(auto client, AdminClient::make(context));
      HOOKHOST_TRY(const auto answer, client->call("POST", "/api/team-keys", "", json::serialize(json::object{{"team", *whose}, {"label", *label}})));
      const json::value made = json::parse(answer);
      context.out << (context.json ? answer : text_of(made.as_object(), "key")) << '\n';
      if (!context.json) {
        context.err << "this is " << text_of(made.as_object(), "id") << ", shown once and kept as a hash; send it as: Authorization: Bearer <key>\n";
      }
      return 0;
    };
  });
  CLI::App* revoke = key->add_subcommand("revoke", "End one, at once");
  revoke->add_option("ID", *id, "The key's id (key_...)")->required();
  revoke->callback([&, id] { chosen.run = [&, id] { return call(context, "DELETE", "/api/team-keys/" + api::url_encode(*id), "", "revoked"); }; });
}

}  // namespace hookhost::app
