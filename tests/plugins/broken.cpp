// Libraries that must be refused, one fault each; BROKEN_* says which.
#include <hookhost/abi.h>

#include <cstdlib>

#ifdef BROKEN_MAJOR
// A host that ran this constructor before it read the note would end here.
__attribute__((constructor)) static void crash() { std::abort(); }
__attribute__((section(".note.hookhost"), used, aligned(4))) static const hookhost_note note = {9, 136, 1, "hookhost", 2, 0, "test.hookhost.broken"};
#elif defined(BROKEN_MINOR)
__attribute__((constructor)) static void crash() { std::abort(); }
__attribute__((section(".note.hookhost"), used, aligned(4))) static const hookhost_note note = {9, 136, 1, "hookhost", 1, 99, "test.hookhost.broken"};
#elif defined(BROKEN_ID)
HOOKHOST_PLUGIN_NOTE("test.hookhost.another")
#elif !defined(BROKEN_NOTE)
HOOKHOST_PLUGIN_NOTE("test.hookhost.broken")
#endif

namespace {

int32_t create(const hookhost_host*, hookhost_str, hookhost_str, hookhost_instance**, hookhost_error*) { return HOOKHOST_BAD_CONFIG; }

const hookhost_str kEvents[] = {HOOKHOST_STR("*")};
const hookhost_plugin_entry kEntry = {sizeof(hookhost_plugin_entry), 0, 0, 0, HOOKHOST_STR("test.hookhost.broken"), HOOKHOST_STR("broken"),
                                      HOOKHOST_STR("1.0.0"), HOOKHOST_STR(""), HOOKHOST_STR(""), kEvents, 1, HOOKHOST_REPLAY_ASK,
                                      HOOKHOST_ORDER_KEY, create};

}  // namespace

#ifdef BROKEN_SYMBOL
extern "C" HOOKHOST_EXPORT const hookhost_plugin_entry* hookhost_plugin_entry_v0() { return &kEntry; }
#else
extern "C" const hookhost_plugin_entry* hookhost_plugin_entry_v1() {
#ifdef BROKEN_ENTRY
  throw 1;
#endif
  return &kEntry;
}
#endif
