// The admin API without its sockets: a method, a path, a query and a JSON body in, a JSON answer out. `hookhost serve` puts it behind the
// admin listener; commands without a running host call it in their own process. One set of routes, so both behave alike.
//
//   GET    /api  (these calls)
//   GET    /api/status                              GET    /api/plugins
//   GET    /api/subscribers[/NAME]                  POST   /api/subscribers/NAME/pause | resume | acknowledge-gaps
//   DELETE /api/subscribers/NAME                    POST   /api/reload                      {"dry_run": false}
//   GET    /api/deliveries[/history]                POST   /api/deliveries/retry-now        {"subscriber", "event"}
//   GET    /api/attempts
//   GET    /api/dead-letters                        GET    /api/dead-letters/NAME/STREAM/OFFSET
//   POST   /api/dead-letters/retry | discard        {"subscriber", "type", "since", "offset", "stream", "all"}
//   POST   /api/replays/plan, /api/replays          {"subscriber", "from", ...}
//   GET    /api/replays[/ID]                        POST   /api/replays/ID/cancel | resume
//   GET    /api/endpoints[/ID]                      POST   /api/endpoints                   {"url", "event", "secret", ...}
//   PUT    /api/endpoints/ID                        POST   /api/endpoints/ID/pause | resume
//   DELETE /api/endpoints/ID                        DELETE /api/forwards/ID
//   POST   /api/forwards                            POST   /api/forwards/ID/keep
//   GET    /api/team-keys                           POST   /api/team-keys {"team", "label"} DELETE /api/team-keys/ID
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/host_control.h"
#include "base/result.h"

namespace hookhost::api {

struct AdminCall {
  std::string method;
  std::string path;   // without the query; both still encoded
  std::string query;  // "a=1&b=2"
  std::string body;   // JSON, or empty
};

// Threads: handle() from every thread. Blocks: on the engine's loop, on SQLite, and replays/plan on reading the event log.
class AdminApi {
 public:
  explicit AdminApi(HostControl& host) : host_(host) {}

  // The body of a 200 answer, JSON. Errors carry what the client may read.
  [[nodiscard]] Result<std::string> handle(const AdminCall& call);

  // The methods of the calls with this path; empty when there is none.
  [[nodiscard]] static std::vector<std::string_view> methods_of(std::string_view path);

 private:
  HostControl& host_;
};

}  // namespace hookhost::api
