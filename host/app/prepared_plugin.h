// From a plugin's lines in the configuration to what could run: its file, its options and its config are read and judged.
#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "delivery/options.h"
#include "plugins/library.h"

namespace hookhost::app {

// A plugin whose file, options and config were found good. Nothing of it runs yet but its library's entry.
struct PreparedPlugin {
  std::shared_ptr<const plugins::Library> library;
  delivery::SubscriberOptions options;
  std::uint32_t concurrency = 1;
};
// `private_directory`: where the copy is loaded from. The error begins with the plugin's place in the configuration.
[[nodiscard]] Result<PreparedPlugin> prepare_plugin(const config::Plugin& plugin, const std::string& private_directory);

// "file:line:column: plugins.NAME: message", whatever of it the message has already.
[[nodiscard]] std::string in_place(const config::Plugin& plugin, const std::string& message);

// The engine's options of one plugin, from what the configuration says and what the library declares. Error: invalid_config, naming both
// sides: narrowing to nothing, weaker order, concurrency without the flag.
[[nodiscard]] Result<delivery::SubscriberOptions> subscriber_options(const config::Plugin& plugin, const plugins::LibraryInfo& library);
[[nodiscard]] Result<std::uint32_t> concurrency_of(const config::Plugin& plugin, const plugins::LibraryInfo& library);

}  // namespace hookhost::app
