// Asks the admin API: of the running host over HTTP, or, when none runs, of one that this process opens for the moment (it then holds the data
// directory's lock). Commands do not see the difference. The lock tells which of the two, and where the host listens; once a host was found,
// its end is an error: a command that watches never takes the lock from the one that is restarted.
#pragma once

#include <memory>
#include <string>

#include "app/command.h"
#include "config/config.h"
#include "http_client/http_client.h"

namespace hookhost::api {
class AdminApi;
}

namespace hookhost::app {

class Host;

class AdminClient {
 public:
  // Reads the configuration, without secrets of sources.
  [[nodiscard]] static Result<std::unique_ptr<AdminClient>> make(const Context& context);
  ~AdminClient();

  // The JSON of the answer. Errors: those of the API; unreachable when a host holds the data directory but does not answer, or ended; not_found
  // when there is no data directory: only what registers something makes one, as nothing can be looked up in one that is mistyped.
  [[nodiscard]] Result<std::string> call(const std::string& method, const std::string& path, const std::string& query, const std::string& body);
  // For what only a running host does. Error: unreachable, when none runs.
  [[nodiscard]] Result<> require_host();
  // Whether the last call was answered by a running host.
  [[nodiscard]] bool host_runs() const { return host_ == nullptr; }
  [[nodiscard]] const config::Config& config() const { return config_; }

 private:
  explicit AdminClient(config::Config config);
  [[nodiscard]] bool find_host();
  [[nodiscard]] Result<> open_host(bool may_create);
  [[nodiscard]] Result<std::string> call_remote(const std::string& method, const std::string& path, const std::string& query, const std::string& body);

  config::Config config_;
  http_client::HttpClient http_;
  std::string address_;  // of the running host; empty: not looked for, or none runs
  std::unique_ptr<Host> host_;
  std::unique_ptr<api::AdminApi> api_;
};

}  // namespace hookhost::app
