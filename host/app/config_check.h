// What the reader of the configuration cannot judge, because other rooms or the machine know it: whether a secret is a key, an endpoint can be, a
// certificate belongs to its key, a file of authorities holds any, data_dir can be used, an address is this machine's. `serve`, `check` and a reload ask the same.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "http/server.h"

namespace hookhost::app {

// Each begins with its place, "file:line:column: key: ".
[[nodiscard]] std::vector<std::string> problems_of(const config::Config& config);
// All of them as one error, one a line. Error: invalid_config.
[[nodiscard]] Result<> check_config(const config::Config& config);

// What of data_dir a start would refuse when it opens it: the databases, beside no running host the event log, and what of the configuration does not
// fit them. Precondition: no host runs in this process.
[[nodiscard]] std::vector<std::string> problems_of_stores(const config::Config& config);

// What works, and may not be meant: teams that have keys or webhooks in the registry of data_dir and do not stand in the file.
[[nodiscard]] std::vector<std::string> warnings_of(const config::Config& config);

// The PEM texts. Error: a file that cannot be read.
[[nodiscard]] Result<http::TlsOptions> read_tls(const config::Tls& tls);

}  // namespace hookhost::app
