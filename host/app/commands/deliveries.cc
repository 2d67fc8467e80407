#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "api/arguments.h"
#include "app/admin_client.h"
#include "app/number_option.h"
#include "app/printing.h"
#include "base/printable.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

// The options of one command that go into the call as they are.
using Texts = std::map<std::string, std::string>;

std::string query_of(const Texts& texts) {
  std::string out;
  for (const auto& [name, value] : texts) {
    if (!value.empty()) out += (out.empty() ? "" : "&") + name + "=" + api::url_encode(value);
  }
  return out;
}

std::string body_of(const Texts& texts, bool all) {
  json::object out;
  for (const auto& [name, value] : texts) {
    if (!value.empty()) out[name] = value;
  }
  if (all) out["all"] = true;
  return json::serialize(out);
}

const std::vector<std::string> kDeliveries{"subscriber", "offset", "id", "type", "state", "attempts", "next_attempt_at", "last_outcome", "last_error"};
const std::vector<std::string> kLetters{"subscriber", "offset", "id", "type", "state", "reason", "attempts", "parked_at", "last_error"};

const std::vector<std::string> kAttempts{"at", "offset", "id", "type", "attempt", "outcome", "status", "took_ms", "error", "answer"};

CommandResult list_deliveries(const Context& context, const Texts& texts) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/deliveries", query_of(texts), ""));
  const json::value all = json::parse(answer);
  if (context.json) {
    print_lines(context.out, all, kDeliveries);
  } else {
    print_table(context.out, all, kDeliveries);
  }
  return 0;
}

CommandResult list_attempts(const Context& context, Texts texts, const std::string& limit) {
  for (const char* other : {"state", "key"}) {
    if (!texts[other].empty()) return fail(ErrorCode::usage, std::string("--") + other + " is of deliveries; attempts are chosen by --subscriber and --event");
  }
  texts["limit"] = limit;
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/attempts", query_of(texts), ""));
  print_list(context, answer, kAttempts);
  return 0;
}

// One event's, each with its attempts: for people as two tables.
CommandResult show_deliveries(const Context& context, const Texts& texts) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/deliveries/history", query_of(texts), ""));
  const json::value all = json::parse(answer);
  if (all.as_array().empty()) {
    return fail(ErrorCode::not_found, "no such delivery is on its way, and with --subscriber no attempt of one that is over is kept: hookhost deliveries list shows those there are");
  }
  std::vector<std::string> members = kDeliveries;
  members.emplace_back("history");
  if (context.json) {
    print_lines(context.out, all, members);
    return 0;
  }
  print_table(context.out, all, kDeliveries);
  for (const json::value& one : all.as_array()) {
    context.out << '\n';
    print_table(context.out, one.at("history"), kAttempts);
  }
  return 0;
}

CommandResult list_letters(const Context& context, const Texts& texts) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/dead-letters", query_of(texts), ""));
  print_list(context, answer, kLetters);
  return 0;
}

CommandResult change(const Context& context, const std::string& path, const Texts& texts, bool all) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  auto changed = client->call("POST", path, "", body_of(texts, all));
  const bool delivers = path.find("/retry") != std::string::npos;
  if (!changed && changed.error().code != ErrorCode::usage && delivers) HOOKHOST_CHECK(client->require_host());
  HOOKHOST_TRY(const std::string answer, std::move(changed));
  if (context.json) {
    context.out << answer << '\n';
  } else {
    const json::value parsed = json::parse(answer);
    context.out << "done" << (parsed.as_object().contains("count") ? ": " + text_of(parsed.as_object(), "count") : "") << '\n';
  }
  return 0;
}

CommandResult show(const Context& context, const std::string& subscriber, const std::string& offset, const std::string& stream) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto answer, client->call("GET", "/api/dead-letters/" + api::url_encode(subscriber) + "/" + stream + "/" + offset, "", ""));
  context.out << printable(answer) << '\n';
  return 0;
}

}  // namespace

void add_deliveries(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* deliveries = root.add_subcommand("deliveries", "What is on its way to subscribers, and what was tried");
  deliveries->require_subcommand(1);
  auto texts = std::make_shared<Texts>();
  const auto options = [&](CLI::App* command, const char* event) {
    command->add_option("--subscriber", (*texts)["subscriber"], "Of this subscriber");
    command->add_option("--state", (*texts)["state"], "pending, running, blocked or behind");
    command->add_option("--key", (*texts)["key"], "Of keys that contain this");
    return command->add_option(event, (*texts)["event"], "Of the event with this offset or id");
  };
  CLI::App* list = deliveries->add_subcommand("list", "List those on their way");
  options(list, "--event");
  auto tried = std::make_shared<bool>(false);
  auto limit = std::make_shared<std::string>();
  CLI::Option* attempts = list->add_flag("--attempts", *tried, "Instead, what was tried of --subscriber, the newest first, with what was answered");
  list->add_option("--limit", *limit, "At most this many attempts; default: 100, 0: all")->check(whole_number)->needs(attempts);
  list->callback([&, texts, tried, limit] {
    chosen.run = [&, texts, tried, limit] { return *tried ? list_attempts(context, *texts, *limit) : list_deliveries(context, *texts); };
  });
  CLI::App* show = deliveries->add_subcommand("show", "Those of one event with their attempts; with --subscriber also one that is over");
  options(show, "EVENT,--event")->required();
  show->callback([&, texts] { chosen.run = [&, texts] { return show_deliveries(context, *texts); }; });
  CLI::App* retry = deliveries->add_subcommand("retry-now", "Try a waiting delivery again at once");
  auto target = std::make_shared<Texts>();
  retry->add_option("--subscriber", (*target)["subscriber"], "The subscriber")->required();
  retry->add_option("--event", (*target)["event"], "The event's offset or id")->required();
  retry->callback([&, target] { chosen.run = [&, target] { return change(context, "/api/deliveries/retry-now", *target, false); }; });
}

void add_dead_letters(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* letters = root.add_subcommand("dead-letters", "Events that could not be handled, and those held for a resume");
  letters->require_subcommand(1);
  auto texts = std::make_shared<Texts>();
  auto everything = std::make_shared<bool>(false);
  const auto options = [&](CLI::App* command) {
    command->add_option("--subscriber", (*texts)["subscriber"], "Of this subscriber");
    command->add_option("--type", (*texts)["type"], "Of types that match this pattern");
    command->add_option("--since", (*texts)["since"], "Parked since: an age or a time; or from this offset on");
    command->add_option("--offset", (*texts)["offset"], "The one event")->check(whole_number);
  };
  CLI::App* all = letters->add_subcommand("list", "List them");
  options(all);
  all->callback([&, texts] { chosen.run = [&, texts] { return list_letters(context, *texts); }; });
  for (const char* verb : {"retry", "discard"}) {
    CLI::App* command = letters->add_subcommand(verb, std::string(verb) == "retry" ? "Deliver again, with fresh attempts" : "Forget for good");
    options(command);
    command->add_flag("--all", *everything, "All that are meant, not only one");
    const std::string path = std::string("/api/dead-letters/") + verb;
    command->callback([&, texts, everything, path] { chosen.run = [&, texts, everything, path] { return change(context, path, *texts, *everything); }; });
  }
  CLI::App* one = letters->add_subcommand("show", "One in full, with its body");
  auto subscriber = std::make_shared<std::string>(), offset = std::make_shared<std::string>(), stream = std::make_shared<std::string>("0");
  one->add_option("SUBSCRIBER", *subscriber, "The subscriber")->required();
  one->add_option("OFFSET", *offset, "The event's offset")->required()->check(whole_number);
  one->add_option("--replay", *stream, "The id of the replay in which it failed")->check(whole_number);
  one->callback([&, subscriber, offset, stream] { chosen.run = [&, subscriber, offset, stream] { return show(context, *subscriber, *offset, *stream); }; });
}

}  // namespace hookhost::app
