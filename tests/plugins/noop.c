/* Does nothing, as fast as it can: what the adapter itself costs. */
#include <hookhost/abi.h>
#include <stdlib.h>

static int32_t on_event(const hookhost_host* host, const hookhost_event* event, hookhost_call* call) {
  (void)host, (void)event, (void)call;
  return HOOKHOST_OK;
}

HOOKHOST_PLUGIN_C("test.hookhost.noop", "1.0.0", on_event, "*")
