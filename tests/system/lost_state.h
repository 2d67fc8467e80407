// A data directory without what delivery.db kept.
#pragma once

#include "support/host_process.h"

namespace hookhost::test {

inline void remove_delivery_db(const HostProcess& host) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(host.data_dir() + "/delivery.db" + suffix);
}

}  // namespace hookhost::test
