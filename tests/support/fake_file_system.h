// A file system in memory that can lose power and fail.
//
// The fault model:
// - Contents are a cache and a disk. A write goes to the cache; sync() takes it to the disk. At a power cut each 512-byte sector that was
//   written and not synced is on the disk or not, at random, and so is a length that changed.
// - A failed sync() puts a random part of what was pending on the disk and forgets that the rest was pending: the cache goes on showing it, a
//   later sync() succeeds and does not write it (Linux does the same).
// - Names change in the cache; sync_directory() takes all changes so far to the disk. At a power cut a random prefix of the pending changes
//   is there: journalled file systems keep their order.
// - Fault at call N: the Nth call that could fail in the chosen way does, once. Power cut at call N: the Nth call that changes something and
//   all calls after it fail without an effect, until cut_power() starts the machine again.
// - Read error at call N: the Nth look into a file or a directory fails, once.
// Not modelled: changes in what was synced (tests do that themselves with poke()), directories inside directories.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "os/file_system.h"

namespace hookhost::test {

enum class Fault : std::uint8_t { none, io_error, no_space, short_write, sync_error, power_cut, read_error };

class FakeFileSystem final : public os::FileSystem {
 public:
  explicit FakeFileSystem(std::uint64_t seed = 1) : random_(seed) {}

  // From now on the `n`th call (from 1) fails.
  void fail_at(std::uint64_t n, Fault fault) {
    const std::scoped_lock lock(mutex_);
    fault_ = fault;
    countdown_ = n;
    fired_ = false;
  }
  void no_faults() { fail_at(0, Fault::none); }
  [[nodiscard]] bool fired() const {
    const std::scoped_lock lock(mutex_);
    return fired_;
  }
  // The process is gone: every call fails from now on, without an effect. What the cache holds stays.
  void freeze() {
    const std::scoped_lock lock(mutex_);
    frozen_ = true;
  }
  void thaw() {
    const std::scoped_lock lock(mutex_);
    frozen_ = false;
  }
  // The machine is gone and comes back.
  void cut_power() {
    const std::scoped_lock lock(mutex_);
    frozen_ = false;
    lose_names();
    for (auto& [name, inode] : names_) inode->lose(random_);
  }

  // A machine with the same contents, all of them durable.
  [[nodiscard]] std::unique_ptr<FakeFileSystem> copy() const {
    const std::scoped_lock lock(mutex_);
    auto out = std::make_unique<FakeFileSystem>(1);
    for (const auto& [name, inode] : names_) {
      auto twin = std::make_shared<Inode>();
      twin->cache = twin->disk = inode->cache;
      out->names_.emplace(name, twin);
    }
    out->durable_names_ = out->names_;
    return out;
  }
  // Changes a file behind everybody's back: rot.
  std::string& poke(const std::string& path) {
    const std::scoped_lock lock(mutex_);
    return names_.at(path)->cache;
  }
  [[nodiscard]] std::vector<std::string> paths() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [name, inode] : names_) out.push_back(name);
    return out;
  }
  // The first byte of a file; 0 when it has none or does not exist.
  [[nodiscard]] char marker_of(const std::string& path) const {
    const std::scoped_lock lock(mutex_);
    const auto found = names_.find(path);
    return found == names_.end() || found->second->cache.empty() ? '\0' : found->second->cache.front();
  }
  // Writes, syncs and cuts through a descriptor whose sync has failed before: never allowed.
  [[nodiscard]] std::uint64_t uses_after_a_failed_sync() const {
    const std::scoped_lock lock(mutex_);
    return uses_after_a_failed_sync_;
  }
  // The bytes of all files together.
  [[nodiscard]] std::uint64_t used_bytes() const {
    const std::scoped_lock lock(mutex_);
    std::uint64_t sum = 0;
    for (const auto& [name, inode] : names_) sum += inode->cache.size();
    return sum;
  }
  void set_free_bytes(std::uint64_t bytes) {
    const std::scoped_lock lock(mutex_);
    free_bytes_ = bytes;
  }

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    const std::scoped_lock lock(mutex_);
    const auto found = names_.find(path);
    if (mode != os::OpenMode::create) {
      HOOKHOST_CHECK(read_call());
      if (found == names_.end()) return fail(ErrorCode::not_found, "no " + path);
      return std::unique_ptr<os::File>(std::make_unique<FakeFile>(*this, found->second));
    }
    HOOKHOST_CHECK(change(true));
    if (found != names_.end()) return fail(ErrorCode::io_error, path + " exists");
    auto inode = std::make_shared<Inode>();
    names_[path] = inode;
    pending_names_.push_back(names_);
    return std::unique_ptr<os::File>(std::make_unique<FakeFile>(*this, inode));
  }
  // Called before each rename, without a lock.
  std::function<void(const std::string& from)> before_rename;

  Result<> rename(const std::string& from, const std::string& to) override {
    if (before_rename) before_rename(from);
    const std::scoped_lock lock(mutex_);
    HOOKHOST_CHECK(change(true));
    const auto found = names_.find(from);
    if (found == names_.end()) return fail(ErrorCode::not_found, "no " + from);
    auto inode = found->second;
    names_.erase(found);
    names_[to] = inode;
    pending_names_.push_back(names_);
    return success();
  }
  Result<> remove(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    if (!names_.contains(path)) return fail(ErrorCode::not_found, "no " + path);
    HOOKHOST_CHECK(change(false));
    names_.erase(path);
    pending_names_.push_back(names_);
    return success();
  }
  Result<> sync_directory(const std::string&) override {
    const std::scoped_lock lock(mutex_);
    if (auto synced = sync_call(); !synced) {
      if (!frozen_) lose_pending_names();
      return synced;
    }
    durable_names_ = names_;
    pending_names_.clear();
    return success();
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    const std::scoped_lock lock(mutex_);
    HOOKHOST_CHECK(read_call());
    std::vector<std::string> out;
    for (const auto& [name, inode] : names_) {
      if (os::parent(name) == directory) out.push_back(os::file_name(name));
    }
    return out;
  }
  Result<> make_directories(const std::string&) override { return success(); }
  Result<std::uint64_t> free_bytes(const std::string&) override {
    const std::scoped_lock lock(mutex_);
    return free_bytes_;
  }
  Result<os::Facts> facts(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    const auto found = names_.find(path);
    if (found == names_.end()) return fail(ErrorCode::not_found, "no " + path);
    return os::Facts{os::Facts::Kind::file, 0600, 0, found->second->cache.size()};
  }

 private:
  static constexpr std::size_t kSector = 512;
  using Random = std::mt19937_64;

  struct Inode {
    std::string cache, disk;
    std::set<std::uint64_t> dirty;  // sectors
    bool length_dirty = false;

    void take_to_disk(std::uint64_t sector) {
      const std::size_t from = sector * kSector;
      if (from >= cache.size()) return;
      const std::size_t size = std::min(kSector, cache.size() - from);
      if (disk.size() < from + size) disk.resize(from + size, '\0');
      disk.replace(from, size, cache, from, size);
    }
    void sync() {
      for (const std::uint64_t sector : dirty) take_to_disk(sector);
      disk.resize(cache.size(), '\0');
      dirty.clear();
      length_dirty = false;
    }
    // A random part of what is pending reaches the disk, the rest is forgotten.
    void sync_badly(Random& random) {
      if (length_dirty && random() % 2 == 0) disk.resize(cache.size(), '\0');
      for (const std::uint64_t sector : dirty) {
        if (random() % 2 == 0) take_to_disk(sector);
      }
      dirty.clear();
      length_dirty = false;
    }
    void lose(Random& random) {
      sync_badly(random);
      cache = disk;
    }
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  class FakeFile final : public os::File {
   public:
    FakeFile(FakeFileSystem& files, std::shared_ptr<Inode> inode) : files_(files), inode_(std::move(inode)) {}
    Result<std::size_t> read_at(std::uint64_t position, char* into, std::size_t size) override {
      const std::scoped_lock lock(files_.mutex_);
      HOOKHOST_CHECK(files_.read_call());
      if (position >= inode_->cache.size()) return std::size_t{0};
      return inode_->cache.copy(into, size, position);
    }
    Result<> write_at(std::uint64_t position, std::string_view bytes) override {
      const std::scoped_lock lock(files_.mutex_);
      count_use();
      if (auto allowed = files_.write_call(); !allowed) {
        if (!files_.frozen_ && files_.fault_ == Fault::short_write) put(position, bytes.substr(0, files_.random_() % (bytes.size() + 1)));
        return allowed;
      }
      put(position, bytes);
      return success();
    }
    Result<> sync() override {
      const std::scoped_lock lock(files_.mutex_);
      count_use();
      if (auto synced = files_.sync_call(); !synced) {
        has_failed_ = true;
        if (!files_.frozen_) inode_->sync_badly(files_.random_);
        return synced;
      }
      inode_->sync();
      return success();
    }
    Result<> truncate(std::uint64_t length) override {
      const std::scoped_lock lock(files_.mutex_);
      count_use();
      HOOKHOST_CHECK(files_.change(false));
      inode_->cache.resize(length, '\0');
      inode_->length_dirty = true;
      return success();
    }
    Result<std::uint64_t> size() override {
      const std::scoped_lock lock(files_.mutex_);
      HOOKHOST_CHECK(files_.read_call());
      return inode_->cache.size();
    }

   private:
    void put(std::uint64_t position, std::string_view bytes) {
      if (bytes.empty()) return;
      if (inode_->cache.size() < position + bytes.size()) {
        inode_->cache.resize(position + bytes.size(), '\0');
        inode_->length_dirty = true;
      }
      inode_->cache.replace(position, bytes.size(), bytes);
      for (std::uint64_t s = position / kSector; s <= (position + bytes.size() - 1) / kSector; ++s) inode_->dirty.insert(s);
    }
    void count_use() const {
      if (has_failed_ && !files_.frozen_) ++files_.uses_after_a_failed_sync_;
    }
    FakeFileSystem& files_;
    std::shared_ptr<Inode> inode_;
    bool has_failed_ = false;
  };

  [[nodiscard]] bool comes(bool eligible) {
    if (!eligible || fault_ == Fault::none || countdown_ == 0) return false;
    if (--countdown_ > 0) return false;
    fired_ = true;
    return true;
  }
  Result<> answer(bool eligible) {
    if (frozen_) return fail(ErrorCode::io_error, "the machine is off");
    if (!comes(eligible)) return success();
    if (fault_ == Fault::power_cut) frozen_ = true;
    return fail(fault_ == Fault::no_space ? ErrorCode::no_space : ErrorCode::io_error, "a fault of the test");
  }
  Result<> change(bool needs_space) {
    return answer(fault_ == Fault::io_error || fault_ == Fault::power_cut || (needs_space && fault_ == Fault::no_space));
  }
  Result<> read_call() { return fault_ == Fault::read_error ? answer(true) : success(); }  // frozen: what is there may be looked at
  Result<> write_call() { return answer(fault_ != Fault::sync_error && fault_ != Fault::read_error); }
  Result<> sync_call() { return answer(fault_ == Fault::io_error || fault_ == Fault::sync_error || fault_ == Fault::power_cut || fault_ == Fault::no_space); }

  void lose_pending_names() {
    if (!pending_names_.empty()) {
      const std::size_t kept = random_() % (pending_names_.size() + 1);
      if (kept > 0) durable_names_ = pending_names_[kept - 1];
    }
    pending_names_.clear();
  }
  void lose_names() {
    lose_pending_names();
    names_ = durable_names_;
  }

  mutable std::mutex mutex_;
  Random random_;
  Names names_, durable_names_;
  std::vector<Names> pending_names_;  // after each change that no directory sync has seen
  Fault fault_ = Fault::none;
  std::uint64_t countdown_ = 0;
  bool fired_ = false, frozen_ = false;
  std::uint64_t free_bytes_ = 1ULL << 40, uses_after_a_failed_sync_ = 0;
};

}  // namespace hookhost::test
