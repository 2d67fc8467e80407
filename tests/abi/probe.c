/* One function for each struct of abi.h, so that a tool which reads debug information sees them all. Never run. */
#include <hookhost/abi.h>

#define PROBE(type)                                \
  HOOKHOST_EXPORT void probe_##type(const type*); \
  void probe_##type(const type* value) { (void)value; }

PROBE(hookhost_str)
PROBE(hookhost_bytes)
PROBE(hookhost_header)
PROBE(hookhost_value)
PROBE(hookhost_event)
PROBE(hookhost_call)
PROBE(hookhost_resume)
PROBE(hookhost_checkpoint)
PROBE(hookhost_host)
PROBE(hookhost_kv_v1)
PROBE(hookhost_metrics_v1)
PROBE(hookhost_error)
PROBE(hookhost_health_v1)
PROBE(hookhost_reconfigure_v1)
PROBE(hookhost_instance)
PROBE(hookhost_plugin_entry)
PROBE(hookhost_note)
