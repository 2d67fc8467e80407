// Endpoints as the engine's subscribers, and the one sender that all of a host's requests go through.
//
// Threads: every function from every thread. Those that ask the engine block on its loop.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "delivery/engine.h"
#include "endpoints/endpoint_subscriber.h"
#include "event_log/event.h"
#include "state/delivery_store.h"

namespace hookhost::app {

class EndpointRunner {
 public:
  // It outlives what it handed to the engine: destroyed after the engine, before the store.
  EndpointRunner(delivery::Engine& engine, state::DeliveryStore& store, const Clock& clock) : engine_(engine), store_(store), clock_(clock) {}

  // From now on run() starts instances, which have at most that many requests open together. Without it (a command without a host) they are
  // known and nothing is sent.
  void begin(std::size_t requests_max);
  [[nodiscard]] bool sends() const { return sender_.has_value(); }

  [[nodiscard]] Result<delivery::Accepted> accept(const std::string& id, const delivery::StartAt& start_at,
                                                  delivery::Earlier earlier = delivery::Earlier::ignored) {
    return engine_.accept(SubscriberId{id}, kKind, start_at, earlier);
  }
  // Starts it, or replaces the running instance.
  [[nodiscard]] Result<> run(endpoints::Endpoint endpoint);
  // Its position stands and nothing is sent; `reason` is shown. What is under way gets a moment to end.
  [[nodiscard]] Result<> stop(const std::string& id, const std::string& reason);
  // The same at once: waits for no receiver. What is under way is cut off, and comes again when it goes on.
  [[nodiscard]] Result<> cut(const std::string& id, const std::string& reason);
  // Deletes every trace of it.
  [[nodiscard]] Result<> forget(const std::string& id);

  // Sends the event once, beside the engine; the attempt is kept, whatever comes of it.
  void send_test(const endpoints::Endpoint& endpoint, const event_log::EventPtr& event);

  static constexpr const char* kKind = "endpoint";

 private:
  void keep_test(const SubscriberId& id, state::AttemptRow attempt);

  delivery::Engine& engine_;
  state::DeliveryStore& store_;
  const Clock& clock_;
  std::optional<endpoints::Sender> sender_;
  std::optional<http_client::Transfers> transfers_;  // last: what it still carries tells the others of its end
};

}  // namespace hookhost::app
