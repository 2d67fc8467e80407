// Example payloads of the known types: what `hookhost types example` prints and `hookhost send` sends. Only linkedin.message.received is
// documented by Kakiyo; the other five Kakiyo examples follow its envelope and are ours. GitHub's, Stripe's and Standard Webhooks' are
// small but carry what type, key and id are taken from.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hookhost::api {

struct ExampleEvent {
  std::string_view provider;
  std::string_view type;
  std::string_view description;
  std::string_view body;  // JSON
  bool documented;        // the provider's own documentation shows this payload
};

[[nodiscard]] std::span<const ExampleEvent> example_events();

// The example of that type, of that provider when `provider` is not empty.
[[nodiscard]] const ExampleEvent* find_example(std::string_view provider, std::string_view type);

}  // namespace hookhost::api
