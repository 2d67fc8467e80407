#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "app/command.h"
#include "app/version.h"
#include "base/printable.h"

namespace hookhost::app {
namespace {

int report(const Error& error, const Context& context) {
  context.err << "hookhost: " << printable(error.message, Lines::kept) << '\n';
  return exit_code(error.code);
}

// Commands that the documentation speaks of and a later version brings.
constexpr std::array kLater{"backup", "events export", "events import", "plugin check", "plugin reload"};

// The words of the line as far as they name commands, and the first that does not; empty when no word is left over.
std::string unknown_command(const CLI::App& root) {
  const auto rest = root.remaining(true);
  const auto word = std::find_if(rest.begin(), rest.end(), [](const std::string& one) { return !one.starts_with('-'); });
  if (word == rest.end()) return {};
  std::string name;
  const CLI::App* at = &root;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += at->get_name() + ' ';
  }
  if (at->get_subcommands([](const CLI::App*) { return true; }).empty()) return {};  // a command it is: the word is an argument too many
  return name + *word;
}

int report(const CLI::ParseError& error, const CLI::App& root, const Context& context) {
  const bool wants_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  const std::string name = wants_command ? unknown_command(root) : std::string();
  if (name.empty()) return root.exit(error, context.out, context.err) == 0 ? 0 : exit_code(ErrorCode::usage);
  const bool is_later = std::find(kLater.begin(), kLater.end(), name) != kLater.end();
  context.err << "hookhost: " << (is_later ? "'" + name + "' is not yet available in this version" : "there is no command '" + name + "'")
              << "; hookhost --help names those there are\n";
  return exit_code(ErrorCode::usage);
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  Context context{.config_path = {}, .json = false, .out = out, .err = err};
  Chosen chosen;
  CLI::App root{"hookhost receives webhooks, never loses one, and runs your code on them.", "hookhost"};
  root.set_version_flag("--version", std::string("hookhost ") + kVersion);
  root.require_subcommand(1);
  root.fallthrough();  // -c and --json may stand anywhere on the line
  root.add_option("-c,--config", context.config_path, "The configuration (default: ./conf/hookhost.yaml, then /etc/hookhost/hookhost.yaml)");
  root.add_flag("--json", context.json, "Print one JSON object a line");
  for (const auto add : {add_serve, add_check, add_reload, add_status, add_send, add_verify, add_types, add_events, add_deliveries,
                         add_dead_letters, add_replay, add_replays, add_plugin, add_endpoint, add_forward, add_team}) {
    add(root, context, chosen);
  }
  try {
    root.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return report(error, root, context);
  }
  const CommandResult result = chosen.run();
  if (!result) return report(result.error(), context);
  if (out.flush()) return result.value();
  return report(Error{ErrorCode::io_error, "the output could not be written"}, context);
}

}  // namespace hookhost::app
