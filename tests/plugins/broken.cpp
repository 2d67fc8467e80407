// Libraries that must be refused, one fault each; BROKEN_* says which. BROKEN_ENTRY has as many as there are words for it in the environment's
// HOOKHOST_TEST_ENTRY, for its entry is asked for at every load.
#include <hookhost/abi.h>

#include <cstdlib>
#include <string_view>

#define BROKEN_NOTE_OF(name, major, minor, id) \
  __attribute__((section(".note.hookhost"), used, aligned(4))) static const hookhost_note name = {9, 136, 1, "hookhost", major, minor, id};

#if defined(BROKEN_MAJOR) || defined(BROKEN_MINOR) || defined(BROKEN_CONSTRUCTOR)
// A host that ran this constructor before it had checked the file would end here.
__attribute__((constructor)) static void crash() { std::abort(); }
#endif
#if defined(BROKEN_MAJOR)
BROKEN_NOTE_OF(note, 2, 0, "test.hookhost.broken")
#elif defined(BROKEN_MINOR)
BROKEN_NOTE_OF(note, 1, 99, "test.hookhost.broken")
#elif defined(BROKEN_ID)
HOOKHOST_PLUGIN_NOTE("test.hookhost.another")
#elif defined(BROKEN_TWICE)
HOOKHOST_PLUGIN_NOTE("test.hookhost.broken")
BROKEN_NOTE_OF(second, 1, 0, "test.hookhost.another")
#elif !defined(BROKEN_NOTE)
HOOKHOST_PLUGIN_NOTE("test.hookhost.broken")
#endif

namespace {

int32_t create(const hookhost_host*, hookhost_str, hookhost_str, hookhost_instance**, hookhost_error*) {
#ifdef BROKEN_ENTRY
  throw 1;
#else
  return HOOKHOST_BAD_CONFIG;
#endif
}

constexpr hookhost_str str(std::string_view text) { return {text.data(), text.size()}; }

const hookhost_str kEvents[] = {str("*")};
constexpr hookhost_plugin_entry kEntry = {sizeof(hookhost_plugin_entry), 0, 0, 0, str("test.hookhost.broken"), str("broken"), str("1.0.0"), str(""),
                                          str(""), kEvents, 1, HOOKHOST_REPLAY_ASK, HOOKHOST_ORDER_KEY, create};

#ifdef BROKEN_ENTRY
const hookhost_plugin_entry* broken(std::string_view how) {
  using namespace std::string_view_literals;
  static hookhost_plugin_entry entry;
  static char much[2 << 20];
  static hookhost_str many[5000];
  entry = kEntry;
  if (how == "throws") throw 1;
  if (how == "null") return nullptr;
  if (how == "size 0") entry.struct_size = 0;
  if (how == "smaller") entry.struct_size = offsetof(hookhost_plugin_entry, create);
  if (how == "larger") entry.struct_size += 64;  // of a later minor: fine
  if (how == "no create") entry.create = nullptr;
  if (how == "other minor") entry.abi_minor_needed = 7;
  if (how == "id with NUL") entry.id = str("test.hookhost.broken\0x"sv);
  if (how == "no id") entry.id = {nullptr, 7};
  if (how == "name") entry.name = str("caf\xe9");
  if (how == "version with NUL") entry.version = str("1\0""2"sv);
  if (how == "long description") entry.description = {much, sizeof much};
  if (how == "endless schema") entry.config_schema = {much, ~std::size_t{0}};
  if (how == "no events") entry.event_count = 0;
  if (how == "null events") entry.events = nullptr;
  if (how == "pattern") many[0] = str("no pattern at all"), entry.events = many;
  if (how == "many events") {
    for (auto& one : many) one = str("*");
    entry.events = many;
    entry.event_count = 5000;
  }
  return &entry;
}
#endif

}  // namespace

#ifdef BROKEN_SYMBOL
extern "C" HOOKHOST_EXPORT const hookhost_plugin_entry* hookhost_plugin_entry_v0() { return &kEntry; }
#else
extern "C" const hookhost_plugin_entry* hookhost_plugin_entry_v1() {
#ifdef BROKEN_ENTRY
  const char* how = std::getenv("HOOKHOST_TEST_ENTRY");
  return broken(how == nullptr ? "" : how);
#else
  return &kEntry;
#endif
}
#endif
