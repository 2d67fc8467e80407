#include "app/host.h"

#include <cstdlib>

#include "app/admin_token.h"
#include "app/config_check.h"
#include "app/crash_report.h"
#include "app/names_only.h"
#include "base/bytes.h"
#include "base/diagnostics.h"
#include "base/thread_name.h"
#include "event_log/recovery.h"
#include "os/descriptors.h"

namespace hookhost::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration kMaintenanceInterval = 1s;
constexpr std::uint64_t kFullBelowBytes = 64ULL << 10;  // the databases' own files want as much
constexpr Duration kLockPatience = 2s;  // a command without a host holds it for a moment
constexpr int kRetentionEvery = 30;  // maintenance rounds
constexpr Duration kLookAgain = 10ms;
constexpr Duration kHangGrace = 1s;  // a start or a reload that the engine's end lets go on gets to end
constexpr Duration kStopMax = 20s;   // beyond drain_timeout: whatever hangs, there is an end
constexpr Duration kPoisonedDrainMax = 8s;
constexpr Duration kPoisonedEnd = 9s;  // the supervisor is told within 10 s
constexpr Duration kAttemptsKept = 30 * 24h;

// Plugins that hang, a disk that hangs: nothing may keep a host, least of all a poisoned one, from its supervisor. What is unfinished comes again.
void end_process_after(Duration patience, int status) {
  std::thread([=] {
    std::this_thread::sleep_for(patience);
    diagnose(Level::error, "app", "the stop takes too long; the process ends without it");
    std::_Exit(status);
  }).detach();
}

api::V1Options v1_options(const config::Api& api) {
  api::V1Options out{.rate_limits = api::V1RateLimits::off(), .types = api.types};
  const auto calls = [](std::uint64_t number) { return std::optional(static_cast<std::uint32_t>(number)); };
  if (const auto& limits = api.rate_limits) {
    out.rate_limits = {calls(limits->high), calls(limits->medium), calls(limits->low), limits->publish == 0 ? std::nullopt : calls(limits->publish)};
  }
  return out;
}

Descriptors descriptors_for(const config::Listen& listen) {
  return share_out(os::raise_descriptor_limit(descriptors_wanted(listen.connections_max)), listen.connections_max);
}

// On a full disk most fails in words of their own; when the reserve is used up, no start succeeds until there is space.
Error with_way_out(Error error, const std::string& data_dir) {
  const auto free = os::local_file_system().free_bytes(data_dir);
  if (error.code != ErrorCode::no_space && !(free && free.value() < kFullBelowBytes)) return error;
  error.message += "; the disk of " + data_dir + " is full: free some space, then start again. Nothing that was answered is lost";
  return error;
}

}  // namespace

Host::Host(config::Config config, os::LockFile lock)
    : config_(std::move(config)),
      drain_timeout_(config_.drain_timeout),
      retention_(config_.event_log),
      descriptors_(descriptors_for(config_.listen)),
      lock_(std::move(lock)),
      reserve_(os::local_file_system(), config_.data_dir, config_.event_log.disk_free_min) {}

Result<std::unique_ptr<Host>> Host::open(config::Config config, const HostOptions& options) {
  auto& files = os::local_file_system();
  if (const auto made = files.make_directories(config.data_dir); !made) return fail(ErrorCode::invalid_config, config.file + ": data_dir: " + made.error().message);
  HOOKHOST_TRY(auto lock, os::LockFile::acquire(os::join(config.data_dir, "LOCK"), kLockPatience));
  std::unique_ptr<Host> host(new Host(std::move(config), std::move(lock)));
  if (const auto opened = host->open_stores(options); !opened) return fail(with_way_out(opened.error(), host->config_.data_dir));
  return host;
}

Result<> Host::open_stores(const HostOptions& options) {
  auto& files = os::local_file_system();
  const std::string events = os::join(config_.data_dir, "events");
  reserve_.free_if_full();  // Order: recovery and the stores may need the space
  HOOKHOST_TRY(registry_, state::Registry::open(os::join(config_.data_dir, "registry.db"), options.new_registry || !event_log::has_segments(files, events)));
  HOOKHOST_TRY(store_, state::DeliveryStore::open(os::join(config_.data_dir, "delivery.db"), event_log::has_segments(files, events)));
  HOOKHOST_TRY(log_, event_log::EventLog::open(files,
                                               {.directory = events,
                                                .segment_bytes = config_.event_log.segment_bytes,
                                                .disk_free_min = config_.event_log.disk_free_min,
                                                .known_durable = store_->durable_end_seen(),
                                                .accept_loss = options.accept_loss},
                                               clock_));
  log_->on_poisoned([this] {  // Order: before anything appends
    poisoned_.store(true);
    request_stop();
  });
  report_recovery();
  report_lost_positions();
  ids_.resume_after(log_->last_id_found());
  feed_ = std::make_unique<delivery::LogFeed>(*log_, ids_, clock_);
  engine_ = std::make_unique<delivery::Engine>(
      *feed_, *store_, clock_, delivery::EngineOptions{.blocked_lanes_max = static_cast<std::uint32_t>(config_.blocked_lanes_max)});
  HOOKHOST_CHECK(engine_->start());
  ingest_ = std::make_unique<ingest::Ingest>(*log_, ids_, clock_);
  plugins_ = std::make_unique<PluginSet>(*engine_, *store_, os::join(config_.data_dir, "plugins"), clock_, stop_request_);
  endpoints_ = std::make_unique<EndpointSet>(EndpointSet::Rooms{*engine_, *store_, *registry_, *ingest_, ids_, clock_, descriptors_.requests_max});
  HOOKHOST_CHECK(plugins_->load(config_));
  return endpoints_->load(config_);
}

void Host::report_recovery() const {
  const auto& report = log_->recovery();
  if (!report.clean) {
    diagnose(Level::warn, "event_log", "the last stop was not an orderly one; the event log is recovered",
             {{"rewritten", report.rewritten}, {"cut_bytes", report.cut_bytes}, {"end", log_->durable_end().value}});
  }
  for (const auto& file : report.broken_files) diagnose(Level::warn, "event_log", "what was cut is kept", {{"file", file}});
  for (const auto& note : report.notes) diagnose(Level::warn, "event_log", note);
  for (const auto& [from, until] : report.lost) {
    diagnose(Level::error, "event_log", "answered events are lost", {{"from", from.value}, {"until", until.value}});
  }
}

void Host::report_lost_positions() const {
  if (!store_->positions_lost() || log_->begin() == log_->durable_end()) return;
  diagnose(Level::warn, "app",
           "delivery.db was missing beside an event log: positions, kv and dead letters are lost. Every subscriber gets the kept events again, from the "
           "offset or time of its start_at if it says one; one with start_at: hold holds them. hookhost plugin|endpoint pause NAME stops one",
           {{"from", log_->begin().value}, {"end", log_->durable_end().value}});
}

Result<> Host::serve() {
  std::packaged_task<Result<>()> start([this] { return start_up(); });
  started_ = start.get_future();
  starting_ = std::thread([this, start = std::move(start)]() mutable {
    name_this_thread("start");
    start();
    stop_request_.look_again();
  });
  if (!stop_request_.wait_for([this] { return started_.wait_for(Duration::zero()) == std::future_status::ready; })) return success();
  starting_.join();
  return started_.get();
}

Result<> Host::start_up() {
  const std::scoped_lock lock(config_mutex_);  // a reload that is asked for meanwhile waits for its end
  serves_.store(true);
  ingest_->configure(config_.sources);
  HOOKHOST_CHECK(ingest_->rebuild_duplicates());
  std::vector<std::string> held;
  HOOKHOST_TRY(const auto plugins, plugins_->may_accept(config_));  // Order: all of both before the first has a position
  HOOKHOST_TRY(const auto endpoints, endpoints_->may_accept(config_));
  HOOKHOST_CHECK(plugins_->accept(plugins, held));
  HOOKHOST_CHECK(watch_for_crashes());
  HOOKHOST_CHECK(endpoints_->accept(endpoints, held));
  for (const std::string& one : held) diagnose(Level::warn, "app", one);
  HOOKHOST_CHECK(store_->settle_positions(clock_.wall()));  // Order: all of the configuration have theirs, and nobody can add another yet
  HOOKHOST_TRY(const auto failures, plugins_->apply(config_, {}, config_.drain_timeout, Await::required));
  if (stop_request_.asked()) return success();
  for (const PluginFailure& failure : failures) {
    if (failure.required) return fail(failure.why.code, "a required plugin failed: " + failure.why.message);
  }
  HOOKHOST_CHECK(endpoints_->apply(config_));
  return start_listeners();
}

// Order: counted before it is forgotten, forgotten before a plugin is loaded. Killed in between, it is counted once all the same.
Result<> Host::watch_for_crashes() {
  auto watch = plugins::CrashWatch::open(os::join(config_.data_dir, "CRASH"));
  if (!watch) {
    diagnose(Level::error, "app", "crashes of plugins are not counted in this run: " + watch.error().message);
    return success();
  }
  if (const auto crash = watch.value().last()) HOOKHOST_CHECK(count_crash(*crash, *engine_));
  crash_watch_.emplace(std::move(watch.value())).begin();
  plugins_->watch_with(&*crash_watch_);
  return success();
}

Result<std::string> Host::admin_token() {
  if (config_.admin.token) return config_.admin.token->reveal();
  HOOKHOST_TRY(auto stored, stored_admin_token(config_.data_dir));
  if (stored) return std::move(*stored);
  return make_admin_token(config_.data_dir);
}

Result<> Host::start_listeners() {
  HOOKHOST_TRY(const std::string token, admin_token());
  admin_handler_ = std::make_unique<api::AdminServer>(*this, api::AdminGuard(token, config_.admin.address));
  HOOKHOST_TRY(admin_server_, http::Server::start({.name = "admin", .address = config_.admin.address, .threads = 1, .connections_max = kAdminConnectionsMax}, *admin_handler_));
  const config::Listen& listen = config_.listen;
  http::ServerOptions options{.name = "public",
                              .address = listen.address,
                              .threads = static_cast<unsigned>(listen.threads),
                              .connections_max = static_cast<std::uint32_t>(listen.connections_max),
                              .descriptors_of_others = descriptors_.of_others,
                              .header_bytes_max = static_cast<std::uint32_t>(listen.header_bytes_max),
                              .waiting_requests_max = static_cast<std::uint32_t>(listen.waiting_requests_max),
                              .header_timeout = listen.header_timeout,
                              .body_timeout = listen.body_timeout,
                              .idle_timeout = listen.idle_timeout,
                              .write_timeout = listen.write_timeout};
  if (listen.tls) {
    HOOKHOST_TRY(options.tls, read_tls(*listen.tls));
  }
  v1_handler_ = std::make_unique<api::V1Server>(*endpoints_, v1_options(config_.api), clock_);
  public_handler_ = std::make_unique<PublicHandler>(*ingest_, v1_handler_.get());
  HOOKHOST_TRY(public_server_, http::Server::start(std::move(options), *public_handler_));
  tell_commands();
  listening_.store(true);
  return success();
}

// The configuration's address may be changed while the host runs, or end with :0.
void Host::tell_commands() {
  const std::string& address = config_.admin.address;
  if (const auto said = lock_.say(address.substr(0, address.rfind(':') + 1) + std::to_string(admin_port())); !said) {
    diagnose(Level::warn, "app", "commands find this host by admin.address of the configuration only: " + said.error().message);
  }
}

void Host::request_stop() { stop_request_.ask(); }

int Host::wait() {
  if (listens()) maintenance_ = std::thread([this] { maintain(); });
  stop_request_.wait();
  const bool poisoned = poisoned_.load();
  end_process_after(poisoned ? kPoisonedEnd : drain_timeout_.load() + kStopMax, poisoned ? exit_code(ErrorCode::poisoned) : 1);
  stop();
  return poisoned_.load() ? exit_code(ErrorCode::poisoned) : 0;
}

void Host::maintain() {
  name_this_thread("maintenance");
  for (int round = 0;; ++round) {
    if (stop_request_.asked_within(kMaintenanceInterval)) return;
    reserve_.free_if_full();
    reserve_.make_if_space();
    store_->note_durable_end(log_->durable_end());
    endpoints_->maintain();
    if (round % kRetentionEvery != 0) continue;
    const auto removed = log_->apply_retention(retention_.retention_age, retention_.retention_bytes, engine_->oldest_needed());
    if (!removed) diagnose(Level::error, "app", "retention failed: " + removed.error().message);
    prune_attempts();
  }
}

// In steps, so that neither a commit nor a stop waits for a long deletion.
void Host::prune_attempts() {
  for (;;) {
    const auto more = store_->prune_attempts(clock_.wall() - kAttemptsKept);
    if (!more) diagnose(Level::error, "app", "pruning the attempts failed: " + more.error().message);
    if (!more || !more.value() || stop_request_.asked_within({})) return;
  }
}

// Intake first, so that nothing new comes; then running calls and their commits; then the files.
void Host::stop() {
  if (stopped_.exchange(true)) return;
  request_stop();
  if (maintenance_.joinable()) maintenance_.join();
  const Duration drain = poisoned_.load() ? std::min(drain_timeout_.load(), kPoisonedDrainMax) : drain_timeout_.load();
  const auto deadline = clock_.monotonic() + drain;
  const bool started = start_is_over(clock_.monotonic() + drain / 4);  // one that hangs has no listener yet
  if (started && public_server_) public_server_->drain(drain / 4);
  if (engine_) engine_->stop(deadline);
  // Those that waited for a plugin's start wait no longer; later ones see the stop.
  const auto patience = std::max(deadline, clock_.monotonic()) + kHangGrace;
  if (!start_is_over(patience) || !reload_is_over(patience)) end_process();
  if (admin_server_) admin_server_->drain(500ms);
  admin_server_.reset();  // Order: it looks at the public one
  public_server_.reset();
  admin_handler_.reset();
  v1_handler_.reset();
  plugins_.reset();
  engine_.reset();
  endpoints_.reset();  // Order: after the engine, whose subscribers use its sender; what it still sends ends in the store
  ingest_.reset();
  crash_watch_.reset();
  if (log_) log_->close();
  if (log_ && store_) store_->note_durable_end(log_->durable_end());  // Order: nothing is appended any more
  feed_.reset();
  store_.reset();
}

bool Host::start_is_over(MonotonicTime until) {
  if (!starting_.joinable()) return true;
  if (started_.wait_until(until) != std::future_status::ready) return false;
  starting_.join();
  return true;
}

bool Host::reload_is_over(MonotonicTime until) {
  for (;;) {
    if (const std::unique_lock lock(config_mutex_, std::try_to_lock); lock) return true;
    if (clock_.monotonic() >= until) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
}

// What hangs may use all that is here, so none of it can be taken away. The instances have been drained; the event log ends as it should.
void Host::end_process() {
  diagnose(Level::error, "app", "a start or a reload does not end, as when a plugin's library hangs while it is loaded; the process ends without it");
  log_->close();
  std::_Exit(poisoned_.load() ? exit_code(ErrorCode::poisoned) : 0);
}

Host::~Host() { stop(); }

std::vector<api::PluginInfo> Host::plugins() { return plugins_->info(); }

std::vector<api::SourceInfo> Host::sources() {
  std::vector<api::SourceInfo> out;
  for (const auto& source : ingest_->sources()->all()) {
    const auto& counters = source->state->counters;
    api::SourceInfo info{source->settings.name, source->settings.path, source->settings.scheme, source->settings.provider,
                         source->settings.team.value_or(""), counters.accepted.load(), counters.duplicates.load(), 0};
    for (const auto& refused : counters.refused) info.refused += refused.load();
    out.push_back(std::move(info));
  }
  return out;
}

Result<> Host::forget(const SubscriberId& subscriber) {
  const std::scoped_lock lock(config_mutex_);  // none comes back meanwhile
  if (config_.plugins.contains(subscriber.value) || config_.endpoints.contains(subscriber.value)) {
    return fail(ErrorCode::refused, subscriber.value + " is in the configuration: take it out and reload first");
  }
  if (endpoints_->is_registered(subscriber)) return fail(ErrorCode::refused, "use: hookhost endpoint remove " + subscriber.value);
  return engine_->forget(subscriber);
}

Result<api::ReloadReport> Host::reload(bool dry_run) {
  std::vector<std::string> paths;
  auto report = apply_file(dry_run, paths);
  if (!report) return fail(report.error().code, names_only(report.error().message, paths));
  for (std::string& line : report.value().failed) line = names_only(std::move(line), paths);
  return report;
}

Result<api::ReloadReport> Host::apply_file(bool dry_run, std::vector<std::string>& paths) {
  const std::unique_lock one(reload_mutex_, std::try_to_lock);  // it may wait for starts: a second one must not take another thread to wait, too
  if (!one) return fail(ErrorCode::conflict, "a reload is under way; reload again when it has ended");
  const std::scoped_lock lock(config_mutex_);
  if (stop_request_.asked()) return fail(ErrorCode::unavailable, "the host is stopping");
  if (!listening_.load()) return fail(ErrorCode::unavailable, "the host did not start");
  paths = {config_.file, config_.data_dir};
  const auto nothing_changed = [&](const Error& error) { return fail(ErrorCode::invalid_config, "nothing was changed: " + error.message); };
  auto loaded = config::load(config_.file, {});
  if (!loaded) return nothing_changed(loaded.error());
  config::Config next = std::move(loaded.value());
  for (const auto& [name, plugin] : next.plugins) paths.push_back(plugin.library);
  if (const auto good = check_config(next); !good) return nothing_changed(good.error());
  auto prepared = plugins_->prepare(next, config_.plugins);
  if (!prepared) return nothing_changed(prepared.error());
  auto difference = config::difference(config_, next);
  api::ReloadReport report{.changes = std::move(difference.changes), .needs_restart = std::move(difference.needs_restart), .failed = {}};
  const auto plugins = plugins_->may_accept(next);
  if (!plugins) return nothing_changed(plugins.error());
  const auto endpoints = endpoints_->may_accept(next);
  if (!endpoints) return nothing_changed(endpoints.error());
  if (dry_run) return report;
  HOOKHOST_CHECK(plugins_->accept(plugins.value(), report.failed));
  HOOKHOST_CHECK(endpoints_->accept(endpoints.value(), report.failed));
  if (const auto level = parse_level(next.diagnostics.level)) configure_diagnostics({level.value(), next.diagnostics.format == "json"});
  // What only a restart applies stays as it is.
  next.data_dir = config_.data_dir;
  next.listen = config_.listen;
  next.admin = config_.admin;
  next.event_log = config_.event_log;
  next.blocked_lanes_max = config_.blocked_lanes_max;
  ingest_->configure(next.sources);
  const auto before = config_.plugins;
  config_ = std::move(next);
  drain_timeout_ = config_.drain_timeout;
  HOOKHOST_TRY(const auto failures, plugins_->apply(config_, before, config_.drain_timeout, Await::all, std::move(prepared.value())));
  for (const PluginFailure& failure : failures) report.failed.push_back(failure.why.message);
  HOOKHOST_CHECK(endpoints_->apply(config_));
  v1_handler_->configure(v1_options(config_.api));
  report.applied = true;
  return report;
}

bool Host::alive() {
  return engine_->alive(10s) && (!listening_.load() || public_server_->is_alive());
}

Result<> Host::ready() {
  if (stopped_.load()) return fail(ErrorCode::unavailable, "the host is stopping");
  if (!serves_.load()) return fail(ErrorCode::unavailable, "no host runs");
  if (!listening_.load()) return fail(ErrorCode::unavailable, "the host is starting");
  return log_->accepting();
}

}  // namespace hookhost::app
