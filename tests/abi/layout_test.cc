// Where each member of the ABI's structs lies. These numbers never change: a struct only grows at its end, and the ones without struct_size not
// even there. A line that fails here means that every plugin binary out there would break; only the sizeof of a struct with struct_size may be
// raised, with the member that was appended.
#include <hookhost/abi.h>

#include <cstddef>
#include <string_view>

#include <gtest/gtest.h>

static_assert(offsetof(hookhost_str, ptr) == 0);
static_assert(offsetof(hookhost_str, len) == 8);
static_assert(sizeof(hookhost_str) == 16);

static_assert(offsetof(hookhost_bytes, ptr) == 0);
static_assert(offsetof(hookhost_bytes, len) == 8);
static_assert(sizeof(hookhost_bytes) == 16);

static_assert(offsetof(hookhost_header, name) == 0);
static_assert(offsetof(hookhost_header, value) == 16);
static_assert(sizeof(hookhost_header) == 32);

static_assert(offsetof(hookhost_value, kind) == 0);
static_assert(offsetof(hookhost_value, reserved) == 4);
static_assert(offsetof(hookhost_value, integer) == 8);
static_assert(offsetof(hookhost_value, number) == 16);
static_assert(offsetof(hookhost_value, text) == 24);
static_assert(sizeof(hookhost_value) == 40);

static_assert(offsetof(hookhost_event, struct_size) == 0);
static_assert(offsetof(hookhost_event, flags) == 4);
static_assert(offsetof(hookhost_event, offset) == 8);
static_assert(offsetof(hookhost_event, id) == 16);
static_assert(offsetof(hookhost_event, source) == 32);
static_assert(offsetof(hookhost_event, provider) == 48);
static_assert(offsetof(hookhost_event, type) == 64);
static_assert(offsetof(hookhost_event, team) == 80);
static_assert(offsetof(hookhost_event, key) == 96);
static_assert(offsetof(hookhost_event, received_at) == 112);
static_assert(offsetof(hookhost_event, content_type) == 120);
static_assert(offsetof(hookhost_event, headers) == 136);
static_assert(offsetof(hookhost_event, header_count) == 144);
static_assert(offsetof(hookhost_event, body) == 152);
static_assert(offsetof(hookhost_event, attempt) == 168);
static_assert(offsetof(hookhost_event, reserved) == 172);
static_assert(sizeof(hookhost_event) == 176);

static_assert(offsetof(hookhost_call, struct_size) == 0);
static_assert(offsetof(hookhost_call, reserved) == 4);
static_assert(offsetof(hookhost_call, host_data) == 8);
static_assert(offsetof(hookhost_call, deadline) == 16);
static_assert(offsetof(hookhost_call, json) == 24);
static_assert(offsetof(hookhost_call, set_error) == 32);
static_assert(offsetof(hookhost_call, set_retry_after) == 40);
static_assert(offsetof(hookhost_call, is_cancelled) == 48);
static_assert(offsetof(hookhost_call, defer) == 56);
static_assert(sizeof(hookhost_call) == 64);

static_assert(offsetof(hookhost_resume, struct_size) == 0);
static_assert(offsetof(hookhost_resume, flags) == 4);
static_assert(offsetof(hookhost_resume, token) == 8);
static_assert(offsetof(hookhost_resume, own_token) == 16);
static_assert(sizeof(hookhost_resume) == 24);

static_assert(offsetof(hookhost_checkpoint, struct_size) == 0);
static_assert(offsetof(hookhost_checkpoint, reserved) == 4);
static_assert(offsetof(hookhost_checkpoint, token) == 8);
static_assert(offsetof(hookhost_checkpoint, offsets) == 16);
static_assert(offsetof(hookhost_checkpoint, offset_count) == 24);
static_assert(sizeof(hookhost_checkpoint) == 32);

static_assert(offsetof(hookhost_host, struct_size) == 0);
static_assert(offsetof(hookhost_host, abi_minor) == 4);
static_assert(offsetof(hookhost_host, host_data) == 8);
static_assert(offsetof(hookhost_host, instance) == 16);
static_assert(offsetof(hookhost_host, log) == 32);
static_assert(offsetof(hookhost_host, now) == 40);
static_assert(offsetof(hookhost_host, complete) == 48);
static_assert(offsetof(hookhost_host, config_json) == 56);
static_assert(offsetof(hookhost_host, get_extension) == 64);
static_assert(sizeof(hookhost_host) == 72);

static_assert(offsetof(hookhost_kv_v1, struct_size) == 0);
static_assert(offsetof(hookhost_kv_v1, reserved) == 4);
static_assert(offsetof(hookhost_kv_v1, get) == 8);
static_assert(offsetof(hookhost_kv_v1, put) == 16);
static_assert(offsetof(hookhost_kv_v1, erase) == 24);
static_assert(offsetof(hookhost_kv_v1, scan) == 32);
static_assert(sizeof(hookhost_kv_v1) == 40);

static_assert(offsetof(hookhost_metrics_v1, struct_size) == 0);
static_assert(offsetof(hookhost_metrics_v1, reserved) == 4);
static_assert(offsetof(hookhost_metrics_v1, count) == 8);
static_assert(offsetof(hookhost_metrics_v1, gauge) == 16);
static_assert(sizeof(hookhost_metrics_v1) == 24);

static_assert(offsetof(hookhost_error, struct_size) == 0);
static_assert(offsetof(hookhost_error, reserved) == 4);
static_assert(offsetof(hookhost_error, host_data) == 8);
static_assert(offsetof(hookhost_error, set) == 16);
static_assert(sizeof(hookhost_error) == 24);

static_assert(offsetof(hookhost_health_v1, struct_size) == 0);
static_assert(offsetof(hookhost_health_v1, reserved) == 4);
static_assert(offsetof(hookhost_health_v1, check) == 8);
static_assert(sizeof(hookhost_health_v1) == 16);

static_assert(offsetof(hookhost_reconfigure_v1, struct_size) == 0);
static_assert(offsetof(hookhost_reconfigure_v1, reserved) == 4);
static_assert(offsetof(hookhost_reconfigure_v1, reconfigure) == 8);
static_assert(sizeof(hookhost_reconfigure_v1) == 16);

static_assert(offsetof(hookhost_instance, struct_size) == 0);
static_assert(offsetof(hookhost_instance, reserved) == 4);
static_assert(offsetof(hookhost_instance, plugin_data) == 8);
static_assert(offsetof(hookhost_instance, start) == 16);
static_assert(offsetof(hookhost_instance, handle) == 24);
static_assert(offsetof(hookhost_instance, checkpoint) == 32);
static_assert(offsetof(hookhost_instance, stop) == 40);
static_assert(offsetof(hookhost_instance, destroy) == 48);
static_assert(offsetof(hookhost_instance, get_extension) == 56);
static_assert(sizeof(hookhost_instance) == 64);

static_assert(offsetof(hookhost_plugin_entry, struct_size) == 0);
static_assert(offsetof(hookhost_plugin_entry, abi_minor_needed) == 4);
static_assert(offsetof(hookhost_plugin_entry, abi_minor_built) == 8);
static_assert(offsetof(hookhost_plugin_entry, flags) == 12);
static_assert(offsetof(hookhost_plugin_entry, id) == 16);
static_assert(offsetof(hookhost_plugin_entry, name) == 32);
static_assert(offsetof(hookhost_plugin_entry, version) == 48);
static_assert(offsetof(hookhost_plugin_entry, description) == 64);
static_assert(offsetof(hookhost_plugin_entry, config_schema) == 80);
static_assert(offsetof(hookhost_plugin_entry, events) == 96);
static_assert(offsetof(hookhost_plugin_entry, event_count) == 104);
static_assert(offsetof(hookhost_plugin_entry, on_replay) == 112);
static_assert(offsetof(hookhost_plugin_entry, order) == 116);
static_assert(offsetof(hookhost_plugin_entry, create) == 120);
static_assert(sizeof(hookhost_plugin_entry) == 128);

static_assert(offsetof(hookhost_note, namesz) == 0);
static_assert(offsetof(hookhost_note, descsz) == 4);
static_assert(offsetof(hookhost_note, type) == 8);
static_assert(offsetof(hookhost_note, name) == 12);
static_assert(offsetof(hookhost_note, major) == 24);
static_assert(offsetof(hookhost_note, minor_needed) == 28);
static_assert(offsetof(hookhost_note, id) == 32);
static_assert(sizeof(hookhost_note) == 160);

// The numbers and names by which both sides must mean the same.
using std::string_view_literals::operator""sv;
static_assert(HOOKHOST_ABI_MAJOR == 1);
static_assert(HOOKHOST_ABI_MINOR == 0);
static_assert(HOOKHOST_VALUE_ABSENT == 0);
static_assert(HOOKHOST_VALUE_NULL == 1);
static_assert(HOOKHOST_VALUE_FALSE == 2);
static_assert(HOOKHOST_VALUE_TRUE == 3);
static_assert(HOOKHOST_VALUE_INTEGER == 4);
static_assert(HOOKHOST_VALUE_NUMBER == 5);
static_assert(HOOKHOST_VALUE_TEXT == 6);
static_assert(HOOKHOST_VALUE_ARRAY == 7);
static_assert(HOOKHOST_VALUE_OBJECT == 8);
static_assert(HOOKHOST_OK == 0);
static_assert(HOOKHOST_IGNORED == 1);
static_assert(HOOKHOST_DEFERRED == 2);
static_assert(HOOKHOST_RETRY == -1);
static_assert(HOOKHOST_REJECT == -2);
static_assert(HOOKHOST_UNAVAILABLE == -3);
static_assert(HOOKHOST_BAD_CONFIG == -10);
static_assert(HOOKHOST_UNSUPPORTED == -11);
static_assert(HOOKHOST_LOG_TRACE == 0);
static_assert(HOOKHOST_LOG_DEBUG == 1);
static_assert(HOOKHOST_LOG_INFO == 2);
static_assert(HOOKHOST_LOG_WARN == 3);
static_assert(HOOKHOST_LOG_ERROR == 4);
static_assert(HOOKHOST_CONCURRENT == 1u);
static_assert(HOOKHOST_REPLAY_ASK == 0);
static_assert(HOOKHOST_REPLAY_SAFE == 1);
static_assert(HOOKHOST_REPLAY_RESET_ONLY == 2);
static_assert(HOOKHOST_ORDER_KEY == 0);
static_assert(HOOKHOST_ORDER_NONE == 1);
static_assert(HOOKHOST_ORDER_ALL == 2);
static_assert(HOOKHOST_EVENT_VERIFIED == 1u);
static_assert(HOOKHOST_EVENT_REPLAY == 2u);
static_assert(HOOKHOST_EVENT_TEST == 4u);
static_assert(HOOKHOST_EVENT_SHADOW == 8u);
static_assert(HOOKHOST_RESUME_RESET == 1u);
static_assert(HOOKHOST_RESUME_TEST == 2u);
static_assert(HOOKHOST_EXT_KV == "hookhost.kv/1"sv);
static_assert(HOOKHOST_EXT_METRICS == "hookhost.metrics/1"sv);
static_assert(HOOKHOST_EXT_HEALTH == "hookhost.health/1"sv);
static_assert(HOOKHOST_EXT_RECONFIGURE == "hookhost.reconfigure/1"sv);
static_assert(HOOKHOST_NOTE_TYPE == 1u);

TEST(AbiLayout, IsCheckedWhileThisFileIsCompiled) { EXPECT_EQ(sizeof(void*), 8U) << "the only machine type so far"; }
