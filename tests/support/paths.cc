#include "support/paths.h"

namespace hookhost::test::paths {

std::string host() { return PATH_HOST; }
std::string source() { return PATH_SOURCE; }
std::string build() { return PATH_BUILD; }
std::string plugins() { return PATH_PLUGINS; }
std::string system_plugins() { return PATH_SYSTEM_PLUGINS; }
std::string failing_disk() { return PATH_FAILING_DISK; }
std::string jsonl_export() { return PATH_JSONL_EXPORT; }
std::string prospect_crm() { return PATH_PROSPECT_CRM; }
std::string slack_notify() { return PATH_SLACK_NOTIFY; }
std::string cmake() { return PATH_CMAKE; }
std::string ctest() { return PATH_CTEST; }

}  // namespace hookhost::test::paths
