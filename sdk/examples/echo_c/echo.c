/* The smallest plugin: one function in C. It writes a line of diagnostics for every message. */
#include <hookhost/abi.h>

static int32_t on_event(const hookhost_host* host, const hookhost_event* event, hookhost_call* call) {
  const char pointer[] = "/data/message";
  hookhost_value message;
  hookhost_str fields[2] = {HOOKHOST_STR("type"), {event->type.ptr, event->type.len}};
  call->json(call, (hookhost_str){pointer, sizeof pointer - 1}, &message);
  if (message.kind != HOOKHOST_VALUE_TEXT) return HOOKHOST_IGNORED;
  host->log(host, HOOKHOST_LOG_INFO, message.text, fields, 1);
  return HOOKHOST_OK;
}

HOOKHOST_PLUGIN_C("com.example.echo", "1.0.0", on_event, "linkedin.message.*")
