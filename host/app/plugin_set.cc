#include "app/plugin_set.h"

#include <algorithm>
#include <thread>

#include "api/start_at.h"
#include "base/diagnostics.h"
#include "os/file_system.h"
#include "plugins/config_schema.h"

namespace hookhost::app {
namespace {

constexpr const char* kNotInUse = "enabled: false in the configuration";
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
  out.kind = plugin.order_by == "none" ? Kind::none : plugin.order_by == "all" ? Kind::all : plugin.order_by == "key" ? Kind::key : Kind::pointer;
  if (out.kind == Kind::pointer) out.pointer = plugin.order_by;
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
  const std::string& message = prepared.error().message;
  if (message.starts_with(plugin.place)) return fail(prepared.error());
  return fail(ErrorCode::invalid_config, plugin.place + ": " + (message.starts_with("plugins.") ? "" : "plugins." + plugin.name + ": ") + message);
}

Result<PluginSet::Prepared> PluginSet::prepare(const config::Config& config, const std::map<std::string, config::Plugin>& before) const {
  Prepared out;
  for (const auto& [name, plugin] : config.plugins) {
    const auto old = before.find(name);
    if (!plugin.enabled || (old != before.end() && old->second == plugin)) continue;
    HOOKHOST_TRY(auto prepared, prepare_plugin(plugin, private_directory_));
    out.emplace(name, std::move(prepared));
  }
  return out;
}

// It failed, or refused what it was offered.
bool PluginSet::wants_another_try(const std::string& name) const {
  if (const auto status = engine_.status(SubscriberId{name}); status && status.value().state == "failed") return true;
  const std::scoped_lock lock(mutex_);
  const auto found = info_.find(name);
  return found != info_.end() && !found->second.error.empty();
}

// A required one is tried again by the next start: no host runs that could be told to reload.
Result<> PluginSet::check_held_back(const config::Plugin& plugin) {
  const auto why = watch_ == nullptr ? std::nullopt : watch_->held_back(plugin.name);
  if (!why) return success();
  const bool again = wants_another_try(plugin.name);
  if (again || plugin.required) watch_->release(plugin.name);
  if (again) return success();
  return fail(ErrorCode::unavailable, plugin.place + ": plugins." + plugin.name + ": " + *why + "; it is not started. Correct or replace it, then: " +
                                      (plugin.required ? "start again" : "hookhost reload"));
}

void PluginSet::describe(const config::Plugin& plugin, const plugins::LibraryInfo& declared) {
  const std::scoped_lock lock(mutex_);
  api::PluginInfo& info = info_[plugin.name];
  info = {.name = plugin.name, .library = os::file_name(plugin.library), .state = "loaded"};
  info.id = declared.id;
  info.version = declared.version;
  info.description = declared.description;
  info.sha256 = declared.sha256;
  for (const Pattern& pattern : declared.events) info.events.push_back(pattern.text());
}

void PluginSet::failed(const std::string& name, const std::string& why) {
  diagnose(Level::error, "app", "a plugin could not be loaded: " + why, {{"plugin", name}});
  const std::scoped_lock lock(mutex_);
  info_[name].state = "failed";
  info_[name].error = why;
}

// Where nothing but `config:` changed, the running instance may take it without a new start.
PluginSet::Offered PluginSet::offer_config(const config::Plugin& plugin, const config::Plugin* before, const PreparedPlugin& prepared, Duration patience) {
  if (before == nullptr) return Offered::not_taken;
  auto same = plugin;
  same.config_json = before->config_json;
  std::shared_ptr<plugins::PluginSubscriber> running;
  {
    const std::scoped_lock lock(mutex_);
    const auto info = info_.find(plugin.name);
    const auto known = running_.find(plugin.name);
    if (!(same == *before) || info == info_.end() || known == running_.end()) return Offered::not_taken;
    if (info->second.state != "loaded" || info->second.sha256 != prepared.library->info().sha256) return Offered::not_taken;
    running = known->second.lock();
  }
  if (!running) return Offered::not_taken;
  const auto taken = running->reconfigure(plugin.config_json, patience);
  if (taken && !taken.value()) return Offered::not_taken;
  if (taken) {
    diagnose(Level::info, "app", "a plugin took its changed config without a new start", {{"plugin", plugin.name}});
    describe(plugin, prepared.library->info());
    return Offered::taken;
  }
  const std::string why = plugin.place + ": plugins." + plugin.name + ".config: refused by the plugin, the old one stays in force: " + taken.error().message;
  diagnose(Level::error, "app", why, {{"plugin", plugin.name}});
  const std::scoped_lock lock(mutex_);
  info_[plugin.name].error = why;
  return Offered::refused;
}

Result<> PluginSet::bring_up(const config::Plugin& plugin, PreparedPlugin prepared, const std::string& config_dir, Duration drain) {
  describe(plugin, prepared.library->info());
  std::shared_ptr<plugins::PluginMetrics> metrics;
  const auto health = std::make_shared<plugins::PluginHealth>();
  {
    const std::scoped_lock lock(mutex_);
    auto& kept = metrics_[plugin.name];
    if (!kept) kept = std::make_shared<plugins::PluginMetrics>();
    metrics = kept;
    health_[plugin.name] = health;
  }
  const std::shared_ptr<plugins::PluginSubscriber> subscriber =
      plugins::make_subscriber(std::move(prepared.library),
                               {.instance = {.name = plugin.name, .config = plugin.config_json, .config_dir = config_dir},
                                .concurrency = prepared.concurrency,
                                .max_in_flight = static_cast<std::uint32_t>(plugin.max_in_flight),
                                .health = health},
                               std::move(metrics), clock_);
  {
    const std::scoped_lock lock(mutex_);
    running_[plugin.name] = subscriber;
  }
  return engine_.attach(std::move(prepared.options), subscriber, drain);
}

Result<> PluginSet::load(const config::Config& config) {
  for (const auto& [name, plugin] : config.plugins) {
    describe_as(plugin, plugin.enabled ? "not_running" : "disabled");
    const SubscriberId id{name};
    if (!plugin.enabled && engine_.status(id)) HOOKHOST_CHECK(engine_.disable(id, kNotInUse));
  }
  return success();
}

void PluginSet::describe_as(const config::Plugin& plugin, const char* state) {
  const std::scoped_lock lock(mutex_);
  info_[plugin.name] = {.name = plugin.name, .library = os::file_name(plugin.library), .state = state};
}

Result<> PluginSet::accept(const config::Config& config) {
  for (const auto& [name, plugin] : config.plugins) {
    const auto accepted = engine_.accept(SubscriberId{name}, "plugin", api::start_at(plugin.start_at, store_.positions_lost()));
    if (!accepted && accepted.error().code == ErrorCode::usage) {
      return fail(ErrorCode::invalid_config, plugin.place + ": plugins." + name + ".start_at: " + accepted.error().message);
    }
    if (!accepted && accepted.error().code == ErrorCode::refused) return fail(ErrorCode::invalid_config, plugin.place + ": plugins." + name + ": " + accepted.error().message);
    HOOKHOST_CHECK(accepted);
    if (!accepted.value().first_time) continue;
    diagnose(Level::info, "app", "a new subscriber",
             {{"subscriber", name}, {"state", state::to_string(accepted.value().condition)}, {"position", accepted.value().position.value}});
  }
  return success();
}

// How its start ended, which goes on on another thread. One that is held or paused tells it when it is resumed.
Result<> PluginSet::started(const std::string& name) const {
  constexpr Duration kPatience = std::chrono::seconds{30}, kLookEvery = std::chrono::milliseconds{5};
  const MonotonicTime until = clock_.monotonic() + kPatience;
  for (;;) {
    HOOKHOST_TRY(const auto status, engine_.status(SubscriberId{name}));
    if (status.state == "failed" || (status.state == "starting" && !status.reason.empty())) return fail(ErrorCode::unavailable, "plugins." + name + ": " + status.reason);
    if (status.state != "starting") return success();
    if (clock_.monotonic() >= until) return fail(ErrorCode::timeout, "plugins." + name + " has not started within 30 s");
    std::this_thread::sleep_for(kLookEvery);
  }
}

Result<> PluginSet::apply(const config::Config& config, const std::map<std::string, config::Plugin>& before, Duration drain, Prepared prepared) {
  Result<> verdict = success();
  std::vector<const config::Plugin*> brought_up;
  for (const auto& [name, plugin] : config.plugins) {
    const auto known = before.find(name);
    const config::Plugin* const old = known == before.end() ? nullptr : &known->second;
    if (old != nullptr && *old == plugin && !wants_another_try(name)) continue;
    const SubscriberId id{name};
    if (!plugin.enabled) {
      describe_as(plugin, "disabled");
      HOOKHOST_CHECK(engine_.disable(id, kNotInUse, drain));
      continue;
    }
    const auto ready = prepared.find(name);
    auto good = ready == prepared.end() ? prepare_plugin(plugin, private_directory_) : Result<PreparedPlugin>(std::move(ready->second));
    if (good && offer_config(plugin, old, good.value(), drain) != Offered::not_taken) continue;
    if (const auto allowed = check_held_back(plugin); good && !allowed) good = fail(allowed.error());
    const auto up = good ? bring_up(plugin, std::move(good.value()), os::parent(config.file), drain) : Result<>(fail(good.error()));
    if (up) {
      brought_up.push_back(&plugin);
      continue;
    }
    if (!good) describe_as(plugin, "failed");
    failed(name, up.error().message);
    HOOKHOST_CHECK(engine_.disable(id, up.error().message, drain));
    if (plugin.required && verdict) verdict = fail(up.error().code, "a required plugin failed: " + up.error().message);
  }
  for (const config::Plugin* const plugin : brought_up) {
    if (!plugin->required || !verdict) continue;
    if (const auto up = started(plugin->name); !up) verdict = fail(up.error().code, "a required plugin failed: " + up.error().message);
  }
  HOOKHOST_TRY(const auto known, store_.subscribers());
  for (const auto& row : known) {
    if (row.kind != "plugin" || config.plugins.contains(row.id.value) || row.condition == state::Condition::detached) continue;
    HOOKHOST_CHECK(engine_.detach(row.id, drain));
    const std::scoped_lock lock(mutex_);
    info_.erase(row.id.value);
  }
  return verdict;
}

std::vector<api::PluginInfo> PluginSet::info() const {
  const std::scoped_lock lock(mutex_);
  std::vector<api::PluginInfo> out;
  for (const auto& [name, info] : info_) {
    out.push_back(info);
    const auto health = health_.find(name);
    if (info.state != "loaded" || health == health_.end()) continue;
    if (const auto problem = health->second->problem(); problem && !problem->empty()) {
      out.back().state = "degraded";
      out.back().error = *problem;
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::vector<plugins::PluginMetrics::Sample>>> PluginSet::metrics() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::pair<std::string, std::vector<plugins::PluginMetrics::Sample>>> out;
  for (const auto& [name, metrics] : metrics_) out.emplace_back(name, metrics->samples());
  return out;
}

}  // namespace hookhost::app
