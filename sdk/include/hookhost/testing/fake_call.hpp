// One call of the fake host. The table outlives the call, so that a late use is seen; the event's memory does not.
#ifndef HOOKHOST_TESTING_FAKE_CALL_HPP
#define HOOKHOST_TESTING_FAKE_CALL_HPP

#include <hookhost/testing/event.hpp>
#include <hookhost/testing/json.hpp>

#include <map>
#include <memory>
#include <optional>
#include <thread>

namespace hookhost::testing {

using KvMap = std::map<std::string, std::string>;
using KvWrites = std::map<std::string, std::optional<std::string>>;

struct FakeCall {
  // What the plugin sees of the event; freed at the end of the call, so that a sanitizer sees a late look.
  struct Memory {
    explicit Memory(TestEvent given, std::int64_t now) : data(std::move(given)), document(data.body) {
      for (const auto& [name, value] : data.headers) headers.push_back({str(name), str(value)});
      event.struct_size = sizeof event;
      event.flags = data.flags;
      event.offset = data.offset;
      event.id = str(data.id);
      event.source = str(data.source), event.provider = str(data.provider), event.type = str(data.type);
      event.team = str(data.team), event.key = str(data.key);
      event.received_at = data.received_at < 0 ? now : data.received_at;
      event.content_type = str(data.content_type);
      event.headers = headers.data();
      event.header_count = headers.size();
      event.body = bytes(data.body);
      event.attempt = data.attempt;
    }
    const TestEvent data;
    JsonDocument document;
    std::vector<hookhost_header> headers;
    hookhost_event event{};
  };

  hookhost_call table{};
  std::unique_ptr<Memory> memory;
  std::uint64_t delivery = 0;
  std::uint64_t offset = 0;
  std::thread::id thread;  // that runs handle
  bool in_handle = true, deferred = false, completed = false, cancelled = false;
  std::int32_t status = HOOKHOST_DEFERRED;
  std::string error;
  std::int64_t retry_after = 0;
  KvWrites staged;
  std::string kv_answer;
  bool scanning = false;

  [[nodiscard]] bool over() const { return !in_handle && (!deferred || completed); }
};

}  // namespace hookhost::testing

#endif
