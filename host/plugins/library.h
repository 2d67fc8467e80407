// A plugin's shared library: checked, copied to a private file, loaded once, never unloaded (thread-local destructors, unique symbols and
// threads make unloading crash).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/pattern.h"
#include "base/result.h"
#include "os/file_system.h"

struct hookhost_plugin_entry;

namespace hookhost::plugins {

enum class OnReplay : std::uint8_t { ask, safe, reset_only };
enum class Order : std::uint8_t { key, none, all };

struct LibraryInfo {
  std::string id, name, version, description, config_schema, sha256;
  std::vector<Pattern> events;
  bool concurrent = false;
  OnReplay on_replay = OnReplay::ask;
  Order order = Order::key;
};

class Library {
 public:
  // `private_directory`: data_dir/plugins. `sha256`: what the file must have, lower-case hexadecimal; empty: anything.
  // Errors: not_found, permission, refused (another digest), not_supported (no plugin, another ABI), corrupt (the entry contradicts the note).
  // Threads: one at a time. Blocks on files, and on the library's constructors.
  [[nodiscard]] static Result<std::shared_ptr<const Library>> load(os::FileSystem& files, const std::string& path,
                                                                   const std::string& private_directory, const std::string& sha256);

  [[nodiscard]] const LibraryInfo& info() const { return info_; }
  [[nodiscard]] const hookhost_plugin_entry& entry() const { return *entry_; }

 private:
  Library(LibraryInfo info, const hookhost_plugin_entry* entry) : info_(std::move(info)), entry_(entry) {}
  LibraryInfo info_;
  const hookhost_plugin_entry* entry_;
};

}  // namespace hookhost::plugins
