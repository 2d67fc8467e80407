// A file that keeps some space of the disk for the moment when nothing else is left: without it, positions, kv and dead letters of what was
// received could not be committed on a full disk, and delivery would stand still together with intake.
//
// It holds a quarter of event_log.disk_free_min, at most 16 MiB. It is freed when less than that is free, and made again when there is enough
// above the floor. So freeing it never lifts the free space above the floor: intake stays closed until somebody makes space.
// Threads: one at a time. Blocks on the disk.
#pragma once

#include <cstdint>
#include <string>

#include "os/file_system.h"

namespace hookhost::app {

class DiskReserve {
 public:
  DiskReserve(os::FileSystem& files, std::string directory, std::uint64_t disk_free_min);

  void free_if_full();
  void make_if_space();

 private:
  os::FileSystem& files_;
  const std::string directory_;
  const std::uint64_t disk_free_min_;
  const std::uint64_t bytes_;
  bool is_there_;
};

}  // namespace hookhost::app
