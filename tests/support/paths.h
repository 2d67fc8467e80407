// Where the build put what tests run and load, and where the sources lie. paths.cc alone is told; every other object is the same in every clone, so that a
// compiler's cache serves them all.
#pragma once

#include <string>

namespace hookhost::test::paths {

[[nodiscard]] std::string host();            // hookhost
[[nodiscard]] std::string source();          // the repository
[[nodiscard]] std::string build();           // of this build
[[nodiscard]] std::string plugins();         // the folder of tests/plugins' libraries
[[nodiscard]] std::string system_plugins();  // and of tests/system's
[[nodiscard]] std::string failing_disk();    // to be preloaded
[[nodiscard]] std::string jsonl_export();
[[nodiscard]] std::string prospect_crm();
[[nodiscard]] std::string slack_notify();
[[nodiscard]] std::string cmake();
[[nodiscard]] std::string ctest();

}  // namespace hookhost::test::paths
