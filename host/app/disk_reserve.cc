#include "app/disk_reserve.h"

#include <algorithm>

#include "base/diagnostics.h"

namespace hookhost::app {
namespace {

constexpr std::uint64_t kBytesMax = 16ULL << 20;
constexpr std::uint64_t kStepBytes = 1ULL << 20;
constexpr const char* kName = "reserve";

}  // namespace

DiskReserve::DiskReserve(os::FileSystem& files, std::string directory, std::uint64_t disk_free_min)
    : files_(files), directory_(std::move(directory)), disk_free_min_(disk_free_min), bytes_(std::min(kBytesMax, disk_free_min / 4)) {
  const auto facts = files_.facts(os::join(directory_, kName));
  is_there_ = facts && facts.value().size >= bytes_;
}

void DiskReserve::free_if_full() {
  if (!is_there_) return;
  const auto free = files_.free_bytes(directory_);
  if (!free || free.value() >= bytes_) return;
  if (const auto removed = files_.remove(os::join(directory_, kName)); !removed) {
    return diagnose(Level::error, "app", "the disk is full and the reserve cannot be freed: " + removed.error().message);
  }
  is_there_ = false;
  diagnose(Level::error, "app", "the disk is full: the reserve is freed, so that delivery can go on; make space",
           {{"free_bytes", free.value()}, {"reserve_bytes", bytes_}});
}

void DiskReserve::make_if_space() {
  if (is_there_ || bytes_ == 0) return;
  const auto free = files_.free_bytes(directory_);
  if (!free || free.value() - std::min(free.value(), bytes_) < disk_free_min_) return;
  const std::string path = os::join(directory_, kName);
  static_cast<void>(files_.remove(path));  // what a crash or a full disk left of it
  const auto made = [&]() -> Result<> {
    HOOKHOST_TRY(const auto file, files_.open(path, os::OpenMode::create));
    const std::string zeros(std::min(kStepBytes, bytes_), '\0');
    for (std::uint64_t at = 0; at < bytes_; at += zeros.size()) {
      HOOKHOST_CHECK(file->write_at(at, std::string_view(zeros).substr(0, std::min<std::uint64_t>(zeros.size(), bytes_ - at))));
    }
    return file->sync();
  }();
  is_there_ = made.has_value();
  if (!made) static_cast<void>(files_.remove(path));
}

}  // namespace hookhost::app
