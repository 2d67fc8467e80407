// From a class to the ABI's tables. Nothing that the class throws gets through.
#ifndef HOOKHOST_CPP_THUNKS_HPP
#define HOOKHOST_CPP_THUNKS_HPP

#include <hookhost/cpp/call.hpp>
#include <hookhost/cpp/host.hpp>
#include <hookhost/cpp/info.hpp>

#include <memory>
#include <type_traits>

namespace hookhost::detail {

// Whether T has a member of a name at all, of whatever kind: in a class that inherits from both, the name is ambiguous exactly then. So a
// wrong signature is an error instead of a method that is never called.
struct Names {
  void start() {}
  void stop() {}
  void checkpoint() {}
  void health() {}
  void reconfigure() {}
};
template <class T>
struct Probe : T, Names {};

template <class T>
concept HasStart = (std::is_final_v<T> && requires { &T::start; }) || (!std::is_final_v<T> && !requires { &Probe<T>::start; });
template <class T>
concept HasStop = (std::is_final_v<T> && requires { &T::stop; }) || (!std::is_final_v<T> && !requires { &Probe<T>::stop; });
template <class T>
concept HasCheckpoint = (std::is_final_v<T> && requires { &T::checkpoint; }) || (!std::is_final_v<T> && !requires { &Probe<T>::checkpoint; });
template <class T>
concept HasHealth = (std::is_final_v<T> && requires { &T::health; }) || (!std::is_final_v<T> && !requires { &Probe<T>::health; });
template <class T>
concept HasReconfigure = (std::is_final_v<T> && requires { &T::reconfigure; }) || (!std::is_final_v<T> && !requires { &Probe<T>::reconfigure; });

template <class R, class... Allowed>
concept OneOf = (std::same_as<R, Allowed> || ...);

template <class T>
concept GoodInfo = requires { { T::info } -> std::same_as<const Info&>; };
template <class T>
concept GoodConstructor = std::constructible_from<T, Host, const Config&>;
template <class T>
concept GoodHandle = requires(T& t, const Event& event, Call& call) { { t.handle(event, call) } -> std::same_as<Outcome>; };
template <class T>
concept GoodStart = !HasStart<T> || requires(T& t, const Resume& resume) { { t.start(resume) } -> OneOf<void, std::uint64_t>; };
template <class T>
concept GoodStop = !HasStop<T> || requires(T& t) { { t.stop() } -> std::same_as<void>; };
template <class T>
concept GoodCheckpoint = !HasCheckpoint<T> || requires(T& t, const Checkpoint& point) { { t.checkpoint(point) } -> std::same_as<void>; };
template <class T>
concept GoodHealth = !HasHealth<T> || requires(T& t) { { t.health() } -> OneOf<bool, Outcome>; };
template <class T>
concept GoodReconfigure = !HasReconfigure<T> || requires(T& t, const Config& config) { { t.reconfigure(config) } -> std::same_as<bool>; };
template <class T>
concept GoodPlugin = GoodInfo<T> && GoodConstructor<T> && GoodHandle<T> && GoodStart<T> && GoodStop<T> && GoodCheckpoint<T> && GoodHealth<T> &&
                     GoodReconfigure<T>;

// Runs `body`; what it throws becomes a status and a text for `tell`.
template <class Tell, class Body>
std::int32_t guarded(const char* anonymous, const Tell& tell, const Body& body) noexcept {
  try {
    return body();
  } catch (const StatusError& failure) {
    tell(failure.what());
    return failure.status < 0 ? failure.status : HOOKHOST_RETRY;
  } catch (const std::exception& failure) {
    tell(failure.what());
  } catch (...) {
    tell(anonymous);
  }
  return HOOKHOST_RETRY;
}

template <class T>
struct Instance {
  hookhost_instance table{};
  const hookhost_host* host = nullptr;
  std::unique_ptr<T> plugin;

  static Instance& of(hookhost_instance* self) noexcept { return *static_cast<Instance*>(self->plugin_data); }

  // Where messages go: to the operator through `error`, or into the diagnostics.
  static auto to(hookhost_error* error) noexcept {
    return [error](const char* text) {
      if (error != nullptr) error->set(error, str(text));
    };
  }
  static auto to_log(const hookhost_host* host) noexcept {
    return [host](const char* text) { host->log(host, HOOKHOST_LOG_ERROR, str(text), nullptr, 0); };
  }

  static std::int32_t create(const hookhost_host* host, hookhost_str config, hookhost_str directory, hookhost_instance** out,
                             hookhost_error* error) noexcept {
    return guarded("the constructor threw something that is no std::exception", to(error), [&] {
      auto made = std::make_unique<Instance>();
      const Config settings(host, view(config), view(directory));
      made->host = host;
      made->plugin = std::make_unique<T>(Host(host), settings);
      hookhost_instance& mine = made->table;
      mine.struct_size = sizeof mine;
      mine.plugin_data = made.get();
      mine.handle = handle;
      mine.destroy = destroy;
      if constexpr (HasStart<T>) mine.start = start;
      if constexpr (HasCheckpoint<T>) mine.checkpoint = checkpoint;
      if constexpr (HasStop<T>) mine.stop = stop;
      if constexpr (HasHealth<T> || HasReconfigure<T>) mine.get_extension = get_extension;
      *out = &made.release()->table;
      return HOOKHOST_OK;
    });
  }

  static std::int32_t start(hookhost_instance* self, hookhost_resume* resume, hookhost_error* error) noexcept {
    return guarded("start threw something that is no std::exception", to(error), [&] {
      const Resume past{resume->token, (resume->flags & HOOKHOST_RESUME_RESET) != 0, Kv(of(self).host, nullptr),
                        (resume->flags & HOOKHOST_RESUME_TEST) != 0};
      if constexpr (std::is_void_v<decltype(of(self).plugin->start(past))>) {
        of(self).plugin->start(past);
      } else {
        resume->own_token = of(self).plugin->start(past);
      }
      return HOOKHOST_OK;
    });
  }

  static std::int32_t handle(hookhost_instance* self, const hookhost_event* raw_event, hookhost_call* raw_call) noexcept {
    const hookhost_host* host = of(self).host;
    Call call(host, raw_call);
    bool answered = false;
    const auto tell = [&](const char* text) {
      if (call.is_deferred()) {
        to_log(host)(text);
      } else {
        raw_call->set_error(raw_call, str(text));
      }
    };
    const std::int32_t status = guarded("the handler threw something that is no std::exception", tell, [&] {
      const Outcome outcome = of(self).plugin->handle(Event(raw_event), call);
      answered = true;
      if (outcome.status() == HOOKHOST_DEFERRED) return HOOKHOST_DEFERRED;
      if (!outcome.error().empty()) raw_call->set_error(raw_call, str(outcome.error()));
      if (outcome.retry_after().count() > 0) raw_call->set_retry_after(raw_call, outcome.retry_after().count());
      return outcome.status();
    });
    // A handler that throws after defer() has left its completion somewhere: that one decides, called or dropped.
    if (!answered && call.is_deferred()) return HOOKHOST_DEFERRED;
    return !answered && status != HOOKHOST_UNAVAILABLE ? HOOKHOST_RETRY : status;
  }

  static std::int32_t checkpoint(hookhost_instance* self, const hookhost_checkpoint* point) noexcept {
    return guarded("checkpoint threw something that is no std::exception", to_log(of(self).host), [&] {
      of(self).plugin->checkpoint(Checkpoint{point->token, {point->offsets, point->offset_count}});
      return HOOKHOST_OK;
    });
  }

  static void stop(hookhost_instance* self) noexcept {
    guarded("stop threw something that is no std::exception", to_log(of(self).host), [&] {
      of(self).plugin->stop();
      return HOOKHOST_OK;
    });
  }

  static void destroy(hookhost_instance* self) noexcept {
    const std::unique_ptr<Instance> instance(&of(self));
    guarded("the destructor threw something that is no std::exception", to_log(instance->host), [&] {
      instance->plugin.reset();
      return HOOKHOST_OK;
    });
  }

  static std::int32_t health(hookhost_instance* self, hookhost_error* error) noexcept {
    return guarded("health threw something that is no std::exception", to(error), [&]() -> std::int32_t {
      if constexpr (std::same_as<decltype(of(self).plugin->health()), bool>) {
        return of(self).plugin->health() ? HOOKHOST_OK : HOOKHOST_UNAVAILABLE;
      } else {
        const Outcome outcome = of(self).plugin->health();
        if (!outcome.error().empty()) to(error)(outcome.error().c_str());
        return outcome.status();
      }
    });
  }

  static std::int32_t reconfigure(hookhost_instance* self, hookhost_str config, hookhost_str directory, hookhost_error* error) noexcept {
    return guarded("reconfigure threw something that is no std::exception", to(error), [&] {
      return of(self).plugin->reconfigure(Config(of(self).host, view(config), view(directory))) ? HOOKHOST_OK : HOOKHOST_UNSUPPORTED;
    });
  }

  static const void* get_extension(hookhost_instance*, hookhost_str name) noexcept {
    if constexpr (HasHealth<T>) {
      static constexpr hookhost_health_v1 kHealth{sizeof(hookhost_health_v1), 0, health};
      if (view(name) == HOOKHOST_EXT_HEALTH) return &kHealth;
    }
    if constexpr (HasReconfigure<T>) {
      static constexpr hookhost_reconfigure_v1 kReconfigure{sizeof(hookhost_reconfigure_v1), 0, reconfigure};
      if (view(name) == HOOKHOST_EXT_RECONFIGURE) return &kReconfigure;
    }
    return nullptr;
  }
};

template <class T>
constexpr hookhost_plugin_entry make_entry() {
  constexpr const Info& info = T::info;
  static_assert(!info.version.empty(), "Info.version is empty");
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
}

template <class T>
const hookhost_plugin_entry* entry() noexcept {
  static_assert(GoodInfo<T>, "expected in the plugin's class: static constexpr hookhost::Info info{.id = ..., .version = ..., .events = {...}}");
  static_assert(GoodConstructor<T>, "expected a public constructor: (hookhost::Host host, const hookhost::Config& config)");
  static_assert(GoodHandle<T>, "expected: public hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call)");
  static_assert(GoodStart<T>, "expected: public void or std::uint64_t start(const hookhost::Resume& resume)");
  static_assert(GoodStop<T>, "expected: public void stop()");
  static_assert(GoodCheckpoint<T>, "expected: public void checkpoint(const hookhost::Checkpoint& point)");
  static_assert(GoodHealth<T>, "expected: public bool or hookhost::Outcome health()");
  static_assert(GoodReconfigure<T>, "expected: public bool reconfigure(const hookhost::Config& config)");
  if constexpr (GoodPlugin<T>) {
    static constexpr hookhost_plugin_entry kEntry = make_entry<T>();
    return &kEntry;
  } else {
    return nullptr;
  }
}

// The note's id must be an array: copied from the class while compiling.
template <class T>
consteval hookhost_note note() {
  hookhost_note out{9, 136, HOOKHOST_NOTE_TYPE, "hookhost", HOOKHOST_ABI_MAJOR, HOOKHOST_ABI_MINOR_NEEDED, {}};
  if constexpr (GoodInfo<T>) {
    if (!is_name(T::info.id) || T::info.id.size() >= sizeof out.id || T::info.id.find('/') != std::string_view::npos) throw "Info.id wants 1 to 127 letters, digits, '.', '_' and '-'";
    for (std::size_t i = 0; i < T::info.id.size(); ++i) out.id[i] = T::info.id[i];
  }
  return out;
}

}  // namespace hookhost::detail

#endif
