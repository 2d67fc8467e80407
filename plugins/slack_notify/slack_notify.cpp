// slack_notify: posts a message for each event to a Slack incoming webhook, or to whatever takes the same (Mattermost, Rocket.Chat, ...).
//
// Calls are deferred: many posts are under way at once, in order per key. While the receiver is down the whole subscriber waits and uses up no
// attempt. A message cannot be taken back, so that a replay asks first, and after a crash a message may come twice.
#include <unistd.h>

#include <optional>
#include <stdexcept>

#include "message.h"
#include "poster.h"

namespace slack_notify {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["url"], "additionalProperties": false,
  "properties": {
    "url": {"type": "string", "minLength": 1, "writeOnly": true, "description": "The incoming webhook's URL; a secret"},
    "template": {"type": "string", "minLength": 1, "description": "The message, with {{type}} or {{/data/message}} where values go"},
    "timeout": {"type": "string", "description": "Of one post, such as 10s"},
    "connections": {"type": "integer", "minimum": 1, "maximum": 64, "description": "Posts under way at once"},
    "ca_file": {"type": "string", "minLength": 1, "description": "Certificates to trust in place of the system's (PEM); relative to the configuration's directory"},
    "allow_http": {"type": "boolean", "description": "Allow a URL without TLS"}
  }
})";

std::string checked_url(const hookhost::Host& host, const hookhost::Config& config) {
  std::string url = config.text("/url");
  if (!is_url(url)) throw hookhost::ConfigError("plugins." + std::string(host.instance()) + ".config.url: cannot be read as a URL");
  if (url.starts_with("https://") || (config.boolean("/allow_http", false) && url.starts_with("http://"))) return url;
  throw hookhost::ConfigError("plugins." + std::string(host.instance()) + ".config.url: must begin with https:// (or http:// with allow_http: true)");
}

std::string checked_ca_file(const hookhost::Host& host, const hookhost::Config& config) {
  if (!config.has("/ca_file")) return "";
  std::string path = config.path("/ca_file");
  if (::access(path.c_str(), R_OK) == 0) return path;
  throw hookhost::ConfigError("plugins." + std::string(host.instance()) + ".config.ca_file: " + path + " cannot be read");
}

Template checked_template(const hookhost::Host& host, const hookhost::Config& config) {
  try {
    return Template(config.text("/template", "{{type}}: {{/data/message}}"));
  } catch (const std::invalid_argument& error) {
    throw hookhost::ConfigError("plugins." + std::string(host.instance()) + ".config.template: " + error.what());
  }
}

class SlackNotify {
 public:
  static constexpr hookhost::Info info{.id = "org.hookhost.slack_notify",
                                       .version = "0.1.0",
                                       .events = {"*"},
                                       .name = "Slack messages",
                                       .description = "Posts a message for each event to a Slack incoming webhook",
                                       .config_schema = kSchema,
                                       .concurrent = true,
                                       .on_replay = hookhost::OnReplay::ask};

  SlackNotify(hookhost::Host host, const hookhost::Config& config)
      : template_(checked_template(host, config)),
        options_{.url = checked_url(host, config),
                 .ca_file = checked_ca_file(host, config),
                 .timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.duration("/timeout", std::chrono::seconds(10))),
                 .connections_max = static_cast<std::size_t>(config.integer("/connections", 8)),
                 .host = host} {}

  void start(const hookhost::Resume&) { poster_.emplace(options_); }
  void stop() { poster_.reset(); }

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    if (event.is_shadow()) return hookhost::ignored();
    std::string body = to_json((event.is_test() ? "[test] " : "") + template_.fill(event, call));
    poster_->post(std::move(body), call.defer());
    return hookhost::deferred();
  }

 private:
  Template template_;
  Poster::Options options_;
  std::optional<Poster> poster_;
};

}  // namespace
}  // namespace slack_notify

HOOKHOST_PLUGIN(slack_notify::SlackNotify)
