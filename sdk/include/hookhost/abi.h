/* hookhost plugin ABI, version 1. Plain C11: needs stdint.h and stddef.h only; C++ users take plugin.hpp.
 *
 * A plugin is a shared library that exports one function, hookhost_plugin_entry_v1(), and carries the note made by HOOKHOST_PLUGIN_NOTE, which
 * the host reads before it runs any of the library's code. The host calls the entry, checks it, creates instances and hands them events.
 *
 * Rules that hold everywhere
 * - Growable structs begin with struct_size, set by whoever allocates them; members are only appended. Test a member with HOOKHOST_HAS before
 *   using one that is newer than the minor you require. hookhost_str, hookhost_bytes, hookhost_header and hookhost_value are frozen for ever.
 * - Nothing is freed across the boundary: every view is borrowed, for as long as the comment says; the host copies what it is given during the
 *   call. Texts from the host are UTF-8 where the comment says text, and always followed by a NUL.
 * - Nothing may be thrown or longjmp'ed across the boundary, in either direction.
 * - Times are int64_t nanoseconds: since 1970 in UTC for moments, plain for durations.
 *
 * Threads. Each function says in brackets where it may be called:
 *   [handle]  by the host, one call at a time per instance unless the plugin has HOOKHOST_CONCURRENT
 *   [any]     from every thread, at any time between create and the end of destroy
 *   [load]    by the host while it loads the library, on one thread
 * Without HOOKHOST_CONCURRENT the host never has more than one call into the instance (handle, checkpoint, start, stop, extensions marked
 * [handle]), live and replay together. With it, several handle calls may run at once on different threads, never two with the same lane;
 * checkpoint may run beside them and covers exactly the calls that had returned (or completed) before it began. The calling thread may differ
 * from call to call. [any] may be called from every thread.
 */
#ifndef HOOKHOST_ABI_H
#define HOOKHOST_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOOKHOST_ABI_MAJOR 1
#define HOOKHOST_ABI_MINOR 0

/* The lowest minor that the plugin needs; define it before including this header, or with HOOKHOST_REQUIRES, only when you use something newer. */
#ifndef HOOKHOST_ABI_MINOR_NEEDED
#define HOOKHOST_ABI_MINOR_NEEDED 0
#endif

/* Whether the struct behind `pointer` has `member`: it is there when struct_size reaches to its end. */
#define HOOKHOST_HAS(pointer, member) \
  ((pointer)->struct_size >= (uint32_t)(HOOKHOST_MEMBER_END_(pointer, member)))
#define HOOKHOST_MEMBER_END_(pointer, member) \
  ((size_t)((const char*)&(pointer)->member - (const char*)(pointer)) + sizeof((pointer)->member))

/* ---- Frozen values ---------------------------------------------------------------------------------------------------------------------- */

typedef struct hookhost_str {
  const char* ptr; /* never null when it comes from the host */
  size_t len;
} hookhost_str;

typedef struct hookhost_bytes {
  const uint8_t* ptr;
  size_t len;
} hookhost_bytes;

typedef struct hookhost_header {
  hookhost_str name;  /* as received */
  hookhost_str value; /* as received, any bytes */
} hookhost_header;

#define HOOKHOST_VALUE_ABSENT 0  /* the pointer leads nowhere, or the document is no JSON */
#define HOOKHOST_VALUE_NULL 1
#define HOOKHOST_VALUE_FALSE 2
#define HOOKHOST_VALUE_TRUE 3
#define HOOKHOST_VALUE_INTEGER 4 /* integer and number */
#define HOOKHOST_VALUE_NUMBER 5  /* number */
#define HOOKHOST_VALUE_TEXT 6    /* text: the string without quotes */
#define HOOKHOST_VALUE_ARRAY 7   /* text: the array as JSON */
#define HOOKHOST_VALUE_OBJECT 8  /* text: the object as JSON */

typedef struct hookhost_value {
  int32_t kind; /* treat a kind you do not know as HOOKHOST_VALUE_ABSENT */
  int32_t reserved;
  int64_t integer;
  double number;
  hookhost_str text;
} hookhost_value;

/* ---- Statuses --------------------------------------------------------------------------------------------------------------------------- */

#define HOOKHOST_OK 0
#define HOOKHOST_IGNORED 1      /* handled, nothing to do; counted apart */
#define HOOKHOST_DEFERRED 2     /* after call->defer(): host->complete() follows */
#define HOOKHOST_RETRY (-1)     /* this event failed; try it again later */
#define HOOKHOST_REJECT (-2)    /* this event can never be handled: dead letter */
#define HOOKHOST_UNAVAILABLE (-3) /* what the plugin depends on is down: the whole subscriber waits, no attempt is used up */
#define HOOKHOST_BAD_CONFIG (-10)  /* from create and start: the configuration is wrong, do not try again */
#define HOOKHOST_UNSUPPORTED (-11) /* from create and start: this host lacks something the plugin needs */
/* Anything else counts as HOOKHOST_RETRY and is reported as misbehaviour. */

#define HOOKHOST_LOG_TRACE 0
#define HOOKHOST_LOG_DEBUG 1
#define HOOKHOST_LOG_INFO 2
#define HOOKHOST_LOG_WARN 3
#define HOOKHOST_LOG_ERROR 4

/* Flags of an entry. */
#define HOOKHOST_CONCURRENT 1u /* several handle calls may run at once */

/* on_replay: what a replay means for the plugin. */
#define HOOKHOST_REPLAY_ASK 0        /* the operator must confirm */
#define HOOKHOST_REPLAY_SAFE 1       /* handling an event twice changes nothing */
#define HOOKHOST_REPLAY_RESET_ONLY 2 /* only from a reset */

/* order: the least order the plugin needs. The operator may only strengthen it. */
#define HOOKHOST_ORDER_KEY 0
#define HOOKHOST_ORDER_NONE 1
#define HOOKHOST_ORDER_ALL 2

/* Flags of an event. */
#define HOOKHOST_EVENT_VERIFIED 1u /* its signature was checked */
#define HOOKHOST_EVENT_REPLAY 2u   /* handed out by a replay */
#define HOOKHOST_EVENT_TEST 4u     /* a test send */
#define HOOKHOST_EVENT_SHADOW 8u   /* effects must not leave the plugin */

/* ---- What the plugin is handed ---------------------------------------------------------------------------------------------------------- */

/* One event. Host's; valid until handle returns, or until completion when the call is deferred. */
typedef struct hookhost_event {
  uint32_t struct_size;
  uint32_t flags;
  uint64_t offset;      /* its place in the event log */
  hookhost_str id;      /* "evt_..." */
  hookhost_str source, provider, type;
  hookhost_str team, key; /* empty: none */
  int64_t received_at;
  hookhost_str content_type;
  const hookhost_header* headers;
  size_t header_count;
  hookhost_bytes body;  /* exactly as received */
  uint32_t attempt;     /* from 1 */
  uint32_t reserved;
} hookhost_event;

/* One call of handle. Host's; lives as long as its event. `self` is the call's own pointer. */
typedef struct hookhost_call hookhost_call;
struct hookhost_call {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's; do not touch */
  int64_t deadline; /* when the call counts as timed out; nanoseconds since 1970 */
  /* [handle; any while deferred] Looks up an RFC 6901 pointer ("" is the whole document) in the body. The body is parsed once per event. The
   * text lives as long as the event. Never fails: what is not there is HOOKHOST_VALUE_ABSENT. Ownership: host's. */
  void (*json)(hookhost_call* self, hookhost_str pointer, hookhost_value* out);
  /* [handle] What is shown with a status that is not ok. Copied. Lifetime of `text`: the call. */
  void (*set_error)(hookhost_call* self, hookhost_str text);
  /* [handle] How long to wait before the next attempt, with HOOKHOST_RETRY and HOOKHOST_UNAVAILABLE. Ownership: none. */
  void (*set_retry_after)(hookhost_call* self, int64_t ns);
  /* [any] Not 0 once the call has timed out or the host stops: finish soon, the answer no longer counts. Ownership: none. Lifetime: the call's. */
  int32_t (*is_cancelled)(hookhost_call* self);
  /* [handle] Turns the call into a deferred one; then return HOOKHOST_DEFERRED and call host->complete() once with the returned delivery id
   * (never 0). The event and the call stay valid until then. Ownership: none. */
  uint64_t (*defer)(hookhost_call* self);
};

/* What start learns of the past. Host's, for the call. */
typedef struct hookhost_resume {
  uint32_t struct_size;
  uint32_t flags;     /* HOOKHOST_RESUME_* */
  uint64_t token;     /* of the last checkpoint that the host committed; 0: none */
  uint64_t own_token; /* out: a newer token that the plugin itself made durable; that checkpoint then counts as done. Preset to `token`. */
} hookhost_resume;
#define HOOKHOST_RESUME_RESET 1u /* the operator asked to start over: what the plugin derived from earlier events must go */

/* What a checkpoint covers. Host's, for the call. */
typedef struct hookhost_checkpoint {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t token;           /* above every earlier one of this subscriber */
  const uint64_t* offsets;  /* of the events answered ok or ignored that the host is about to commit, ascending */
  size_t offset_count;
} hookhost_checkpoint;

/* What an instance may ask of the host. Host's; valid until destroy returns. */
typedef struct hookhost_host hookhost_host;
struct hookhost_host {
  uint32_t struct_size;
  uint32_t abi_minor;   /* of the host */
  void* host_data;      /* the host's; do not touch */
  hookhost_str instance; /* the plugin's name in the configuration */
  /* [any] One line of diagnostics; instance, offset and id are added. fields: name, value, name, value...; 2 * field_count texts. Copied; never
   * blocks for long; floods are cut and counted. Lifetime of the texts: the call. */
  void (*log)(const hookhost_host* self, int32_t level, hookhost_str text, const hookhost_str* fields, size_t field_count);
  /* [any] Nanoseconds since 1970. Ownership: none. */
  int64_t (*now)(const hookhost_host* self);
  /* [any] Ends a deferred call, exactly once: a status as from handle (not deferred), an error text (copied) and retry_after in nanoseconds, 0:
   * the schedule's. A second or late completion is counted and ignored. Lifetime of `error`: the call. */
  void (*complete)(const hookhost_host* self, uint64_t delivery, int32_t status, hookhost_str error, int64_t retry_after);
  /* [any] Looks up a pointer in the instance's configuration. The text lives as long as the instance. Ownership: host's. */
  void (*config_json)(const hookhost_host* self, hookhost_str pointer, hookhost_value* out);
  /* [any] A host extension by name, "hookhost.kv/1" or "hookhost.metrics/1"; null when the host has none. Host's; lives as long as the instance. */
  const void* (*get_extension)(const hookhost_host* self, hookhost_str name);
};

/* ---- Host extensions -------------------------------------------------------------------------------------------------------------------- */

#define HOOKHOST_EXT_KV "hookhost.kv/1"
#define HOOKHOST_EXT_METRICS "hookhost.metrics/1"

/* State of the instance, committed together with the outcomes. Writes belong to a call: they are kept when its outcome is ok or ignored and
 * dropped otherwise. Reads see the call's own writes, and those of earlier successful calls. Keys to 256 bytes, values to 1 MiB. */
typedef struct hookhost_kv_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [handle; any while deferred] 1: found, and `out` lives until the next kv function of this call; 0: absent; -1: failed. `call` may be null
   * outside of handle (in start): then only committed state is seen. Ownership: host's. */
  int32_t (*get)(const hookhost_host* host, hookhost_call* call, hookhost_bytes key, hookhost_bytes* out);
  /* [handle; any while deferred] 0, or -1: too large, or a replay beside live, where writes are refused. Copied. Lifetime: the call. */
  int32_t (*put)(const hookhost_host* host, hookhost_call* call, hookhost_bytes key, hookhost_bytes value);
  /* [handle; any while deferred] As put. Copied. Lifetime: the call. */
  int32_t (*erase)(const hookhost_host* host, hookhost_call* call, hookhost_bytes key);
  /* [handle; any while deferred] Shows each key with the prefix, ascending, until `visit` answers 0. The views live for one visit. 0, or -1. */
  int32_t (*scan)(const hookhost_host* host, hookhost_call* call, hookhost_bytes prefix,
                  int32_t (*visit)(void* context, hookhost_bytes key, hookhost_bytes value), void* context);
} hookhost_kv_v1;

/* Numbers for the metrics page; names are [a-z0-9_]+ and appear as hookhost_plugin_<name> with a label for the instance. */
typedef struct hookhost_metrics_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Adds to a counter. Copied. Lifetime of the name: the call. */
  void (*count)(const hookhost_host* host, hookhost_str name, double by);
  /* [any] Sets a gauge. Copied. Lifetime of the name: the call. */
  void (*gauge)(const hookhost_host* host, hookhost_str name, double value);
} hookhost_metrics_v1;

/* ---- What the plugin gives -------------------------------------------------------------------------------------------------------------- */

#define HOOKHOST_EXT_HEALTH "hookhost.health/1"

typedef struct hookhost_instance hookhost_instance;

/* Plugin extension: is the instance well? */
typedef struct hookhost_health_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [handle] HOOKHOST_OK or HOOKHOST_UNAVAILABLE; must be quick. Ownership: none. Lifetime: the instance's. */
  int32_t (*check)(hookhost_instance* self);
} hookhost_health_v1;

/* Where create and start put a message for the operator. Host's. */
typedef struct hookhost_error {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's; do not touch */
  /* [handle] Copied. Lifetime of `text`: the call. */
  void (*set)(struct hookhost_error* self, hookhost_str text);
} hookhost_error;

/* An instance, allocated by the plugin in create and freed in destroy. All functions but handle and destroy may be null. */
struct hookhost_instance {
  uint32_t struct_size;
  uint32_t reserved;
  void* plugin_data; /* the plugin's */
  /* [handle] Before the first event: open files, go on from the past. HOOKHOST_OK, HOOKHOST_RETRY, HOOKHOST_UNAVAILABLE, HOOKHOST_BAD_CONFIG or
   * HOOKHOST_UNSUPPORTED. `error` takes a message. Lifetime of both: the call. */
  int32_t (*start)(hookhost_instance* self, hookhost_resume* resume, hookhost_error* error);
  /* [handle] One event. A status. Lifetime of event and call: until it returns, or until completion when deferred. Ownership: host's. */
  int32_t (*handle)(hookhost_instance* self, const hookhost_event* event, hookhost_call* call);
  /* [handle] Make durable what the covered calls did, or refuse (any status but HOOKHOST_OK): then the instance is destroyed and a new one
   * starts from the committed state. Lifetime: the call. Ownership: host's. */
  int32_t (*checkpoint)(hookhost_instance* self, const hookhost_checkpoint* checkpoint);
  /* [handle] No more events come. When it returns, no thread of the plugin runs and no completion comes any more. Ownership: none. */
  void (*stop)(hookhost_instance* self);
  /* [handle] The last call; also when start failed. Ownership: frees the instance. */
  void (*destroy)(hookhost_instance* self);
  /* [any] A plugin extension by name, or null. Plugin's; lives as long as the instance. */
  const void* (*get_extension)(hookhost_instance* self, hookhost_str name);
};

/* The library's description, and how instances are made. Plugin's; lives as long as the library. */
typedef struct hookhost_plugin_entry {
  uint32_t struct_size;
  uint32_t abi_minor_needed; /* HOOKHOST_ABI_MINOR_NEEDED */
  uint32_t abi_minor_built;  /* HOOKHOST_ABI_MINOR of the header it was built with */
  uint32_t flags;            /* HOOKHOST_CONCURRENT */
  hookhost_str id;           /* reverse DNS, "com.example.notify"; the same as in the note */
  hookhost_str name, version, description;
  hookhost_str config_schema; /* JSON Schema, or empty; properties with "writeOnly": true are never printed */
  const hookhost_str* events; /* patterns: "*", "prefix.*", a type; "provider:" may stand before it */
  size_t event_count;
  int32_t on_replay; /* HOOKHOST_REPLAY_* */
  int32_t order;     /* HOOKHOST_ORDER_* */
  /* [load] Makes an instance; must not block, connect or start threads (that is start's). `host` lives until destroy returns. `config` is JSON
   * text and `config_dir` the directory of the configuration file; both live for the call. On success 0 and *out; else a status and a message
   * in `error`. Ownership of *out: plugin's, until its destroy. */
  int32_t (*create)(const hookhost_host* host, hookhost_str config, hookhost_str config_dir, hookhost_instance** out, hookhost_error* error);
} hookhost_plugin_entry;

#if defined(__GNUC__)
#define HOOKHOST_EXPORT __attribute__((visibility("default")))
#else
#define HOOKHOST_EXPORT
#endif

/* The one exported symbol. [load] Must only return the address of a constant. Lifetime: the library's. */
HOOKHOST_EXPORT const hookhost_plugin_entry* hookhost_plugin_entry_v1(void);

/* ---- The note --------------------------------------------------------------------------------------------------------------------------- */

/* Section .note.hookhost, an ELF note (4-byte aligned, the machine's byte order), which the host reads from the file through PT_NOTE:
 *   offset  0  uint32  namesz = 9          ("hookhost" and its NUL)
 *           4  uint32  descsz = 136
 *           8  uint32  type = 1
 *          12  char[12] name, zero-padded
 *          24  uint32  major
 *          28  uint32  minor needed
 *          32  char[128] id, NUL-terminated, zero-padded
 */
struct hookhost_note {
  uint32_t namesz, descsz, type;
  char name[12];
  uint32_t major, minor_needed;
  char id[128];
};
#define HOOKHOST_NOTE_TYPE 1u
#define HOOKHOST_PLUGIN_NOTE(plugin_id)                                                                                    \
  __attribute__((section(".note.hookhost"), used, aligned(4))) static const struct hookhost_note hookhost_plugin_note_ = { \
      9, 136, HOOKHOST_NOTE_TYPE, "hookhost", HOOKHOST_ABI_MAJOR, HOOKHOST_ABI_MINOR_NEEDED, plugin_id};

/* ---- The smallest plugin ---------------------------------------------------------------------------------------------------------------- */

/* HOOKHOST_PLUGIN_C("com.example.echo", "1.0.0", on_event, "linkedin.message.*") makes a plugin of one function,
 *   static int32_t on_event(const hookhost_host* host, const hookhost_event* event, hookhost_call* call);
 * called one at a time. Use it once, at the end of a C file that includes stdlib.h; more patterns may follow the first. */
#define HOOKHOST_STR(literal) {literal, sizeof(literal) - 1}
#define HOOKHOST_PLUGIN_C(plugin_id, plugin_version, on_event, ...)                                                                       \
  HOOKHOST_PLUGIN_NOTE(plugin_id)                                                                                                         \
  static int32_t hookhost_c_handle_(hookhost_instance* self, const hookhost_event* event, hookhost_call* call) {                          \
    return on_event((const hookhost_host*)self->plugin_data, event, call);                                                                \
  }                                                                                                                                       \
  static void hookhost_c_destroy_(hookhost_instance* self) { free(self); }                                                                \
  static int32_t hookhost_c_create_(const hookhost_host* host, hookhost_str config, hookhost_str config_dir, hookhost_instance** out,     \
                                    hookhost_error* error) {                                                                              \
    hookhost_instance* made = (hookhost_instance*)calloc(1, sizeof *made);                                                                \
    (void)config, (void)config_dir, (void)error;                                                                                          \
    if (made == NULL) return HOOKHOST_RETRY;                                                                                              \
    made->struct_size = sizeof *made;                                                                                                     \
    made->plugin_data = (void*)(uintptr_t)host;                                                                                           \
    made->handle = hookhost_c_handle_;                                                                                                    \
    made->destroy = hookhost_c_destroy_;                                                                                                  \
    *out = made;                                                                                                                          \
    return HOOKHOST_OK;                                                                                                                   \
  }                                                                                                                                       \
  static const char* const hookhost_c_events_[] = {__VA_ARGS__};                                                                          \
  const hookhost_plugin_entry* hookhost_plugin_entry_v1(void) {                                                                           \
    static hookhost_str events[sizeof hookhost_c_events_ / sizeof *hookhost_c_events_];                                                   \
    static const hookhost_plugin_entry entry = {.struct_size = sizeof(hookhost_plugin_entry),                                             \
                                                .abi_minor_needed = HOOKHOST_ABI_MINOR_NEEDED,                                            \
                                                .abi_minor_built = HOOKHOST_ABI_MINOR,                                                    \
                                                .id = HOOKHOST_STR(plugin_id),                                                            \
                                                .name = HOOKHOST_STR(plugin_id),                                                          \
                                                .version = HOOKHOST_STR(plugin_version),                                                  \
                                                .description = HOOKHOST_STR(""),                                                          \
                                                .config_schema = HOOKHOST_STR(""),                                                        \
                                                .events = events,                                                                         \
                                                .event_count = sizeof events / sizeof *events,                                            \
                                                .on_replay = HOOKHOST_REPLAY_ASK,                                                         \
                                                .order = HOOKHOST_ORDER_KEY,                                                              \
                                                .create = hookhost_c_create_};                                                            \
    for (size_t i = 0; i < sizeof events / sizeof *events; ++i) {                                                                         \
      size_t length = 0;                                                                                                                  \
      while (hookhost_c_events_[i][length] != '\0') ++length;                                                                             \
      events[i].ptr = hookhost_c_events_[i];                                                                                              \
      events[i].len = length;                                                                                                             \
    }                                                                                                                                     \
    return &entry;                                                                                                                        \
  }

#ifdef __cplusplus
}
#endif

#endif
