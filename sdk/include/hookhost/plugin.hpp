// hookhost plugins in C++20: write a class, name it in HOOKHOST_PLUGIN. Header-only over abi.h, which has the full rules.
//
//   class Notify {
//    public:
//     static constexpr hookhost::Info info{.id = "com.example.notify", .version = "1.0.0", .events = {"linkedin.message.*"}};
//     Notify(hookhost::Host host, const hookhost::Config& config) : channel_(config.text("/channel")) {}
//     hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call);      // required
//     std::uint64_t start(const hookhost::Resume& resume);   // optional: the token up to which your own store is complete
//     void checkpoint(const hookhost::Checkpoint& point);    // optional: make durable what you said ok to; throw to refuse
//     void stop();                                           // optional: no thread of yours may run afterwards
//   };
//   HOOKHOST_PLUGIN(Notify)
//
// Errors: an exception from the constructor or start() is a bad configuration (hookhost::ConfigError) or a failed start; from handle() a retry
// with its text; from checkpoint() a refusal. Nothing is thrown across the ABI.
#ifndef HOOKHOST_PLUGIN_HPP
#define HOOKHOST_PLUGIN_HPP

#include <hookhost/abi.h>

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hookhost {

using namespace std::chrono_literals;

inline std::string_view view(hookhost_str text) { return {text.ptr, text.len}; }
inline std::string_view view(hookhost_bytes bytes) { return {reinterpret_cast<const char*>(bytes.ptr), bytes.len}; }
inline hookhost_str str(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }
inline hookhost_bytes bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

// ---- What the plugin says about itself ----------------------------------------------------------------------------------------------------

// A list of patterns that is checked while compiling.
class Events {
 public:
  static constexpr std::size_t kMax = 32;
  consteval Events(std::initializer_list<const char*> patterns) {
    if (patterns.size() == 0 || patterns.size() > kMax) throw "events wants 1 to 32 patterns";
    for (const char* pattern : patterns) {
      const std::string_view text(pattern);
      const auto star = text.find('*');
      if (text.empty()) throw "a pattern is empty";
      if (star != std::string_view::npos && (star + 1 != text.size() || (text.size() > 1 && text[star - 1] != '.' && text[star - 1] != ':'))) {
        throw "* may stand only alone, after the last dot, or after provider:";
      }
      patterns_[count_++] = hookhost_str{pattern, text.size()};
    }
  }
  [[nodiscard]] constexpr const hookhost_str* data() const { return patterns_.data(); }
  [[nodiscard]] constexpr std::size_t size() const { return count_; }

 private:
  std::array<hookhost_str, kMax> patterns_{};
  std::size_t count_ = 0;
};

enum class OnReplay : std::int32_t { ask = HOOKHOST_REPLAY_ASK, safe = HOOKHOST_REPLAY_SAFE, reset_only = HOOKHOST_REPLAY_RESET_ONLY };
enum class Order : std::int32_t { key = HOOKHOST_ORDER_KEY, none = HOOKHOST_ORDER_NONE, all = HOOKHOST_ORDER_ALL };

struct Info {
  std::string_view id;           // reverse DNS: "com.example.notify"
  std::string_view version;
  Events events;
  std::string_view name = {};    // for people; the id when empty
  std::string_view description = {};
  std::string_view config_schema = {};  // JSON Schema
  bool concurrent = false;       // handle() may run on several threads at once
  OnReplay on_replay = OnReplay::ask;
  Order order = Order::key;
};

// ---- JSON values --------------------------------------------------------------------------------------------------------------------------

// A value in the event's body or in the configuration. Texts live as long as the event, or the instance.
class Json {
 public:
  Json() = default;
  explicit Json(const hookhost_value& value) : value_(value) {}
  [[nodiscard]] bool exists() const { return value_.kind != HOOKHOST_VALUE_ABSENT; }
  [[nodiscard]] bool is_null() const { return value_.kind == HOOKHOST_VALUE_NULL; }
  [[nodiscard]] bool is_text() const { return value_.kind == HOOKHOST_VALUE_TEXT; }
  [[nodiscard]] bool is_array() const { return value_.kind == HOOKHOST_VALUE_ARRAY; }
  [[nodiscard]] bool is_object() const { return value_.kind == HOOKHOST_VALUE_OBJECT; }
  [[nodiscard]] std::optional<std::string_view> text() const {
    return is_text() ? std::optional(view(value_.text)) : std::nullopt;
  }
  [[nodiscard]] std::string_view text_or(std::string_view fallback) const { return is_text() ? view(value_.text) : fallback; }
  [[nodiscard]] std::optional<std::int64_t> integer() const {
    return value_.kind == HOOKHOST_VALUE_INTEGER ? std::optional(value_.integer) : std::nullopt;
  }
  [[nodiscard]] std::optional<double> number() const {
    const bool is = value_.kind == HOOKHOST_VALUE_INTEGER || value_.kind == HOOKHOST_VALUE_NUMBER;
    return is ? std::optional(value_.number) : std::nullopt;
  }
  [[nodiscard]] std::optional<bool> boolean() const {
    if (value_.kind == HOOKHOST_VALUE_TRUE) return true;
    return value_.kind == HOOKHOST_VALUE_FALSE ? std::optional(false) : std::nullopt;
  }
  // An array or object as JSON text.
  [[nodiscard]] std::string_view raw() const { return is_array() || is_object() ? view(value_.text) : std::string_view{}; }

 private:
  hookhost_value value_{};
};

// ---- Outcomes -----------------------------------------------------------------------------------------------------------------------------

class [[nodiscard]] Outcome {
 public:
  explicit Outcome(std::int32_t status, std::string error = {}) : status_(status), error_(std::move(error)) {}
  // With retry and unavailable: how long to wait.
  Outcome after(std::chrono::nanoseconds delay) && {
    retry_after_ = delay;
    return std::move(*this);
  }
  [[nodiscard]] std::int32_t status() const { return status_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::chrono::nanoseconds retry_after() const { return retry_after_; }

 private:
  std::int32_t status_;
  std::string error_;
  std::chrono::nanoseconds retry_after_{0};
};

inline Outcome ok() { return Outcome(HOOKHOST_OK); }
inline Outcome ignored() { return Outcome(HOOKHOST_IGNORED); }
inline Outcome deferred() { return Outcome(HOOKHOST_DEFERRED); }
inline Outcome retry(std::string error) { return Outcome(HOOKHOST_RETRY, std::move(error)); }
inline Outcome reject(std::string error) { return Outcome(HOOKHOST_REJECT, std::move(error)); }
inline Outcome unavailable(std::string error) { return Outcome(HOOKHOST_UNAVAILABLE, std::move(error)); }

// ---- Host, configuration ------------------------------------------------------------------------------------------------------------------

struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class LogLevel : std::int32_t { trace, debug, info, warn, error };

// The host, as one instance sees it. Copy it freely; it lives until the instance is destroyed. [any]
class Host {
 public:
  explicit Host(const hookhost_host* host) : host_(host) {}
  void log(LogLevel level, std::string_view text, std::initializer_list<std::string_view> fields = {}) const {
    std::vector<hookhost_str> pairs;
    for (const std::string_view field : fields) pairs.push_back(str(field));
    host_->log(host_, static_cast<std::int32_t>(level), str(text), pairs.data(), pairs.size() / 2);
  }
  void info(std::string_view text) const { log(LogLevel::info, text); }
  void warn(std::string_view text) const { log(LogLevel::warn, text); }
  void error(std::string_view text) const { log(LogLevel::error, text); }
  [[nodiscard]] std::chrono::nanoseconds now() const { return std::chrono::nanoseconds(host_->now(host_)); }
  [[nodiscard]] std::string_view instance() const { return view(host_->instance); }
  void count(std::string_view name, double by = 1) const {
    if (const auto* table = metrics()) table->count(host_, str(name), by);
  }
  void gauge(std::string_view name, double value) const {
    if (const auto* table = metrics()) table->gauge(host_, str(name), value);
  }
  [[nodiscard]] const hookhost_host* raw() const { return host_; }

 private:
  [[nodiscard]] const hookhost_metrics_v1* metrics() const {
    return static_cast<const hookhost_metrics_v1*>(host_->get_extension(host_, str(HOOKHOST_EXT_METRICS)));
  }
  const hookhost_host* host_;
};

// The instance's `config:`. A missing or wrong value throws ConfigError with its full name.
class Config {
 public:
  Config(const hookhost_host* host, std::string_view json, std::string_view directory) : host_(host), json_(json), directory_(directory) {}
  [[nodiscard]] Json find(std::string_view pointer) const {
    hookhost_value value{};
    host_->config_json(host_, str(pointer), &value);
    return Json(value);
  }
  [[nodiscard]] bool has(std::string_view pointer) const { return find(pointer).exists() && !find(pointer).is_null(); }
  [[nodiscard]] std::string text(std::string_view pointer) const { return std::string(required(find(pointer).text(), pointer, "a text")); }
  [[nodiscard]] std::string text(std::string_view pointer, std::string_view fallback) const {
    return has(pointer) ? text(pointer) : std::string(fallback);
  }
  [[nodiscard]] std::int64_t integer(std::string_view pointer) const { return required(find(pointer).integer(), pointer, "a whole number"); }
  [[nodiscard]] std::int64_t integer(std::string_view pointer, std::int64_t fallback) const { return has(pointer) ? integer(pointer) : fallback; }
  [[nodiscard]] bool boolean(std::string_view pointer, bool fallback) const {
    return has(pointer) ? required(find(pointer).boolean(), pointer, "true or false") : fallback;
  }
  [[nodiscard]] std::string_view json() const { return json_; }
  // The directory of the configuration file: what relative paths are relative to.
  [[nodiscard]] std::string_view directory() const { return directory_; }
  [[nodiscard]] std::string path(std::string_view pointer) const {
    std::string value = text(pointer);
    return value.starts_with('/') ? value : std::string(directory_) + "/" + value;
  }

 private:
  template <class T>
  T required(std::optional<T> value, std::string_view pointer, const char* what) const {
    if (value) return *value;
    std::string name(pointer);
    for (char& c : name) c = c == '/' ? '.' : c;
    const std::string instance(view(host_->instance));
    throw ConfigError("plugins." + instance + ".config" + name + ": " + (has(pointer) ? "wrong" : "missing") + " (" + instance + " needs " + what + ")");
  }
  const hookhost_host* host_;
  std::string_view json_;
  std::string_view directory_;
};

// ---- Event and call -----------------------------------------------------------------------------------------------------------------------

// One event; a view with the event's lifetime.
class Event {
 public:
  explicit Event(const hookhost_event* event) : event_(event) {}
  [[nodiscard]] std::uint64_t offset() const { return event_->offset; }
  [[nodiscard]] std::string_view id() const { return view(event_->id); }
  [[nodiscard]] std::string_view source() const { return view(event_->source); }
  [[nodiscard]] std::string_view provider() const { return view(event_->provider); }
  [[nodiscard]] std::string_view type() const { return view(event_->type); }
  [[nodiscard]] std::string_view team() const { return view(event_->team); }
  [[nodiscard]] std::string_view key() const { return view(event_->key); }
  [[nodiscard]] std::chrono::sys_time<std::chrono::nanoseconds> received_at() const {
    return std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(event_->received_at));
  }
  [[nodiscard]] std::string_view content_type() const { return view(event_->content_type); }
  [[nodiscard]] std::string_view body() const { return view(event_->body); }
  [[nodiscard]] std::span<const hookhost_header> headers() const { return {event_->headers, event_->header_count}; }
  [[nodiscard]] std::uint32_t attempt() const { return event_->attempt; }
  [[nodiscard]] bool verified() const { return (event_->flags & HOOKHOST_EVENT_VERIFIED) != 0; }
  [[nodiscard]] bool is_replay() const { return (event_->flags & HOOKHOST_EVENT_REPLAY) != 0; }
  [[nodiscard]] const hookhost_event* raw() const { return event_; }

 private:
  const hookhost_event* event_;
};

// Ends a deferred call, once, from any thread. Dropped without a call: retry.
class Completion {
 public:
  Completion(const hookhost_host* host, std::uint64_t delivery) : host_(host), delivery_(delivery) {}
  Completion(Completion&& other) noexcept : host_(other.host_), delivery_(std::exchange(other.delivery_, 0)) {}
  Completion& operator=(Completion&& other) noexcept {
    std::swap(host_, other.host_);
    std::swap(delivery_, other.delivery_);
    return *this;
  }
  ~Completion() {
    if (delivery_ != 0) host_->complete(host_, delivery_, HOOKHOST_RETRY, str("the plugin dropped the call"), 0);
  }
  void operator()(const Outcome& outcome) {
    if (const auto delivery = std::exchange(delivery_, 0); delivery != 0) {
      host_->complete(host_, delivery, outcome.status(), str(outcome.error()), outcome.retry_after().count());
    }
  }

 private:
  const hookhost_host* host_;
  std::uint64_t delivery_;
};

// kv/1 within one call (or without one, in start: committed state only).
class Kv {
 public:
  Kv(const hookhost_host* host, hookhost_call* call)
      : host_(host), call_(call), table_(static_cast<const hookhost_kv_v1*>(host->get_extension(host, str(HOOKHOST_EXT_KV)))) {
    if (table_ == nullptr) throw std::runtime_error("this host has no hookhost.kv/1");
  }
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    hookhost_bytes out{};
    const std::int32_t found = table_->get(host_, call_, bytes(key), &out);
    if (found < 0) throw std::runtime_error("reading kv failed");
    return found == 1 ? std::optional(std::string(view(out))) : std::nullopt;
  }
  void put(std::string_view key, std::string_view value) const {
    if (table_->put(host_, call_, bytes(key), bytes(value)) != 0) throw std::runtime_error("writing kv was refused");
  }
  void erase(std::string_view key) const {
    if (table_->erase(host_, call_, bytes(key)) != 0) throw std::runtime_error("erasing kv was refused");
  }

 private:
  const hookhost_host* host_;
  hookhost_call* call_;
  const hookhost_kv_v1* table_;
};

// One call of handle. [handle]; is_cancelled [any]
class Call {
 public:
  Call(const hookhost_host* host, hookhost_call* call) : host_(host), call_(call) {}
  // The value behind an RFC 6901 pointer in the body: call.json("/data/chatId").text().
  [[nodiscard]] Json json(std::string_view pointer) const {
    hookhost_value value{};
    call_->json(call_, str(pointer), &value);
    return Json(value);
  }
  [[nodiscard]] bool is_cancelled() const { return call_->is_cancelled(call_) != 0; }
  [[nodiscard]] std::chrono::sys_time<std::chrono::nanoseconds> deadline() const {
    return std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(call_->deadline));
  }
  // Then return hookhost::deferred().
  [[nodiscard]] Completion defer() const { return {host_, call_->defer(call_)}; }
  [[nodiscard]] Kv kv() const { return {host_, call_}; }
  [[nodiscard]] hookhost_call* raw() const { return call_; }

 private:
  const hookhost_host* host_;
  hookhost_call* call_;
};

struct Resume {
  std::uint64_t token = 0;  // of the last checkpoint that the host committed; 0: none
  bool reset = false;       // the operator asked to start over
  Kv kv;                    // committed state
};

struct Checkpoint {
  std::uint64_t token = 0;
  std::span<const std::uint64_t> offsets;
};

// ---- The thunks ---------------------------------------------------------------------------------------------------------------------------

namespace detail {

template <class T>
concept HasStart = requires { &T::start; };
template <class T>
concept HasStop = requires { &T::stop; };
template <class T>
concept HasCheckpoint = requires { &T::checkpoint; };
template <class T>
concept HasHealth = requires { &T::health; };

template <class T>
constexpr void check_signatures() {
  static_assert(requires(T& t, const Event& event, Call& call) { { t.handle(event, call) } -> std::same_as<Outcome>; },
                "expected: hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call)");
  static_assert(std::constructible_from<T, Host, const Config&>, "expected a constructor: (hookhost::Host host, const hookhost::Config& config)");
  if constexpr (HasStart<T>) {
    static_assert(requires(T& t, const Resume& resume) { { t.start(resume) } -> std::same_as<std::uint64_t>; },
                  "expected: std::uint64_t start(const hookhost::Resume& resume)");
  }
  if constexpr (HasStop<T>) static_assert(requires(T& t) { { t.stop() } -> std::same_as<void>; }, "expected: void stop()");
  if constexpr (HasCheckpoint<T>) {
    static_assert(requires(T& t, const Checkpoint& point) { { t.checkpoint(point) } -> std::same_as<void>; },
                  "expected: void checkpoint(const hookhost::Checkpoint& point)");
  }
  if constexpr (HasHealth<T>) static_assert(requires(T& t) { { t.health() } -> std::same_as<bool>; }, "expected: bool health()");
}

inline void tell(hookhost_error* error, std::string_view text) noexcept {
  if (error != nullptr) error->set(error, str(text));
}

template <class T>
struct Instance {
  hookhost_instance table{};  // first: the host's pointer is this object's
  const hookhost_host* host;
  std::unique_ptr<T> plugin;

  static Instance& of(hookhost_instance* self) { return *static_cast<Instance*>(self->plugin_data); }

  static std::int32_t create(const hookhost_host* host, hookhost_str config, hookhost_str directory, hookhost_instance** out,
                             hookhost_error* error) noexcept {
    try {
      auto made = std::make_unique<Instance>();
      made->host = host;
      made->plugin = std::make_unique<T>(Host(host), Config(host, view(config), view(directory)));
      hookhost_instance& table = made->table;
      table.struct_size = sizeof table;
      table.plugin_data = made.get();
      table.handle = handle;
      table.destroy = destroy;
      if constexpr (HasStart<T>) table.start = start;
      if constexpr (HasCheckpoint<T>) table.checkpoint = checkpoint;
      if constexpr (HasStop<T>) table.stop = stop;
      if constexpr (HasHealth<T>) table.get_extension = get_extension;
      *out = &made.release()->table;
      return HOOKHOST_OK;
    } catch (const ConfigError& failure) {
      tell(error, failure.what());
      return HOOKHOST_BAD_CONFIG;
    } catch (const std::exception& failure) {
      tell(error, failure.what());
      return HOOKHOST_RETRY;
    } catch (...) {
      tell(error, "the constructor threw something that is no std::exception");
      return HOOKHOST_RETRY;
    }
  }

  static std::int32_t start(hookhost_instance* self, hookhost_resume* resume, hookhost_error* error) noexcept {
    try {
      const Resume past{resume->token, (resume->flags & HOOKHOST_RESUME_RESET) != 0, Kv(of(self).host, nullptr)};
      resume->own_token = of(self).plugin->start(past);
      return HOOKHOST_OK;
    } catch (const ConfigError& failure) {
      tell(error, failure.what());
      return HOOKHOST_BAD_CONFIG;
    } catch (const std::exception& failure) {
      tell(error, failure.what());
      return HOOKHOST_RETRY;
    } catch (...) {
      tell(error, "start threw something that is no std::exception");
      return HOOKHOST_RETRY;
    }
  }

  static std::int32_t handle(hookhost_instance* self, const hookhost_event* raw_event, hookhost_call* raw_call) noexcept {
    try {
      Call call(of(self).host, raw_call);
      const Outcome outcome = of(self).plugin->handle(Event(raw_event), call);
      if (outcome.status() == HOOKHOST_DEFERRED) return HOOKHOST_DEFERRED;  // the call may be over by now: do not touch it
      if (!outcome.error().empty()) raw_call->set_error(raw_call, str(outcome.error()));
      if (outcome.retry_after().count() > 0) raw_call->set_retry_after(raw_call, outcome.retry_after().count());
      return outcome.status();
    } catch (const std::exception& failure) {
      raw_call->set_error(raw_call, str(failure.what()));
    } catch (...) {
      raw_call->set_error(raw_call, str("the handler threw something that is no std::exception"));
    }
    return HOOKHOST_RETRY;
  }

  static std::int32_t checkpoint(hookhost_instance* self, const hookhost_checkpoint* point) noexcept {
    try {
      of(self).plugin->checkpoint(Checkpoint{point->token, {point->offsets, point->offset_count}});
      return HOOKHOST_OK;
    } catch (const std::exception& failure) {
      Host(of(self).host).error(failure.what());
    } catch (...) {
      Host(of(self).host).error("checkpoint threw something that is no std::exception");
    }
    return HOOKHOST_RETRY;
  }

  static void stop(hookhost_instance* self) noexcept {
    try {
      of(self).plugin->stop();
    } catch (...) {
      Host(of(self).host).error("stop threw an exception");
    }
  }

  static void destroy(hookhost_instance* self) noexcept {
    std::unique_ptr<Instance> instance(&of(self));
    try {
      instance->plugin.reset();
    } catch (...) {
      Host(instance->host).error("the destructor threw an exception");
    }
  }

  static std::int32_t health(hookhost_instance* self) noexcept {
    try {
      return of(self).plugin->health() ? HOOKHOST_OK : HOOKHOST_UNAVAILABLE;
    } catch (...) {
      return HOOKHOST_UNAVAILABLE;
    }
  }

  static const void* get_extension(hookhost_instance*, hookhost_str name) noexcept {
    static constexpr hookhost_health_v1 table{sizeof(hookhost_health_v1), 0, health};
    return view(name) == HOOKHOST_EXT_HEALTH ? &table : nullptr;
  }
};

template <class T>
const hookhost_plugin_entry* entry() noexcept {
  check_signatures<T>();
  static const hookhost_plugin_entry made = [] {
    constexpr const Info& info = T::info;
    hookhost_plugin_entry out{};
    out.struct_size = sizeof out;
    out.abi_minor_needed = HOOKHOST_ABI_MINOR_NEEDED;
    out.abi_minor_built = HOOKHOST_ABI_MINOR;
    out.flags = info.concurrent ? HOOKHOST_CONCURRENT : 0;
    out.id = str(info.id);
    out.name = str(info.name.empty() ? info.id : info.name);
    out.version = str(info.version);
    out.description = str(info.description);
    out.config_schema = str(info.config_schema);
    out.events = info.events.data();
    out.event_count = info.events.size();
    out.on_replay = static_cast<std::int32_t>(info.on_replay);
    out.order = static_cast<std::int32_t>(info.order);
    out.create = Instance<T>::create;
    return out;
  }();
  return &made;
}

// The note's id must be an array: copied from the class while compiling.
template <class T>
consteval hookhost_note note() {
  hookhost_note out{9, 136, HOOKHOST_NOTE_TYPE, "hookhost", HOOKHOST_ABI_MAJOR, HOOKHOST_ABI_MINOR_NEEDED, {}};
  if (T::info.id.empty() || T::info.id.size() >= sizeof out.id) throw "Info.id wants 1 to 127 characters";
  for (std::size_t i = 0; i < T::info.id.size(); ++i) out.id[i] = T::info.id[i];
  return out;
}

}  // namespace detail
}  // namespace hookhost

#define HOOKHOST_PLUGIN(Class)                                                                                                            \
  namespace {                                                                                                                             \
  __attribute__((section(".note.hookhost"), used, aligned(4))) constinit const hookhost_note hookhost_plugin_note_ = hookhost::detail::note<Class>(); \
  }                                                                                                                                       \
  extern "C" HOOKHOST_EXPORT const hookhost_plugin_entry* hookhost_plugin_entry_v1(void) { return hookhost::detail::entry<Class>(); }

#endif
