#include "app/prepared_plugin.h"

#include "os/file_system.h"
#include "plugins/config_schema.h"

namespace hookhost::app {
namespace {

constexpr std::uint32_t kConcurrencyDefault = 4;  // of a plugin that allows it

std::string join(const std::vector<Pattern>& patterns) {
  std::string out;
  for (const Pattern& pattern : patterns) out += (out.empty() ? "" : ", ") + pattern.text();
  return out;
}

// The pattern that matches what both match; they overlap.
Pattern both(const Pattern& left, const Pattern& right) {
  Pattern out;
  out.source = left.source.empty() ? right.source : left.source;
  out.provider = left.provider.empty() ? right.provider : left.provider;
  const auto narrowness = [](const Pattern& p) { return std::pair(p.kind, p.type.size()); };
  const Pattern& narrower = narrowness(left) >= narrowness(right) ? left : right;
  out.kind = narrower.kind;
  out.type = narrower.type;
  return out;
}

int strength(plugins::Order order) { return order == plugins::Order::none ? 0 : order == plugins::Order::key ? 1 : 2; }

Result<delivery::OrderBy> order_of(const config::Plugin& plugin, const plugins::LibraryInfo& library) {
  using Kind = delivery::OrderBy::Kind;
  delivery::OrderBy out;
  if (plugin.order_by.empty()) {
    out.kind = library.order == plugins::Order::none ? Kind::none : library.order == plugins::Order::all ? Kind::all : Kind::key;
    return out;
  }
  out = delivery::OrderBy::of(plugin.order_by);
  const int wanted = out.kind == Kind::none ? 0 : out.kind == Kind::all ? 2 : 1;
  if (wanted < strength(library.order)) {
    return fail(ErrorCode::invalid_config, plugin.place + ": plugins." + plugin.name + ".order_by: '" + plugin.order_by +
                                               "' is weaker than the order that " + library.id + " needs; remove it");
  }
  return out;
}

}  // namespace

Result<std::uint32_t> concurrency_of(const config::Plugin& plugin, const plugins::LibraryInfo& library) {
  if (!plugin.concurrency) return library.concurrent ? kConcurrencyDefault : 1;
  if (*plugin.concurrency > 1 && !library.concurrent) {
    return fail(ErrorCode::invalid_config, plugin.place + ": plugins." + plugin.name + ".concurrency: " + library.id +
                                               " handles one event at a time (it is not built as concurrent); set 1 or remove it");
  }
  return static_cast<std::uint32_t>(*plugin.concurrency);
}

Result<delivery::SubscriberOptions> subscriber_options(const config::Plugin& plugin, const plugins::LibraryInfo& library) {
  delivery::SubscriberOptions out;
  out.id = SubscriberId{plugin.name};
  for (const Pattern& wanted : plugin.events) {
    for (const Pattern& declared : library.events) {
      if (overlap(wanted, declared)) out.events.push_back(both(wanted, declared));
    }
  }
  if (plugin.events.empty()) out.events = library.events;
  if (out.events.empty()) {
    return fail(ErrorCode::invalid_config, plugin.place + ": plugins." + plugin.name + ".events: [" + join(plugin.events) +
                                               "] leaves nothing of what " + library.id + " declares: [" + join(library.events) + "]");
  }
  HOOKHOST_TRY(out.order_by, order_of(plugin, library));
  out.retry = plugin.retry;
  out.timeout = plugin.timeout;
  out.stop_after = static_cast<std::uint32_t>(plugin.stop_after);
  return out;
}

std::string in_place(const config::Plugin& plugin, const std::string& message) {
  if (message.starts_with(plugin.place)) return message;
  return plugin.place + ": " + (message.starts_with("plugins.") ? "" : "plugins." + plugin.name + ": ") + message;
}

Result<PreparedPlugin> prepare_plugin(const config::Plugin& plugin, const std::string& private_directory) {
  const auto prepared = [&]() -> Result<PreparedPlugin> {
    HOOKHOST_TRY(auto library, plugins::Library::load(os::local_file_system(), plugin.library, private_directory, plugin.sha256));
    const plugins::LibraryInfo& declared = library->info();
    HOOKHOST_TRY(auto options, subscriber_options(plugin, declared));
    HOOKHOST_TRY(const std::uint32_t concurrency, concurrency_of(plugin, declared));
    HOOKHOST_CHECK(plugins::check_config(plugin.name, declared.config_schema, plugin.config_json));
    return PreparedPlugin{std::move(library), std::move(options), concurrency};
  }();
  if (prepared) return prepared;
  return fail(ErrorCode::invalid_config, in_place(plugin, prepared.error().message));
}

}  // namespace hookhost::app
