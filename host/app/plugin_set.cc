#include "app/plugin_set.h"

#include "app/names_only.h"
#include "base/diagnostics.h"
#include "os/file_system.h"

namespace hookhost::app {
namespace {

using std::chrono_literals::operator""s;

constexpr const char* kNotInUse = "enabled: false in the configuration";
constexpr std::string_view kKind = "plugin";
constexpr Duration kStartPatience = 30s;

api::PluginInfo info_of(const config::Plugin& plugin, const plugins::LibraryInfo& declared) {
  api::PluginInfo info{.name = plugin.name, .library = os::file_name(plugin.library), .state = "loaded"};
  info.id = declared.id;
  info.version = declared.version;
  info.description = declared.description;
  info.sha256 = declared.sha256;
  for (const Pattern& pattern : declared.events) info.events.push_back(pattern.text());
  return info;
}

// It would refuse again.
bool is_for_good(ErrorCode code) { return code == ErrorCode::invalid_config || code == ErrorCode::not_supported; }

}  // namespace

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

// It failed, or an old one is in force.
bool PluginSet::wants_another_try(const std::string& name) const {
  if (const auto status = engine_.status(SubscriberId{name}); status && !status.value().start_error.empty()) return true;
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

// Null: none was started, or its start failed.
std::shared_ptr<plugins::PluginSubscriber> PluginSet::running(const std::string& name) const {
  const auto status = engine_.status(SubscriberId{name});
  if (!status || !status.value().start_error.empty()) return nullptr;
  const std::scoped_lock lock(mutex_);
  const auto known = instances_.find(name);
  return known == instances_.end() ? nullptr : known->second.subscriber.lock();
}

// Where nothing but `config:` differs from what it was brought up with, the running instance may take it without a new start.
Result<bool> PluginSet::offer_config(const config::Plugin& plugin, const PreparedPlugin& prepared, Duration patience) {
  const auto instance = running(plugin.name);
  if (!instance) return false;
  {
    const std::scoped_lock lock(mutex_);
    const Instance& known = instances_.at(plugin.name);
    auto same = plugin;
    same.config_json = known.plugin.config_json;
    if (!(same == known.plugin) || known.info.sha256 != prepared.library->info().sha256) return false;
  }
  const auto taken = instance->reconfigure(plugin.config_json, patience);
  if (!taken) return fail(taken.error().code, plugin.place + ": plugins." + plugin.name + ".config: refused by the plugin: " + taken.error().message);
  if (!taken.value()) return false;
  diagnose(Level::info, "app", "a plugin took its changed config without a new start", {{"plugin", plugin.name}});
  const std::scoped_lock lock(mutex_);
  Instance& known = instances_.at(plugin.name);
  known.plugin = plugin;
  info_[plugin.name] = known.info;
  return true;
}

Result<std::optional<PluginSet::Start>> PluginSet::bring_up(const config::Plugin& plugin, Prepared& prepared, const std::string& config_dir, Duration drain) {
  const auto ready = prepared.find(plugin.name);
  HOOKHOST_TRY(auto good, ready == prepared.end() ? prepare_plugin(plugin, private_directory_) : Result<PreparedPlugin>(std::move(ready->second)));
  HOOKHOST_TRY(const bool taken, offer_config(plugin, good, drain));
  if (taken) return std::optional<Start>{};
  HOOKHOST_CHECK(check_held_back(plugin));
  HOOKHOST_TRY(auto begun, replace(plugin, std::move(good), config_dir, drain));
  return std::optional(std::move(begun));
}

Result<PluginSet::Start> PluginSet::replace(const config::Plugin& plugin, PreparedPlugin prepared, const std::string& config_dir, Duration drain) {
  Start out{.plugin = &plugin, .end = {}, .before = {}, .kept = running(plugin.name)};
  Instance next{.subscriber = {}, .plugin = plugin, .options = prepared.options, .health = std::make_shared<plugins::PluginHealth>(),
                .info = info_of(plugin, prepared.library->info())};
  const auto metrics = [&] {
    const std::scoped_lock lock(mutex_);
    auto& kept = metrics_[plugin.name];
    if (!kept) kept = std::make_shared<plugins::PluginMetrics>();
    return kept;
  }();
  std::shared_ptr<plugins::PluginSubscriber> subscriber =
      plugins::make_subscriber(std::move(prepared.library),
                               {.instance = {.name = plugin.name, .config = plugin.config_json, .config_dir = config_dir},
                                .concurrency = prepared.concurrency,
                                .max_in_flight = static_cast<std::uint32_t>(plugin.max_in_flight),
                                .health = next.health},
                               metrics, clock_);
  next.subscriber = subscriber;
  {
    const std::scoped_lock lock(mutex_);
    info_[plugin.name] = next.info;
    out.before = std::exchange(instances_[plugin.name], std::move(next));
  }
  HOOKHOST_TRY(out.end, start(std::move(prepared.options), std::move(subscriber), drain));
  return out;
}

Result<std::future<Result<>>> PluginSet::start(delivery::SubscriberOptions options, std::shared_ptr<plugins::PluginSubscriber> subscriber, Duration drain) {
  const auto ended = std::make_shared<std::promise<Result<>>>();
  HOOKHOST_CHECK(engine_.attach(std::move(options), std::move(subscriber), drain, [ended, &stop = stop_](const Result<>& result) {
    ended->set_value(result);
    stop.look_again();
  }));
  return ended->get_future();
}

// How a start ended, which goes on on another thread.
Result<> PluginSet::end_of(std::future<Result<>>& start, MonotonicTime until) {
  const Duration patience = std::max(Duration::zero(), Duration{until - clock_.monotonic()});
  if (stop_.wait_for(patience, [&] { return start.wait_for(Duration::zero()) == std::future_status::ready; })) return start.get();
  if (stop_.asked()) return fail(ErrorCode::unavailable, "the host is stopping");
  return fail(ErrorCode::timeout, "its start has not ended yet; hookhost status shows how it ends");
}

// What ran before goes on where the new one refuses for good; one that may yet start is tried again by the engine.
Result<std::optional<PluginFailure>> PluginSet::settle(Start& start, MonotonicTime until, Duration drain) {
  const config::Plugin& plugin = *start.plugin;
  const auto ended = end_of(start.end, until);
  if (ended) return std::optional<PluginFailure>{};
  Error why{ended.error().code, in_place(plugin, ended.error().message)};
  if (start.kept && is_for_good(why.code)) {
    {
      const std::scoped_lock lock(mutex_);
      instances_[plugin.name] = start.before;
    }
    HOOKHOST_TRY(auto again, this->start(start.before.options, start.kept, drain));
    if (const auto back = end_of(again, until)) why = stays_in_force(plugin, std::move(why));
  }
  return std::optional(PluginFailure{std::move(why), plugin.required});
}

// What ran goes on; where nothing ran, the position stands.
Result<PluginFailure> PluginSet::not_brought_up(const config::Plugin& plugin, Error why, Duration drain) {
  if (running(plugin.name)) return PluginFailure{stays_in_force(plugin, std::move(why)), plugin.required};
  diagnose(Level::error, "app", "a plugin could not be loaded: " + why.message, {{"plugin", plugin.name}});
  const std::string shown = for_answers(plugin, why.message);
  HOOKHOST_CHECK(engine_.not_brought_up(SubscriberId{plugin.name}, shown, drain));
  describe_as(plugin, "failed", shown);
  return PluginFailure{std::move(why), plugin.required};
}

std::string PluginSet::for_answers(const config::Plugin& plugin, const std::string& message) const {
  return names_only(message, {plugin.place, plugin.library, private_directory_});
}

Error PluginSet::stays_in_force(const config::Plugin& plugin, Error why) {
  why.message += "; the old one stays in force";
  diagnose(Level::error, "app", why.message, {{"plugin", plugin.name}});
  const std::scoped_lock lock(mutex_);
  api::PluginInfo& info = info_[plugin.name] = instances_.at(plugin.name).info;
  info.state = "degraded";
  info.error = for_answers(plugin, why.message);
  return why;
}

Result<> PluginSet::load(const config::Config& config) {
  for (const auto& [name, plugin] : config.plugins) {
    describe_as(plugin, plugin.enabled ? "not_running" : "disabled");
    const SubscriberId id{name};
    if (!plugin.enabled && engine_.status(id)) HOOKHOST_CHECK(engine_.disable(id, kNotInUse));
  }
  return success();
}

void PluginSet::describe_as(const config::Plugin& plugin, const char* state, const std::string& error) {
  const std::scoped_lock lock(mutex_);
  info_[plugin.name] = {.name = plugin.name, .library = os::file_name(plugin.library), .state = state, .error = error};
}

Result<std::vector<Acceptable>> PluginSet::may_accept(const config::Config& config) {
  return judge(engine_, store_, kKind, "plugins", config.plugins, clock_.wall());
}

Result<> PluginSet::accept(const std::vector<Acceptable>& all, std::vector<std::string>& held) {
  for (const Acceptable& one : all) {
    HOOKHOST_TRY(const auto accepted, engine_.accept(SubscriberId{one.name}, kKind, one.at));
    if (!accepted.first_time) continue;
    tell_held(one, held);
    diagnose(Level::info, "app", "a new subscriber",
             {{"subscriber", one.name}, {"state", state::to_string(accepted.condition)}, {"position", accepted.position.value}});
  }
  return success();
}

Result<std::vector<PluginFailure>> PluginSet::apply(const config::Config& config, const std::map<std::string, config::Plugin>& before, Duration drain,
                                                    Await await, Prepared prepared) {
  std::vector<PluginFailure> failures;
  std::vector<Start> starts;
  for (const auto& [name, plugin] : config.plugins) {
    const auto old = before.find(name);
    if (old != before.end() && old->second == plugin && !wants_another_try(name)) continue;
    if (!plugin.enabled) {
      describe_as(plugin, "disabled");
      HOOKHOST_CHECK(engine_.disable(SubscriberId{name}, kNotInUse, drain));
      continue;
    }
    auto up = bring_up(plugin, prepared, os::parent(config.file), drain);
    if (!up) {
      HOOKHOST_TRY(auto failure, not_brought_up(plugin, up.error(), drain));
      failures.push_back(std::move(failure));
    } else if (up.value() && (await == Await::all || plugin.required)) {
      starts.push_back(std::move(*up.value()));
    }
  }
  const MonotonicTime until = clock_.monotonic() + kStartPatience;
  for (Start& start : starts) {
    HOOKHOST_TRY(auto failure, settle(start, until, drain));
    if (failure) failures.push_back(std::move(*failure));
  }
  HOOKHOST_TRY(const auto known, store_.subscribers());
  for (const auto& row : known) {
    if (row.kind != "plugin" || config.plugins.contains(row.id.value) || row.condition == state::Condition::detached) continue;
    HOOKHOST_CHECK(engine_.detach(row.id, drain));
    const std::scoped_lock lock(mutex_);
    info_.erase(row.id.value);
    instances_.erase(row.id.value);
  }
  return failures;
}

std::vector<api::PluginInfo> PluginSet::info() const {
  std::map<std::string, std::string> not_started;
  for (const auto& status : engine_.status()) {
    if (!status.start_error.empty()) not_started[status.id.value] = status.start_error;
  }
  const std::scoped_lock lock(mutex_);
  std::vector<api::PluginInfo> out;
  for (const auto& [name, info] : info_) {
    out.push_back(info);
    const auto tell = [&](const char* state, const std::string& error) {
      out.back().state = state;
      out.back().error = error;
    };
    const auto instance = instances_.find(name);
    if (const auto why = not_started.find(name); why != not_started.end()) {
      tell("failed", why->second);
    } else if (info.state == "loaded" && instance != instances_.end()) {
      if (const auto problem = instance->second.health->problem(); problem && !problem->empty()) tell("degraded", *problem);
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
