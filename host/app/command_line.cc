#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/version.h"

namespace hookhost::app {
namespace {

int report(const Error& error, const Context& context) {
  context.err << "hookhost: " << error.message << '\n';
  return exit_code(error.code);
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
                         add_dead_letters, add_replay, add_replays, add_plugin}) {
    add(root, context, chosen);
  }
  try {
    root.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    const int status = root.exit(error, out, err);
    return status == 0 ? 0 : exit_code(ErrorCode::usage);
  }
  const CommandResult result = chosen.run();
  out.flush();
  return result ? result.value() : report(result.error(), context);
}

}  // namespace hookhost::app
