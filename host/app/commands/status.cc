#include <CLI/CLI.hpp>
#include <memory>

#include "api/arguments.h"
#include "app/admin_client.h"
#include "app/printing.h"
#include "base/printable.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

const std::vector<std::string> kColumns{"name", "kind", "state", "position", "lag_events", "lag_seconds", "blocked_keys", "pending", "dead_letters"};

// Not well: a subscriber that is not fed though nobody paused it, dead letters or gaps that nobody looked at.
void complain(const json::object& one, std::vector<std::string>& out) {
  const std::string name = text_of(one, "name"), state = text_of(one, "state");
  if (state == "stopped" || state == "failed" || state == "waiting") {
    out.push_back(name + " is " + state + ": " + text_of(one, "reason") + (one.at("way_out").is_null() ? "" : "; " + text_of(one, "way_out")));
  }
  for (const char* member : {"dead_letters", "held", "gaps"}) {
    if (text_of(one, member) != "0") out.push_back(name + " has " + text_of(one, member) + " " + member);
  }
}

// Of all subscribers, plugins that say they are not well or go on with what they had, and an event log that refuses.
std::vector<std::string> complaints(const json::object& status) {
  std::vector<std::string> out;
  if (!status.at("ready").as_bool()) out.push_back("events are refused: " + text_of(status, "not_ready_because"));
  for (const json::value& value : status.at("subscribers").as_array()) complain(value.as_object(), out);
  const json::value* plugins = status.if_contains("plugins");  // a host of before has none
  if (plugins == nullptr) return out;
  for (const json::value& value : plugins->as_array()) {
    const json::object& plugin = value.as_object();
    if (text_of(plugin, "state") == "degraded") out.push_back("plugin " + text_of(plugin, "name") + " is degraded: " + text_of(plugin, "error"));
  }
  return out;
}

const char* said_of(const AdminClient& client) { return client.host_runs() ? "host: running\n" : "host: not running\n"; }

CommandResult status(const Context& context, const std::string& subscriber, bool check) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  if (!subscriber.empty()) {
    HOOKHOST_TRY(const auto one, client->call("GET", "/api/subscribers/" + api::url_encode(subscriber), "", ""));
    const json::value parsed_one = json::parse(one);
    if (context.json) {
      context.out << one << '\n';
    } else {
      context.out << said_of(*client);
      for (const auto& member : parsed_one.as_object()) {
        context.out << std::string(member.key()) << ": " << text_of(json::object{{"v", member.value()}}, "v") << '\n';
      }
    }
    std::vector<std::string> problems;
    complain(parsed_one.as_object(), problems);
    return check && !problems.empty() ? 1 : 0;
  }
  HOOKHOST_TRY(const auto text, client->call("GET", "/api/status", "", ""));
  const json::value parsed = json::parse(text);
  const json::object& all = parsed.as_object();
  const auto problems = complaints(all);
  if (context.json) {
    print_lines(context.out, all.at("subscribers"), kColumns);
  } else {
    const json::object& log = all.at("event_log").as_object();
    context.out << said_of(*client) << "event log: offsets " << text_of(log, "begin") << " to "
                << text_of(log, "end") << ", " << text_of(log, "record_bytes") << " bytes in " << text_of(log, "segments") << " segments\n";
    print_table(context.out, all.at("subscribers"), kColumns);
    for (const auto& problem : problems) context.out << "attention: " << problem << '\n';
  }
  return check && !problems.empty() ? 1 : 0;
}

CommandResult reload(const Context& context, bool dry_run) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  if (const auto runs = client->require_host(); !runs) {
    return fail(runs.error().code, "no host runs in " + client->config().data_dir +
                                       "; one that starts reads the configuration. When data_dir was changed, SIGHUP reaches the one that runs");
  }
  HOOKHOST_TRY(const auto text, client->call("POST", "/api/reload", "", dry_run ? R"({"dry_run":true})" : "{}"));
  const json::value parsed = json::parse(text);
  const json::object& report = parsed.as_object();
  const json::array& failed = report.at("failed").as_array();
  if (context.json) {
    context.out << text << '\n';
    return failed.empty() ? 0 : 1;
  }
  for (const json::value& one : report.at("changes").as_array()) context.out << printable(std::string(one.as_string())) << '\n';
  for (const json::value& one : report.at("needs_restart").as_array()) context.out << printable(std::string(one.as_string())) << ": changed, needs restart\n";
  if (report.at("changes").as_array().empty() && report.at("needs_restart").as_array().empty()) context.out << "nothing changed\n";
  for (const json::value& one : failed) context.err << printable(std::string(one.as_string())) << '\n';
  return failed.empty() ? 0 : 1;
}

}  // namespace

void add_status(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* command = root.add_subcommand("status", "How the host and its subscribers are");
  auto subscriber = std::make_shared<std::string>();
  auto check = std::make_shared<bool>(false);
  command->add_option("SUBSCRIBER", *subscriber, "One subscriber, in full");
  command->add_flag("--check", *check, "Exit with 1 when something wants attention");
  command->callback([&, subscriber, check] { chosen.run = [&, subscriber, check] { return status(context, *subscriber, *check); }; });
}

void add_reload(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* command = root.add_subcommand("reload", "Apply the changed configuration; an invalid one changes nothing");
  auto dry_run = std::make_shared<bool>(false);
  command->add_flag("--dry-run", *dry_run, "Only say what would change");
  command->callback([&, dry_run] { chosen.run = [&, dry_run] { return reload(context, *dry_run); }; });
}

}  // namespace hookhost::app
