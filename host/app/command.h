// What all commands share: the global options, where output goes, and how a failure becomes an exit status.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace hookhost::app {

// One process, one command. `out` is for results, `err` for people.
struct Context {
  std::string config_path;  // empty: the two default places
  bool json = false;
  std::ostream& out;
  std::ostream& err;
};

// What a command ends with: an exit status, or an Error whose code decides the status (DESIGN 6.2: 0 done, 1 failed, 2 usage or refused,
// 3 not found, 4 host not reachable, 70 poisoned).
using CommandResult = Result<int>;

// Remembers which command the line asks for; run by run_command_line().
struct Chosen {
  std::function<CommandResult()> run;
};

// Each of these adds its command with its options to `root` and, when the line names it, puts its body into `chosen`.
void add_serve(CLI::App& root, Context& context, Chosen& chosen);
void add_check(CLI::App& root, Context& context, Chosen& chosen);
void add_reload(CLI::App& root, Context& context, Chosen& chosen);
void add_status(CLI::App& root, Context& context, Chosen& chosen);
void add_send(CLI::App& root, Context& context, Chosen& chosen);
void add_verify(CLI::App& root, Context& context, Chosen& chosen);
void add_types(CLI::App& root, Context& context, Chosen& chosen);
void add_events(CLI::App& root, Context& context, Chosen& chosen);
void add_deliveries(CLI::App& root, Context& context, Chosen& chosen);
void add_dead_letters(CLI::App& root, Context& context, Chosen& chosen);
void add_replay(CLI::App& root, Context& context, Chosen& chosen);
void add_replays(CLI::App& root, Context& context, Chosen& chosen);
void add_plugin(CLI::App& root, Context& context, Chosen& chosen);
void add_endpoint(CLI::App& root, Context& context, Chosen& chosen);
void add_forward(CLI::App& root, Context& context, Chosen& chosen);
void add_team(CLI::App& root, Context& context, Chosen& chosen);
void add_plugin_test(CLI::App& plugin, Context& context, Chosen& chosen);  // `plugin test`

// The whole command line, without the program's name. Returns the exit status.
int run_command_line(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace hookhost::app
