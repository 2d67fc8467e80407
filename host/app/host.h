// The composition root: makes the rooms, joins them, starts and stops them in order. One object per process that owns the data directory.
//
// Order of start: lock, registry, delivery.db, event log (recovery), engine, sources, plugins, endpoints, listeners. Order of stop: the reverse, but that
// the public listener stops accepting first.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "api/admin_server.h"
#include "api/host_control.h"
#include "api/v1_server.h"
#include "app/descriptors.h"
#include "app/disk_reserve.h"
#include "app/endpoint_set.h"
#include "app/plugin_set.h"
#include "app/public_handler.h"
#include "app/stop_request.h"
#include "base/event_id.h"
#include "delivery/log_feed.h"
#include "http/server.h"
#include "os/lock_file.h"
#include "plugins/crash_watch.h"
#include "state/registry.h"

namespace hookhost::app {

struct HostOptions {
  bool accept_loss = false;
  bool new_registry = false;
};

class Host final : public api::HostControl {
 public:
  // Everything that needs no network and no plugin: enough for commands without a running host. Errors say what to do.
  [[nodiscard]] static Result<std::unique_ptr<Host>> open(config::Config config, const HostOptions& options);
  ~Host() override;

  // Sources, plugins, listeners. A stop that is asked for meanwhile ends it where it is: no error, and it does not listen. It does not wait for a
  // library whose constructor hangs then; stop() sees to that. Error: of the listeners, or of a required plugin.
  [[nodiscard]] Result<> serve();
  [[nodiscard]] bool listens() const { return listening_.load(); }
  // Until stop() is asked for (request_stop) or the event log is poisoned. The exit status. What hangs in a plugin's code, loading it included, keeps
  // no host for more than a few seconds beyond drain_timeout; of a poisoned one the process ends within 10 s, whatever hangs.
  [[nodiscard]] int wait();
  void request_stop();  // from any thread

  [[nodiscard]] std::uint16_t public_port() const { return public_server_->port(); }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_server_->port(); }

  [[nodiscard]] delivery::Engine& engine() override { return *engine_; }
  [[nodiscard]] delivery::EventFeed& feed() override { return *feed_; }
  [[nodiscard]] state::DeliveryStore& store() override { return *store_; }
  [[nodiscard]] const event_log::EventLog& event_log() override { return *log_; }
  [[nodiscard]] api::EndpointControl& endpoints() override { return *endpoints_; }
  [[nodiscard]] std::vector<api::PluginInfo> plugins() override;
  [[nodiscard]] std::vector<api::SourceInfo> sources() override;
  [[nodiscard]] Result<> forget(const SubscriberId& subscriber) override;
  [[nodiscard]] Result<api::ReloadReport> reload(bool dry_run) override;
  // The same, said as diagnostics say it. `paths`: files that the words may name.
  [[nodiscard]] Result<api::ReloadReport> apply_file(bool dry_run, std::vector<std::string>& paths);
  [[nodiscard]] bool alive() override;
  [[nodiscard]] Result<> ready() override;
  void add_metrics(api::MetricsPage& page) override;

 private:
  Host(config::Config config, os::LockFile lock);
  [[nodiscard]] Result<> open_stores(const HostOptions& options);
  [[nodiscard]] Result<std::string> admin_token();
  [[nodiscard]] Result<> watch_for_crashes();
  [[nodiscard]] Result<> start_up();
  [[nodiscard]] Result<> start_listeners();
  [[nodiscard]] bool start_is_over(MonotonicTime until);
  [[nodiscard]] bool reload_is_over(MonotonicTime until);
  void tell_commands();
  void maintain();
  void prune_attempts();
  void stop();
  [[noreturn]] void end_process();
  void report_recovery() const;
  void report_lost_positions() const;

  const Clock& clock_ = system_clock();
  std::mutex reload_mutex_;          // of one reload. Order: before config_mutex_
  mutable std::mutex config_mutex_;  // held over the start and over a whole reload; also guards config_
  config::Config config_;
  std::atomic<Duration> drain_timeout_;  // of config_, for who may not wait for a reload
  const config::EventLog retention_;     // the same; only a restart changes it
  StopRequest stop_request_;
  const Descriptors descriptors_;
  os::LockFile lock_;
  DiskReserve reserve_;  // of open(), then of the maintenance thread
  std::unique_ptr<state::Registry> registry_;
  std::unique_ptr<state::DeliveryStore> store_;
  std::unique_ptr<event_log::EventLog> log_;
  EventIdGenerator ids_;
  std::unique_ptr<delivery::LogFeed> feed_;
  std::unique_ptr<delivery::Engine> engine_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::optional<plugins::CrashWatch> crash_watch_;
  std::unique_ptr<PluginSet> plugins_;
  std::unique_ptr<EndpointSet> endpoints_;
  std::unique_ptr<api::V1Server> v1_handler_;
  std::unique_ptr<PublicHandler> public_handler_;
  std::unique_ptr<api::AdminServer> admin_handler_;
  std::unique_ptr<http::Server> public_server_, admin_server_;
  std::atomic<bool> poisoned_{false}, stopped_{false};
  std::atomic<bool> serves_{false};     // as a host, not for a command without one
  std::atomic<bool> listening_{false};  // both listeners are there
  std::thread starting_;              // start_up(); another one than that of stop(), for a library's constructor may hang in it
  std::future<Result<>> started_;
  std::thread maintenance_;
};

}  // namespace hookhost::app
