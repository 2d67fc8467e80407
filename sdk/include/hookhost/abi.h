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
 * - A value, flag or status that you do not know means what its comment says an unknown one means; never an error of your own.
 * - The layouts are those of a 64-bit machine; padding is explicit, in members called reserved, which are 0.
 * - Times are int64_t nanoseconds: since 1970 in UTC for moments, plain for durations.
 *
 * Threads. Each function says in brackets where it may be called:
 *   [load]      on one thread, while the host loads the library or makes an instance
 *   [handle]    inside one of the host's calls into the instance, on the thread of that call
 *   [deferred]  from every thread, between defer() and the completion of that call
 *   [any]       from every thread, between create and the end of stop (of destroy, where there is no stop)
 * The host calls every function marked [handle] in an instance's tables by the rule that follows; the plugin calls the host's by the same word.
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

#define HOOKHOST_ABI_MAJOR 1 /* of the symbol's name, too */
#define HOOKHOST_ABI_MINOR 0 /* of this header */

/* The lowest minor that a host must have to run the plugin: 0, whatever this header's own minor is, unless the plugin cannot do without
 * something newer. Define it before the first include (hookhost_add_plugin(... REQUIRES 1) does), and write HOOKHOST_REQUIRES(1); beside the
 * code that needs it: then neither a lower definition nor an older header compiles. What can be tested with HOOKHOST_HAS or get_extension
 * needs neither. */
#ifndef HOOKHOST_ABI_MINOR_NEEDED
#define HOOKHOST_ABI_MINOR_NEEDED 0
#endif
#ifdef __cplusplus
#define HOOKHOST_STATIC_ASSERT_ static_assert
#else
#define HOOKHOST_STATIC_ASSERT_ _Static_assert
#endif
#define HOOKHOST_REQUIRES(minor)                                                                                        \
  HOOKHOST_STATIC_ASSERT_((minor) <= HOOKHOST_ABI_MINOR && (minor) <= HOOKHOST_ABI_MINOR_NEEDED,                        \
                          "build with a header that has this minor, and with HOOKHOST_ABI_MINOR_NEEDED at least as high")

/* Whether the struct behind `pointer` has `member`: it is there when struct_size reaches to its end. */
#define HOOKHOST_HAS(pointer, member) \
  ((pointer)->struct_size >= (uint32_t)(HOOKHOST_MEMBER_END_(pointer, member)))
#define HOOKHOST_MEMBER_END_(pointer, member) \
  ((size_t)((const char*)&(pointer)->member - (const char*)(pointer)) + sizeof((pointer)->member))

/* ---- Frozen values ---------------------------------------------------------------------------------------------------------------------- */

/* Borrowed text. Frozen. */
typedef struct hookhost_str {
  const char* ptr; /* from the host never null, and a NUL follows; from the plugin null is empty */
  size_t len;      /* in bytes, without the NUL */
} hookhost_str;

/* Borrowed bytes, of whatever kind. Frozen. */
typedef struct hookhost_bytes {
  const uint8_t* ptr; /* may be null when len is 0 */
  size_t len;         /* in bytes */
} hookhost_bytes;

/* One header of a request. Frozen. */
typedef struct hookhost_header {
  hookhost_str name;  /* as received */
  hookhost_str value; /* as received, any bytes */
} hookhost_header;

#define HOOKHOST_VALUE_ABSENT 0  /* the pointer leads nowhere, or the document is no JSON */
#define HOOKHOST_VALUE_NULL 1    /* null */
#define HOOKHOST_VALUE_FALSE 2   /* false */
#define HOOKHOST_VALUE_TRUE 3    /* true */
#define HOOKHOST_VALUE_INTEGER 4 /* integer and number */
#define HOOKHOST_VALUE_NUMBER 5  /* number */
#define HOOKHOST_VALUE_TEXT 6    /* text: the string without quotes */
#define HOOKHOST_VALUE_ARRAY 7   /* text: the array as JSON */
#define HOOKHOST_VALUE_OBJECT 8  /* text: the object as JSON */

/* A value of a JSON document; what the kind does not name is 0 and empty. Frozen. */
typedef struct hookhost_value {
  int32_t kind; /* treat a kind you do not know as HOOKHOST_VALUE_ABSENT */
  int32_t reserved;
  int64_t integer;   /* a number without fraction that fits */
  double number;     /* every number, as near as a double comes */
  hookhost_str text; /* a string decoded, an array or object as JSON */
} hookhost_value;

/* ---- Statuses --------------------------------------------------------------------------------------------------------------------------- */

#define HOOKHOST_OK 0           /* handled */
#define HOOKHOST_IGNORED 1      /* handled, nothing to do; counted apart */
#define HOOKHOST_DEFERRED 2     /* after call->defer(): host->complete() follows */
#define HOOKHOST_RETRY (-1)     /* this event failed; try it again later */
#define HOOKHOST_REJECT (-2)    /* this event can never be handled: dead letter */
#define HOOKHOST_UNAVAILABLE (-3) /* what the plugin depends on is down: the whole subscriber waits, no attempt is used up */
#define HOOKHOST_BAD_CONFIG (-10)  /* from create and start: the configuration is wrong, do not try again */
#define HOOKHOST_UNSUPPORTED (-11) /* from create and start: this host lacks something the plugin needs */
/* Anything else counts as HOOKHOST_RETRY and is reported as misbehaviour. */

/* Levels of a line of diagnostics. The operator chooses from which one on lines are shown; info unless said otherwise. */
#define HOOKHOST_LOG_TRACE 0 /* every step */
#define HOOKHOST_LOG_DEBUG 1 /* for the author */
#define HOOKHOST_LOG_INFO 2  /* what happens in good order */
#define HOOKHOST_LOG_WARN 3  /* what the operator should look at */
#define HOOKHOST_LOG_ERROR 4 /* what the operator must mend */

/* Flags of an entry. A host ignores those that it does not know. */
#define HOOKHOST_CONCURRENT 1u /* several handle calls may run at once */

/* on_replay: what a replay means for the plugin. A host takes what it does not know as HOOKHOST_REPLAY_ASK. */
#define HOOKHOST_REPLAY_ASK 0        /* the operator must confirm */
#define HOOKHOST_REPLAY_SAFE 1       /* handling an event twice changes nothing */
#define HOOKHOST_REPLAY_RESET_ONLY 2 /* only from a reset */

/* order: the least order the plugin needs. The operator may only strengthen it. A host takes what it does not know as HOOKHOST_ORDER_KEY. */
#define HOOKHOST_ORDER_KEY 0  /* events of one key one after the other */
#define HOOKHOST_ORDER_NONE 1 /* any two at once, in any order */
#define HOOKHOST_ORDER_ALL 2  /* all one after the other, as in the event log */

/* Flags of an event. */
#define HOOKHOST_EVENT_VERIFIED 1u /* its signature was checked */
#define HOOKHOST_EVENT_REPLAY 2u   /* handed out by a replay */
#define HOOKHOST_EVENT_TEST 4u     /* a test send */
#define HOOKHOST_EVENT_SHADOW 8u   /* effects must not leave the plugin */

/* ---- What the plugin is handed ---------------------------------------------------------------------------------------------------------- */

/* One event. Host's; valid until handle returns, and when the call is deferred until its completion too, whichever is later. An unknown flag
 * changes nothing. */
typedef struct hookhost_event {
  uint32_t struct_size;
  uint32_t flags;                 /* HOOKHOST_EVENT_* */
  uint64_t offset;                /* its place in the event log */
  hookhost_str id;                /* "evt_...", text: the same at every attempt and in every replay */
  hookhost_str source;            /* of the configuration that received it, text */
  hookhost_str provider;          /* "kakiyo", "github", ..., text */
  hookhost_str type;              /* the provider's own name for it, text; do not fail on one that you do not know */
  hookhost_str team, key;         /* text; empty: none */
  int64_t received_at;            /* the moment of receipt */
  hookhost_str content_type;      /* as received, any bytes; empty: none was sent */
  const hookhost_header* headers; /* in the order of receipt, the signature among them; may be null when header_count is 0 */
  size_t header_count;            /* of headers */
  hookhost_bytes body;            /* exactly as received */
  uint32_t attempt;               /* from 1; an unavailable uses none up */
  uint32_t reserved;
} hookhost_event;

/* One call of handle. Host's; lives as long as its event. `self` is the call's own pointer. */
typedef struct hookhost_call hookhost_call;
struct hookhost_call {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;  /* the host's; do not touch */
  int64_t deadline; /* the moment at which the call counts as timed out */
  /* [handle, deferred] Looks up an RFC 6901 pointer ("" is the whole document) in the body, which is parsed once per event. Never fails: what
   * is not there is HOOKHOST_VALUE_ABSENT. Ownership: *out is the caller's, its text the host's. Lifetime: the text lives as long as the event. */
  void (*json)(hookhost_call* self, hookhost_str pointer, hookhost_value* out);
  /* [handle] What is shown with a status that is not ok, for people; cut at 1 KiB, and what is no UTF-8 is replaced. Ownership: copied.
   * Lifetime: `text` for the call. */
  void (*set_error)(hookhost_call* self, hookhost_str text);
  /* [handle] How long to wait before the next attempt, with HOOKHOST_RETRY and HOOKHOST_UNAVAILABLE; 0 or less: the schedule's,
   * more than 24 hours: 24 hours. Ownership: none. Lifetime: holds for this call. */
  void (*set_retry_after)(hookhost_call* self, int64_t ns);
  /* [handle, deferred] Not 0 once the call has timed out or the host stops: finish soon, the answer no longer counts. Ownership: none. Lifetime:
   * the answer is of this moment. */
  int32_t (*is_cancelled)(hookhost_call* self);
  /* [handle] Turns the call into a deferred one; then handle must return HOOKHOST_DEFERRED, and host->complete() must be called once with the
   * returned delivery id (never 0), before or after handle returns. Ownership: the plugin owes the completion. Lifetime: the id is good for one
   * completion. */
  uint64_t (*defer)(hookhost_call* self);
};

/* What start learns of the past. Host's; lives for the call. */
typedef struct hookhost_resume {
  uint32_t struct_size;
  uint32_t flags;     /* HOOKHOST_RESUME_* */
  uint64_t token;     /* opaque, increasing; of the last checkpoint that the host committed; 0: none */
  uint64_t own_token; /* out: a newer token that the plugin itself made durable; that checkpoint then counts as done. Preset to `token`. A plugin
                       * whose store is older than `token` has lost what it said ok to: refuse to start, and say how to rebuild it. */
} hookhost_resume;
/* Flags of a resume. Ignore those that you do not know. */
#define HOOKHOST_RESUME_RESET 1u /* the operator asked to start over: what the plugin derived from earlier events must go */
#define HOOKHOST_RESUME_TEST 2u  /* a life for test events only (`hookhost plugin test`), beside which another may run: leave alone what earlier lives made */

/* What a checkpoint covers: where calls come one at a time and none is deferred, all that returned since the last one. Where they run side by side
 * or are deferred, some may end while it begins, and the next one covers those: go by `offsets`. Host's; lives for the call. */
typedef struct hookhost_checkpoint {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t token;           /* above every earlier one of this subscriber */
  const uint64_t* offsets;  /* of the events answered ok or ignored that the host is about to commit, ascending */
  size_t offset_count;      /* of offsets */
} hookhost_checkpoint;

/* What an instance may ask of the host. Host's; valid from create until destroy returns. */
typedef struct hookhost_host hookhost_host;
struct hookhost_host {
  uint32_t struct_size;
  uint32_t abi_minor;    /* of the host */
  void* host_data;       /* the host's; do not touch */
  hookhost_str instance; /* the plugin's name in the configuration */
  /* [any] One line of diagnostics; the host adds the instance and, inside handle, offset and id of the event. fields: name, value, name,
   * value...; 2 * field_count texts. Does not block for long; more than 100 lines a second are left out and counted; texts are cut at 4 KiB,
   * fields at 16; an unknown level is info. Ownership: copied. Lifetime: the texts for the call. */
  void (*log)(const hookhost_host* self, int32_t level, hookhost_str text, const hookhost_str* fields, size_t field_count);
  /* [any] Nanoseconds since 1970. Ownership: none. Lifetime: the answer is of this moment. */
  int64_t (*now)(const hookhost_host* self);
  /* [any] Ends a deferred call, exactly once: a status as from handle (not deferred), an error text and retry_after in nanoseconds, 0 or less: the
   * schedule's. A second or late completion is counted and ignored. Ownership: `error` is copied. Lifetime: `error` for the call; afterwards the
   * event and the call are gone, once handle has returned too. */
  void (*complete)(const hookhost_host* self, uint64_t delivery, int32_t status, hookhost_str error, int64_t retry_after);
  /* [any] Looks up a pointer in the instance's configuration, from its create on. Ownership: *out is the caller's, its text the host's. Lifetime:
   * the text lives as long as the instance. */
  void (*config_json)(const hookhost_host* self, hookhost_str pointer, hookhost_value* out);
  /* [any] A host extension by name, HOOKHOST_EXT_KV or HOOKHOST_EXT_METRICS; null when this host has none, and for every unknown name. Ownership:
   * host's. Lifetime: lives as long as the instance. */
  const void* (*get_extension)(const hookhost_host* self, hookhost_str name);
};

/* ---- Host extensions -------------------------------------------------------------------------------------------------------------------- */

#define HOOKHOST_EXT_KV "hookhost.kv/1"           /* hookhost_kv_v1 */
#define HOOKHOST_EXT_METRICS "hookhost.metrics/1" /* hookhost_metrics_v1 */

/* State of the instance, committed together with the outcomes. Writes belong to a call: they are kept when its outcome is ok or ignored and
 * dropped otherwise. Reads see the call's own writes, and those of earlier successful calls. Keys of 1 to 256 bytes, values to 1 MiB, 64 MiB in one
 * call. With a null `call` (in start) only committed state is read, and writes are refused. Host's; lives as long as the instance. */
typedef struct hookhost_kv_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [handle, deferred] 1: found; 0: absent, *out is untouched; -1: failed. Ownership: *out shows the host's bytes. Lifetime: until the next kv
   * function of this call, or of this thread without one. */
  int32_t (*get)(const hookhost_host* host, hookhost_call* call, hookhost_bytes key, hookhost_bytes* out);
  /* [handle, deferred] 0, or -1: too large, or a replay beside live, where writes are refused. Ownership: copied. Lifetime: the bytes for the
   * call. */
  int32_t (*put)(const hookhost_host* host, hookhost_call* call, hookhost_bytes key, hookhost_bytes value);
  /* [handle, deferred] As put; erasing what is absent is 0. Ownership: copied. Lifetime: the bytes for the call. */
  int32_t (*erase)(const hookhost_host* host, hookhost_call* call, hookhost_bytes key);
  /* [handle, deferred] Shows each key with the prefix (empty: every key), ascending by bytes, until `visit` answers 0. 0, or -1. `visit` runs on
   * the caller's thread, may call no kv function and may not throw. Ownership: the views are the host's. Lifetime: the views for one visit. */
  int32_t (*scan)(const hookhost_host* host, hookhost_call* call, hookhost_bytes prefix,
                  int32_t (*visit)(void* context, hookhost_bytes key, hookhost_bytes value), void* context);
} hookhost_kv_v1;

/* Numbers for the metrics page; names are [a-z0-9_]+ and appear as hookhost_plugin_<name> with a label for the instance. A name has at most
 * 64 bytes, an instance at most 64 of them; more, and names of another form, are left out. Host's; lives as long as the instance. */
typedef struct hookhost_metrics_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Adds to a counter; what is negative or no number is left out. Ownership: the name is copied. Lifetime: the name for the call. */
  void (*count)(const hookhost_host* host, hookhost_str name, double by);
  /* [any] Sets a gauge. Ownership: the name is copied. Lifetime: the name for the call. */
  void (*gauge)(const hookhost_host* host, hookhost_str name, double value);
} hookhost_metrics_v1;

/* ---- What the plugin gives -------------------------------------------------------------------------------------------------------------- */

#define HOOKHOST_EXT_HEALTH "hookhost.health/1"           /* hookhost_health_v1 */
#define HOOKHOST_EXT_RECONFIGURE "hookhost.reconfigure/1" /* hookhost_reconfigure_v1 */

typedef struct hookhost_instance hookhost_instance;

/* Where functions of an instance put a message for the operator. Host's; lives for the call that it is handed to. */
typedef struct hookhost_error hookhost_error;
struct hookhost_error {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's; do not touch */
  /* [handle] The last text set is shown; cut at 4 KiB. Ownership: copied. Lifetime: `text` for the call. */
  void (*set)(hookhost_error* self, hookhost_str text);
};

/* Plugin extension: is the instance well? Without it, it is. Plugin's; lives as long as the instance. */
typedef struct hookhost_health_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [handle] HOOKHOST_OK, or any other status with the reason in `error`: shown as degraded, nothing else follows from it. Asked
   * after the start and then every ten seconds or so, between events. Must be quick.
   * Ownership: `error` is the host's. Lifetime: `error` for the call. */
  int32_t (*check)(hookhost_instance* self, hookhost_error* error);
} hookhost_health_v1;

/* Plugin extension: take a changed configuration without a new instance. A host, or a plugin, without it makes a new instance
 * instead. Plugin's; lives as long as the instance. */
typedef struct hookhost_reconfigure_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [handle] During the call and, if it is taken, afterwards host->config_json answers from the new configuration. HOOKHOST_OK: taken, the next
   * event is handled by it. HOOKHOST_UNSUPPORTED: not this change; the host makes a new instance. HOOKHOST_BAD_CONFIG and everything else: refused
   * with `error`, the old one stays in force. `config` and `config_dir` are as in create. Ownership: host's. Lifetime: all for the call. */
  int32_t (*reconfigure)(hookhost_instance* self, hookhost_str config, hookhost_str config_dir, hookhost_error* error);
} hookhost_reconfigure_v1;

/* An instance. Plugin's; allocated by the plugin in create and freed in destroy. All functions but handle and destroy may be null.
 * Order: create, start, then handle, checkpoint and extensions, then stop, destroy. When start fails only destroy follows; after a refused
 * checkpoint, a failed commit or a crash stop may be left out. */
struct hookhost_instance {
  uint32_t struct_size;
  uint32_t reserved;
  void* plugin_data; /* the plugin's */
  /* [handle] Before the first event: open files, go on from the past. HOOKHOST_OK, HOOKHOST_RETRY, HOOKHOST_UNAVAILABLE, HOOKHOST_BAD_CONFIG or
   * HOOKHOST_UNSUPPORTED, the last four with a message in `error`. Ownership: host's. Lifetime: `resume` and `error` for the call. */
  int32_t (*start)(hookhost_instance* self, hookhost_resume* resume, hookhost_error* error);
  /* [handle] One event. A status. Ownership: host's. Lifetime: event and call until it returns, or until completion when deferred. */
  int32_t (*handle)(hookhost_instance* self, const hookhost_event* event, hookhost_call* call);
  /* [handle] Make durable what the covered calls did, or refuse (any status but HOOKHOST_OK): then the instance is destroyed and a new one
   * starts from the committed state. Ownership: host's. Lifetime: `checkpoint` for the call. */
  int32_t (*checkpoint)(hookhost_instance* self, const hookhost_checkpoint* checkpoint);
  /* [handle] No more events come. When it returns, no thread of the plugin runs and no completion comes any more. Ownership: none. Lifetime: the
   * instance lives on until destroy. */
  void (*stop)(hookhost_instance* self);
  /* [handle] The last call; also when start failed. Ownership: the plugin frees the instance. Lifetime: ends that of `self`. */
  void (*destroy)(hookhost_instance* self);
  /* [handle] A plugin extension by name, or null for every unknown name. Ownership: plugin's. Lifetime: lives as long as the instance. */
  const void* (*get_extension)(hookhost_instance* self, hookhost_str name);
};

/* The library's description, and how instances are made. Plugin's; lives as long as the library. */
typedef struct hookhost_plugin_entry {
  uint32_t struct_size;
  uint32_t abi_minor_needed;  /* HOOKHOST_ABI_MINOR_NEEDED */
  uint32_t abi_minor_built;   /* HOOKHOST_ABI_MINOR of the header it was built with */
  uint32_t flags;             /* HOOKHOST_CONCURRENT */
  hookhost_str id;            /* reverse DNS, "com.example.notify": 1 to 127 of [A-Za-z0-9._-]; the same as in the note */
  hookhost_str name, version; /* text for people, to 256 bytes each */
  hookhost_str description;   /* text for people, to 4 KiB */
  hookhost_str config_schema; /* JSON Schema of the configuration, to 1 MiB, or empty; properties with "writeOnly": true are never printed */
  const hookhost_str* events; /* patterns: "*", "prefix.*", a type; "provider:" may stand before it */
  size_t event_count;         /* of patterns: 1 to 256 */
  int32_t on_replay;          /* HOOKHOST_REPLAY_* */
  int32_t order;              /* HOOKHOST_ORDER_* */
  /* [load] Makes an instance; must not block, connect or start threads (that is start's). `config` is JSON text, `config_dir` the directory of
   * the configuration file. HOOKHOST_OK and *out; else HOOKHOST_RETRY, HOOKHOST_UNAVAILABLE, HOOKHOST_BAD_CONFIG or HOOKHOST_UNSUPPORTED with a
   * message in `error`. Ownership: *out is the plugin's, until its destroy. Lifetime: `host` until destroy returns, the other arguments for the
   * call. */
  int32_t (*create)(const hookhost_host* host, hookhost_str config, hookhost_str config_dir, hookhost_instance** out, hookhost_error* error);
} hookhost_plugin_entry;

#if defined(__GNUC__)
#define HOOKHOST_EXPORT __attribute__((visibility("default")))
#else
#define HOOKHOST_EXPORT
#endif

/* The one exported symbol. [load] Must only return an address. Ownership: plugin's. Lifetime: the library's. */
HOOKHOST_EXPORT const hookhost_plugin_entry* hookhost_plugin_entry_v1(void);

/* ---- The note --------------------------------------------------------------------------------------------------------------------------- */

/* Section .note.hookhost, an ELF note (4-byte aligned, the machine's byte order), one in a library, which the host reads from the file through
 * PT_NOTE before any of its code runs. Frozen:
 *   offset  0  uint32  namesz = 9          ("hookhost" and its NUL)
 *           4  uint32  descsz = 136
 *           8  uint32  type = 1
 *          12  char[12] name, zero-padded
 *          24  uint32  major
 *          28  uint32  minor needed
 *          32  char[128] id, NUL-terminated, zero-padded
 */
typedef struct hookhost_note {
  uint32_t namesz, descsz, type; /* 9, 136, HOOKHOST_NOTE_TYPE */
  char name[12];                 /* "hookhost" */
  uint32_t major, minor_needed;  /* HOOKHOST_ABI_MAJOR, HOOKHOST_ABI_MINOR_NEEDED */
  char id[128];                  /* the entry's */
} hookhost_note;
#define HOOKHOST_NOTE_TYPE 1u /* of ELF, beside the name */
#define HOOKHOST_PLUGIN_NOTE(plugin_id)                                                                                    \
  __attribute__((section(".note.hookhost"), used, aligned(4))) static const struct hookhost_note hookhost_plugin_note_ = { \
      9, 136, HOOKHOST_NOTE_TYPE, "hookhost", HOOKHOST_ABI_MAJOR, HOOKHOST_ABI_MINOR_NEEDED, plugin_id};

/* ---- The smallest plugin ---------------------------------------------------------------------------------------------------------------- */

/* HOOKHOST_PLUGIN_C("com.example.echo", "1.0.0", on_event, "linkedin.message.*") makes a plugin of one function,
 *   static int32_t on_event(const hookhost_host* host, const hookhost_event* event, hookhost_call* call);
 * called one at a time. Use it once, at the end of a C file; more patterns may follow the first. */
#define HOOKHOST_STR(literal) {literal, sizeof(literal) - 1}
#define HOOKHOST_PLUGIN_C(plugin_id, plugin_version, on_event, ...)                                                                       \
  HOOKHOST_PLUGIN_NOTE(plugin_id)                                                                                                         \
  static int32_t hookhost_c_handle_(hookhost_instance* self, const hookhost_event* event, hookhost_call* call) {                          \
    return on_event((const hookhost_host*)self->plugin_data, event, call);                                                                \
  }                                                                                                                                       \
  static void hookhost_c_destroy_(hookhost_instance* self) { __builtin_free(self); }                                                      \
  static int32_t hookhost_c_create_(const hookhost_host* host, hookhost_str config, hookhost_str config_dir, hookhost_instance** out,     \
                                    hookhost_error* error) {                                                                              \
    hookhost_instance* made = (hookhost_instance*)__builtin_calloc(1, sizeof *made);                                                      \
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
