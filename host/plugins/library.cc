#include "plugins/library.h"

#include <boost/dll/shared_library.hpp>

#include <map>

#include "base/bytes.h"
#include "hookhost/abi.h"
#include "plugins/abi_views.h"
#include "plugins/elf_note.h"
#include "plugins/file_check.h"
#include "signing/digest.h"

namespace hookhost::plugins {
namespace {

constexpr std::uint64_t kFileBytesMax = 512ULL << 20;
constexpr std::size_t kEventsMax = 256;

// What an entry may say of itself, in bytes; abi.h tells authors.
constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kDescriptionBytesMax = 4096;
constexpr std::size_t kSchemaBytesMax = 1 << 20;

// Loaded libraries by digest, for as long as the process lives.
std::map<std::string, boost::dll::shared_library*>& loaded() {
  static auto* all = new std::map<std::string, boost::dll::shared_library*>;
  return *all;
}

Result<std::string> private_copy(os::FileSystem& files, const std::string& bytes, const std::string& directory, const std::string& sha256) {
  HOOKHOST_CHECK(files.make_directories(directory));
  std::string path = os::join(directory, sha256 + ".so");
  const auto existing = os::read_file(files, path, kFileBytesMax);
  if (!existing || existing.value() != bytes) HOOKHOST_CHECK(os::write_file_atomically(files, path, bytes));
  return path;
}

Result<LibraryInfo> check_entry(const hookhost_plugin_entry* entry, const PluginNote& note, const std::string& sha256) {
  const auto wrong = [&](const std::string& why) { return fail(ErrorCode::corrupt, note.id + ": " + why + "; tell its author"); };
  if (entry == nullptr) return wrong("hookhost_plugin_entry_v1 returned null");
  if (!HOOKHOST_HAS(entry, create) || entry->create == nullptr) return wrong("its entry has no create function");
  LibraryInfo out;
  out.sha256 = sha256;
  out.id = note.id;
  if (view(entry->id) != note.id) return wrong("its entry and its note name different ids");
  if (entry->abi_minor_needed != note.minor_needed) return wrong("its entry and its note need different minors");
  const auto take = [&](const char* member, hookhost_str value, std::size_t bytes_max, std::string& into) -> Result<> {
    if (value.len <= bytes_max) into = view(value);
    if (value.len <= bytes_max && is_valid_utf8(into) && into.find('\0') == std::string::npos) return success();
    return wrong(std::string("its ") + member + " is longer than " + std::to_string(bytes_max) + " bytes, or no UTF-8 text");
  };
  HOOKHOST_CHECK(take("name", entry->name, kNameBytesMax, out.name));
  HOOKHOST_CHECK(take("version", entry->version, kNameBytesMax, out.version));
  HOOKHOST_CHECK(take("description", entry->description, kDescriptionBytesMax, out.description));
  HOOKHOST_CHECK(take("config_schema", entry->config_schema, kSchemaBytesMax, out.config_schema));
  out.concurrent = (entry->flags & HOOKHOST_CONCURRENT) != 0;
  out.on_replay = entry->on_replay == HOOKHOST_REPLAY_SAFE         ? OnReplay::safe
                  : entry->on_replay == HOOKHOST_REPLAY_RESET_ONLY ? OnReplay::reset_only
                                                                   : OnReplay::ask;
  out.order = entry->order == HOOKHOST_ORDER_NONE ? Order::none : entry->order == HOOKHOST_ORDER_ALL ? Order::all : Order::key;
  if (entry->events == nullptr || entry->event_count == 0 || entry->event_count > kEventsMax) return wrong("it declares no events, or more than 256");
  for (std::size_t i = 0; i < entry->event_count; ++i) {
    std::string written;
    HOOKHOST_CHECK(take("pattern", entry->events[i], kNameBytesMax, written));
    auto pattern = parse_pattern(written, false);
    if (!pattern) return wrong(pattern.error().message);
    out.events.push_back(std::move(pattern.value()));
  }
  return out;
}

}  // namespace

Result<std::shared_ptr<const Library>> Library::load(os::FileSystem& files, const std::string& path, const std::string& private_directory,
                                                     const std::string& sha256) {
  HOOKHOST_TRY(const std::string real, check_file(files, path));
  HOOKHOST_TRY(const std::string bytes, os::read_file(files, real, kFileBytesMax));
  const std::string digest = to_hex(signing::sha256(bytes));
  if (!sha256.empty() && !equals_ignoring_case(sha256, digest)) {
    return fail(ErrorCode::refused, path + " has SHA-256 " + digest + ", the configuration wants " + sha256 + "; check where the file comes from");
  }
  const auto noted = read_note(bytes);
  if (!noted) return fail(noted.error().code, path + ": " + noted.error().message);
  const PluginNote& note = noted.value();
  HOOKHOST_TRY(const std::string copy, private_copy(files, bytes, private_directory, digest));
  try {
    auto& library = loaded()[digest];
    if (library == nullptr) {
      library = new boost::dll::shared_library(os::absolute(copy), boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    }
    if (!library->has("hookhost_plugin_entry_v1")) {
      return fail(ErrorCode::not_supported, path + ": " + note.id + " exports no hookhost_plugin_entry_v1; build it with HOOKHOST_PLUGIN or HOOKHOST_PLUGIN_C");
    }
    const auto* entry = library->get<const hookhost_plugin_entry*()>("hookhost_plugin_entry_v1")();
    auto info = check_entry(entry, note, digest);
    if (!info) return fail(info.error().code, path + ": " + info.error().message);
    return std::shared_ptr<const Library>(new Library(std::move(info.value()), entry));
  } catch (const std::exception& error) {
    loaded().erase(digest);
    return fail(ErrorCode::not_supported, "loading " + path + " failed: " + error.what());
  } catch (...) {
    return fail(ErrorCode::not_supported, "loading " + path + " failed: it threw an exception");
  }
}

}  // namespace hookhost::plugins
