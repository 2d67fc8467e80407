#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "api/arguments.h"
#include "app/admin_client.h"
#include "app/printing.h"
#include "app/secret_option.h"
#include "base/bytes.h"
#include "signing/digest.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kSecretBytes = 24;

// What a command says of one endpoint; most of it goes into the call as it is.
struct Wishes {
  std::map<std::string, std::string> texts;
  std::map<std::string, std::vector<std::string>> lists;
  SecretOption secret;
  bool no_secret = false, new_secret = false;
  bool backlog = false;
  std::string generated;  // by this command, to be shown once

  [[nodiscard]] bool signs() const {
    const auto signing = texts.find("signing");
    return signing == texts.end() || (signing->second != "pass_through" && signing->second != "none");
  }
  // Error: usage, when what is said of the secret cannot be.
  [[nodiscard]] Result<std::string> body() {
    json::object out;
    for (const auto& [name, value] : texts) {
      if (!value.empty()) out[name] = value;
    }
    for (const auto& [name, values] : lists) {
      if (!values.empty()) out[name] = json::value_from(values);
    }
    if (backlog) out["backlog"] = true;
    if (int{secret.given()} + int{no_secret} + int{new_secret} > 1) {
      return fail(ErrorCode::usage, "one of --secret-env, --secret-file, --new-secret and --no-secret is enough");
    }
    if (new_secret) generated = "whsec_" + to_base64(signing::random_bytes(kSecretBytes));
    if (secret.given()) {
      HOOKHOST_TRY(const std::string given, read_secret(secret));
      out["secret"] = given;
    } else if (no_secret || new_secret) {
      out["secret"] = generated;
    }
    return json::serialize(out);
  }
};

std::string path_of(const std::string& id, const char* verb = "") { return "/api/endpoints/" + api::url_encode(id) + verb; }

const std::vector<std::string> kColumns{"id", "name", "state", "origin", "team", "url", "successes", "failures", "held", "paused_reason"};

CommandResult list(const Context& context) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/endpoints", "", ""));
  print_list(context, answer, kColumns);
  return 0;
}

CommandResult call(const Context& context, const std::string& method, const std::string& path) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call(method, path, "", method == "POST" ? "{}" : ""));
  context.out << (context.json ? answer : "done") << '\n';
  return 0;
}

CommandResult put(const Context& context, const std::string& method, const std::string& path, Wishes& wishes, const char* what) {
  HOOKHOST_TRY(const std::string body, wishes.body());
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call(method, path, "", body));
  json::value parsed = json::parse(answer);
  json::object& object = parsed.as_object();
  if (!wishes.generated.empty()) object["secret"] = wishes.generated;
  if (context.json) {
    context.out << json::serialize(object) << '\n';
    return 0;
  }
  const std::string id = text_of(object, "id"), signing = text_of(object, "signing");
  context.out << what << ' ' << id;
  if (!object.at("has_secret").as_bool() && signing != "none" && signing != "pass_through") {
    context.out << "; its POSTs are not signed: hookhost endpoint update " << id << " --new-secret";
  }
  if (object.contains("skipped") && !object.at("skipped").is_null()) {
    context.out << ": " << text_of(object, "skipped") << " deliveries of the time it was off, or not made by then, are skipped";
    if (object.at("replay_cancelled").as_bool()) context.out << ", and its replay is cancelled";
  }
  if (wishes.texts["active"] == "true" && text_of(object, "state") == "paused") {
    context.out << "; it stays paused: hookhost endpoint resume " << id << " lets it go on";
  }
  context.out << '\n';
  if (wishes.generated.empty()) return 0;
  context.out << "secret " << wishes.generated << '\n';
  context.err << "the secret is shown once; X-Kakiyo-Signature is made with all of it, webhook-signature with the Base64 behind whsec_\n";
  return 0;
}

void add_wishes(CLI::App* command, Wishes& wishes) {
  command->add_option("--name", wishes.texts["name"], "What people call it");
  command->add_option("--event", wishes.lists["event"], "A pattern of what it gets (*, prefix.*, a type, [provider:], @source); several are allowed");
  add_secret_options(command, wishes.secret);
  command->add_flag("--no-secret", wishes.no_secret, "Its deliveries are not signed");
  command->add_option("--signing", wishes.texts["signing"], "both, kakiyo, standard-webhooks, pass_through, none");
  command->add_option("--profile", wishes.texts["profile"], "kakiyo or standard");
  command->add_option("--retry", wishes.lists["retry"], "The delays between attempts, such as 5s 5m 2h");
  command->add_option("--timeout", wishes.texts["timeout"], "Of one request");
  command->add_option("--concurrency", wishes.texts["concurrency"], "Requests at once");
  command->add_option("--rate", wishes.texts["rate"], "Requests a second; 0: no limit");
  command->add_option("--header", wishes.lists["header"], "'Name: value', sent with each; several are allowed");
}

void add_add(CLI::App& endpoint, Context& context, Chosen& chosen) {
  CLI::App* command = endpoint.add_subcommand("add", "Register one; without a secret it gets a new one, which is shown once");
  auto wishes = std::make_shared<Wishes>();
  command->add_option("URL", wishes->texts["url"], "Where events are posted to")->required();
  add_wishes(command, *wishes);
  command->add_option("--team", wishes->texts["team"], "It gets only this team's events");
  command->add_option("--since", wishes->texts["since"], "Where it begins (WHEN); default: now");
  command->callback([&, wishes] {
    chosen.run = [&, wishes] {
      wishes->new_secret = !wishes->secret.given() && !wishes->no_secret && wishes->signs();
      return put(context, "POST", "/api/endpoints", *wishes, "added");
    };
  });
}

void add_update(CLI::App& endpoint, Context& context, Chosen& chosen) {
  CLI::App* command = endpoint.add_subcommand("update", "Change one; what is not said stays");
  auto wishes = std::make_shared<Wishes>();
  auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "Which one")->required();
  command->add_option("--url", wishes->texts["url"], "Where events are posted to");
  add_wishes(command, *wishes);
  command->add_flag("--new-secret", wishes->new_secret, "It gets a new one, which is shown once");
  command->add_option("--secret-grace", wishes->texts["secret_grace"], "How long the secret before signs too; default 24h; alone: of the rotation under way, 0s ends it");
  CLI::Option* active = command->add_option("--active", wishes->texts["active"], "true or false: its owner's switch. Switched on it goes on from now; disabled by the host, with what is held")
                            ->check(CLI::IsMember({"true", "false"}));
  command->add_flag("--backlog", wishes->backlog, "With --active true: what came while it was off is delivered too")->needs(active);
  command->callback([&, wishes, id] { chosen.run = [&, wishes, id] { return put(context, "PUT", path_of(*id), *wishes, "updated"); }; });
}

}  // namespace

void add_endpoint(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* endpoint = root.add_subcommand("endpoint", "HTTP receivers of events");
  endpoint->require_subcommand(1);
  endpoint->add_subcommand("list", "List them")->callback([&] { chosen.run = [&] { return list(context); }; });
  add_add(*endpoint, context, chosen);
  add_update(*endpoint, context, chosen);

  struct Verb {
    const char *name, *help, *method, *tail;
  };
  for (const Verb& verb : {Verb{"remove", "Delete every trace of one that was registered, or that has left the configuration", "DELETE", ""},
                           Verb{"pause", "Stand still, whatever its owner wishes; nothing is lost", "POST", "/pause"},
                           Verb{"resume", "Go on: paused, stopped, held or switched off; with what is held first", "POST", "/resume"}}) {
    CLI::App* command = endpoint->add_subcommand(verb.name, verb.help);
    auto id = std::make_shared<std::string>();
    command->add_option("ID", *id, "Which one")->required();
    command->callback([&, id, verb] { chosen.run = [&, id, verb] { return call(context, verb.method, path_of(*id, verb.tail)); }; });
  }
}

}  // namespace hookhost::app
