#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>
#include <thread>
#include <unistd.h>

#include "api/arguments.h"
#include "app/admin_client.h"
#include "app/number_option.h"
#include "app/printing.h"
#include "app/rate_option.h"
#include "base/printable.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

struct ReplayOptions {
  std::string subscriber, from, until, key, id, live, rate;
  std::vector<std::string> types;
  bool reset = false, dry_run = false, yes = false, detach = false;
};

volatile std::sig_atomic_t interrupted = 0;

std::string body_of(const ReplayOptions& options, double rate, bool confirmed) {
  json::object out{{"subscriber", options.subscriber}, {"from", options.from}};
  const std::pair<const char*, const std::string*> texts[] = {{"until", &options.until}, {"key", &options.key}, {"id", &options.id}, {"live", &options.live}};
  for (const auto& [name, value] : texts) {
    if (!value->empty()) out[name] = *value;
  }
  if (rate > 0) out["rate"] = rate;
  if (!options.types.empty()) out["type"] = json::value_from(options.types);
  out["reset"] = options.reset;
  out["yes"] = confirmed;
  return json::serialize(out);
}

void print_progress(std::ostream& err, const json::object& progress) {
  const auto handled = progress.at("handled").to_number<std::uint64_t>(), total = progress.at("total").to_number<std::uint64_t>();
  constexpr int kWidth = 30;
  const int filled = total == 0 ? kWidth : static_cast<int>(handled * kWidth / total);
  err << "\r[" << std::string(static_cast<std::size_t>(std::min(filled, kWidth)), '#')
      << std::string(static_cast<std::size_t>(kWidth - std::min(filled, kWidth)), '.') << "] " << handled << "/" << total << "  "
      << text_of(progress, "events_per_second") << "/s  " << text_of(progress, "state") << "   " << std::flush;
}

// Nothing will happen in it soon.
bool is_settled(const json::object& progress) {
  const std::string state = text_of(progress, "state");
  return state == "done" || state == "cancelled" || state == "failed" || state == "blocked";
}

// Ctrl-C stops watching, not the replay.
void catch_interrupts() {
  std::signal(SIGINT, [](int) { interrupted = 1; });
}

// How far it has come, as the last word about it, and whether it did what it was to do.
CommandResult tell_last(const Context& context, const std::string& text, const json::object& progress) {
  const std::string id = text_of(progress, "id"), state = text_of(progress, "state");
  if (context.json) {
    context.out << text << '\n';
  } else {
    context.out << "replay " << id << ": " << state << ", " << text_of(progress, "handled") << " of " << text_of(progress, "total") << " handled, "
                << text_of(progress, "failed") << " failed\n";
  }
  if (state == "failed") return fail(ErrorCode::cancelled, "the replay ended: " + text_of(progress, "reason"));
  if (state == "cancelled") return fail(ErrorCode::cancelled, "the replay was cancelled; " + text_of(progress, "way_out"));
  if (state == "blocked") {
    return fail(ErrorCode::unavailable, "the replay is not done: " + text_of(progress, "blocked_keys") + " keys wait for their next attempt (`hookhost deliveries list --subscriber " +
                                            text_of(progress, "subscriber") + " --state blocked`); it ends by itself when they are through, `hookhost replays watch " + id + "` shows it");
  }
  if (state == "running") context.err << "the replay goes on; `hookhost replays watch " << id << "` shows it\n";
  return 0;
}

// Until it is over, nothing but blocked keys is left, or Ctrl-C.
CommandResult watch(const Context& context, AdminClient& client, const std::string& id) {
  const bool bar = ::isatty(STDERR_FILENO) == 1 && !context.json;
  catch_interrupts();
  for (;;) {
    auto answer = client.call("GET", "/api/replays/" + id, "", "");
    if (!answer && bar) context.err << '\n';
    if (!answer && answer.error().code == ErrorCode::unreachable) {
      return fail(ErrorCode::unreachable, answer.error().message + "; the replay goes on when it is back: hookhost replays watch " + id);
    }
    HOOKHOST_TRY(const std::string text, std::move(answer));
    const json::value parsed = json::parse(text);
    const json::object& progress = parsed.as_object();
    if (bar) print_progress(context.err, progress);
    const bool ends = is_settled(progress) || interrupted != 0;
    if (bar && ends) context.err << '\n';
    if (ends) return tell_last(context, text, progress);
    if (!client.host_runs()) return fail(ErrorCode::unreachable, "no host runs; replay " + id + " goes on when one is started");
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
  }
}

CommandResult replay(const Context& context, const ReplayOptions& options) {
  if (options.reset && options.live == "continue") return fail(ErrorCode::usage, "--reset always waits; remove --live continue");
  HOOKHOST_TRY(const double rate, rate_of(options.rate));
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_TRY(const auto text, client->call("POST", "/api/replays/plan", "", body_of(options, rate, options.yes)));
  const json::value parsed = json::parse(text);
  const json::object& plan = parsed.as_object();
  if (!context.json) {
    context.out << text_of(plan, "matching") << " events, offsets " << text_of(plan, "from") << " to " << text_of(plan, "until") << ", received "
                << text_of(plan, "first_received_at") << " to " << text_of(plan, "last_received_at") << '\n'
                << "live events " << (text_of(plan, "live") == "wait" ? "wait" : "go on beside it") << ": " << text_of(plan, "live_reason") << '\n';
    for (const json::value& note : plan.at("notes").as_array()) context.out << printable(std::string(note.as_string())) << '\n';
  }
  const std::string refusal = client->host_runs() ? text_of(plan, "refusal") : "no host runs; start one, then ask for the replay again";
  if (options.dry_run) {
    if (context.json) {
      context.out << text << '\n';
    } else if (refusal != "-") {
      context.out << "it would be refused: " << refusal << '\n';
    }
    return 0;
  }
  if (refusal != "-") return fail(client->host_runs() ? ErrorCode::refused : ErrorCode::unreachable, refusal);
  bool confirmed = options.yes;
  if (plan.at("needs_confirmation").as_bool() && !confirmed) {
    if (::isatty(STDIN_FILENO) != 1) return fail(ErrorCode::refused, "the plugin wants a confirmation for replays, and nobody can give it here; say --yes");
    context.err << "the plugin may repeat effects. Go on? [y/N] " << std::flush;
    std::string line;
    std::getline(std::cin, line);
    if (line != "y" && line != "yes") return fail(ErrorCode::refused, "not confirmed; nothing was done");
    confirmed = true;
  }
  catch_interrupts();  // from here on there may be a replay
  HOOKHOST_TRY(const auto started, client->call("POST", "/api/replays", "", body_of(options, rate, confirmed)));
  const json::value progress = json::parse(started);
  const std::string id = text_of(progress.as_object(), "id");
  if (options.detach) {
    context.out << (context.json ? started : "replay " + id + " runs; `hookhost replays watch " + id + "` shows it") << '\n';
    return 0;
  }
  return watch(context, *client, id);
}

}  // namespace

void add_replay(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* command = root.add_subcommand("replay", "Hand events of the event log to a subscriber again");
  auto options = std::make_shared<ReplayOptions>();
  command->add_option("SUBSCRIBER", options->subscriber, "Who gets them")->required();
  command->add_option("--from", options->from, "beginning, an offset, an age (30d) or a time")->required();
  command->add_option("--until", options->until, "The same; exclusive");
  command->add_option("--type", options->types, "Only types that match this pattern")->allow_extra_args(false);
  command->add_option("--key", options->key, "Only this key");
  command->add_option("--id", options->id, "Only this event");
  command->add_option("--live", options->live, "wait or continue: what happens to live events meanwhile");
  command->add_flag("--reset", options->reset, "Clear the subscriber's kv and position first and start over");
  command->add_option("--rate", options->rate, "At most N/s");
  command->add_flag("--dry-run", options->dry_run, "Only count and say what would be refused");
  command->add_flag("--yes", options->yes, "Confirm");
  command->add_flag("--no-watch", options->detach, "Do not wait for its end");
  command->callback([&, options] { chosen.run = [&, options] { return replay(context, *options); }; });
}

void add_replays(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* replays = root.add_subcommand("replays", "Replays that run or ran");
  replays->require_subcommand(1);
  replays->add_subcommand("list", "List them")->callback([&] {
    chosen.run = [&]() -> CommandResult {
      HOOKHOST_TRY(auto client, AdminClient::make(context));
      HOOKHOST_TRY(const auto answer, client->call("GET", "/api/replays", "", ""));
      print_list(context, answer, {"id", "subscriber", "mode", "state", "from", "until", "handled", "total", "failed", "created_at"});
      return 0;
    };
  });
  for (const std::string verb : {"watch", "cancel", "resume"}) {
    CLI::App* command = replays->add_subcommand(verb, verb == "watch" ? "Show how far one is" : verb == "cancel" ? "End one where it is" : "Let a cancelled one go on");
    auto id = std::make_shared<std::string>();
    command->add_option("ID", *id, "The replay's id")->required()->check(whole_number);
    command->callback([&, verb, id] {
      chosen.run = [&, verb, id]() -> CommandResult {
        HOOKHOST_TRY(auto client, AdminClient::make(context));
        if (verb == "watch") return watch(context, *client, api::url_encode(*id));
        HOOKHOST_CHECK(client->require_host());
        HOOKHOST_TRY(const auto answer, client->call("POST", "/api/replays/" + api::url_encode(*id) + "/" + verb, "", "{}"));
        context.out << (context.json ? answer : "done") << '\n';
        return 0;
      };
    });
  }
}

}  // namespace hookhost::app
