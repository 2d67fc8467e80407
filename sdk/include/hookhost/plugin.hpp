// hookhost plugins in C++20: write a class, name it in HOOKHOST_PLUGIN. Header-only over abi.h, which has the full rules.
//
//   class Notify {
//    public:
//     static constexpr hookhost::Info info{.id = "com.example.notify", .version = "1.0.0", .events = {"linkedin.message.*"}};
//     Notify(hookhost::Host host, const hookhost::Config& config) : channel_(config.text("/channel")) {}
//     hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call);
//
//     // Each of these may be left out; one with another signature does not compile.
//     void start(const hookhost::Resume& resume);            // or std::uint64_t: the token up to which your own store is complete
//     void checkpoint(const hookhost::Checkpoint& point);    // make durable what you said ok to; throw to refuse
//     void stop();                                           // no thread of yours may run afterwards
//     bool health();                                         // or Outcome, with a text
//     bool reconfigure(const hookhost::Config& config);      // true: taken; false: make a new instance; ConfigError: refused
//   };
//   HOOKHOST_PLUGIN(Notify)
//
// Errors: an exception from the constructor or start() is a bad configuration (ConfigError), UnavailableError, UnsupportedError or a failed start;
// from handle() a retry with its text (UnavailableError: unavailable); from checkpoint() a refusal. Nothing is thrown across the ABI.
// Threads: without Info.concurrent one call at a time, on whatever thread; with it several handle() at once, never two with the same key. Host,
// Metrics and Completion may be used from every thread.
#ifndef HOOKHOST_PLUGIN_HPP
#define HOOKHOST_PLUGIN_HPP

#include <hookhost/cpp/thunks.hpp>

#define HOOKHOST_PLUGIN(Class)                                                                                   \
  namespace {                                                                                                    \
  __attribute__((section(".note.hookhost"), used, aligned(4))) constinit const hookhost_note hookhost_plugin_note_ = \
      hookhost::detail::note<Class>();                                                                           \
  }                                                                                                              \
  extern "C" HOOKHOST_EXPORT const hookhost_plugin_entry* hookhost_plugin_entry_v1(void) {                       \
    return hookhost::detail::entry<Class>();                                                                     \
  }

#endif
