// One instance of a plugin: the host table that it sees, its calls, its end. Nothing that the plugin throws gets through.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/call.h"
#include "plugins/instance_settings.h"
#include "plugins/library.h"

namespace hookhost::plugins {

class Instance {
 public:
  using Finished = std::function<void(delivery::Completion)>;

  // Creates and starts. Errors as delivery::Subscriber::start. `token`: in: the last committed; out: the plugin's own.
  [[nodiscard]] static Result<std::unique_ptr<Instance>> start(std::shared_ptr<const Library> library, const InstanceSettings& settings,
                                                               std::shared_ptr<PluginMetrics> metrics, const delivery::StartRequest& request,
                                                               std::uint64_t& token, Finished finished, const Clock& clock);
  ~Instance();  // destroy

  [[nodiscard]] bool has_checkpoint() const;
  // Asks it how it is: empty: well; else its reason. nullopt: it has no health/1. As handle, on a worker's thread.
  [[nodiscard]] std::optional<std::string> health();
  // Offers it another configuration. As handle, on a worker's thread. False: it wants a new instance for that. Error: refused, with its reason; the
  // old one stays in force.
  [[nodiscard]] Result<bool> reconfigure(const std::string& config);
  // Runs handle on this thread. The completion comes through `finished` or, when the call is deferred, later.
  void handle(delivery::Delivery delivery);
  [[nodiscard]] Result<> checkpoint(const delivery::Checkpoint& checkpoint);
  // Cancels what is past its deadline; deferred calls past it end as retry.
  void sweep(MonotonicTime now);
  void cancel_all();
  [[nodiscard]] std::size_t open() const;     // calls without an outcome yet
  [[nodiscard]] std::size_t running() const;  // calls inside handle
  [[nodiscard]] std::size_t deferred() const;
  [[nodiscard]] std::size_t abandoned() const;  // timed out, and the plugin may still look at them
  // No call runs any more: tells the plugin.
  void stop();

 private:
  Instance(std::shared_ptr<const Library> library, const InstanceSettings& settings, std::shared_ptr<PluginMetrics> metrics,
           std::shared_ptr<delivery::KvReader> kv, Finished finished, const Clock& clock);
  static Instance& of(const hookhost_host* host) { return *static_cast<Instance*>(host->host_data); }
  static void log(const hookhost_host* self, std::int32_t level, hookhost_str text, const hookhost_str* fields, std::size_t count) noexcept;
  static std::int64_t now(const hookhost_host* self) noexcept;
  static void complete(const hookhost_host* self, std::uint64_t ticket, std::int32_t status, hookhost_str error, std::int64_t retry_after) noexcept;
  static void config_json(const hookhost_host* self, hookhost_str pointer, hookhost_value* out) noexcept;
  static const void* get_extension(const hookhost_host* self, hookhost_str name) noexcept;
  // False: it had ended before. `abandoned`: the plugin has not completed it, so its memory stays until it does.
  bool end(const std::shared_ptr<Call>& call, delivery::Outcome outcome, bool abandoned = false);
  void misbehaved(std::string_view what);
  template <class Table>
  [[nodiscard]] const Table* extension(const char* name);
  // kv/1 outside of a call.
  std::int32_t committed(std::string_view key, hookhost_bytes& out);
  std::int32_t scan(std::string_view prefix, KvVisit visit, void* context);

  const std::shared_ptr<const Library> library_;
  const InstanceSettings settings_;
  const std::shared_ptr<PluginMetrics> metrics_;
  const std::shared_ptr<delivery::KvReader> kv_;
  const Finished finished_;
  const Clock& clock_;
  hookhost_host host_{};
  hookhost_instance* instance_ = nullptr;
  std::string kv_answer_;
  // The texts of earlier ones live on with the instance: it was shown them.
  struct Configuration {
    explicit Configuration(std::string written) : text(std::move(written)), document(text) {}
    Configuration(const Configuration&) = delete;
    const std::string text;
    JsonDocument document;
  };
  std::mutex config_mutex_;
  std::deque<Configuration> configs_;
  Configuration* config_ = nullptr;  // in force
  mutable std::mutex mutex_;
  std::uint64_t next_ticket_ = 1;
  std::unordered_map<std::uint64_t, std::shared_ptr<Call>> open_;  // running or deferred
  std::unordered_map<std::uint64_t, std::shared_ptr<Call>> abandoned_;
  std::size_t running_ = 0;
  std::uint64_t misbehaviours_ = 0;
  std::int64_t log_second_ = 0;
  std::uint64_t log_lines_ = 0, log_left_out_ = 0;
};

}  // namespace hookhost::plugins
