// Asks the admin API: of the running host over HTTP, or, when none runs, of one that this process opens for the moment (it then holds the data
// directory's lock). Commands do not see the difference.
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

  // The JSON of the answer. Errors: those of the API; unreachable when a host holds the data directory but does not answer.
  [[nodiscard]] Result<std::string> call(const std::string& method, const std::string& path, const std::string& query, const std::string& body);
  // Whether the last call was answered by a running host.
  [[nodiscard]] bool host_runs() const { return host_ == nullptr; }
  [[nodiscard]] const config::Config& config() const { return config_; }

 private:
  explicit AdminClient(config::Config config);
  [[nodiscard]] Result<std::string> call_remote(const std::string& method, const std::string& path, const std::string& query, const std::string& body);

  config::Config config_;
  http_client::HttpClient http_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<api::AdminApi> api_;
};

}  // namespace hookhost::app
