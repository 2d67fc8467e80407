// One record's payload: an Event as protobuf. The only file of the host, with record.cc, that knows the generated code.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event_log/event.h"

namespace hookhost::event_log {

// Decodes many records with one message's memory. One thread.
class RecordDecoder {
 public:
  RecordDecoder();
  ~RecordDecoder();
  RecordDecoder(RecordDecoder&&) noexcept;
  RecordDecoder& operator=(RecordDecoder&&) noexcept;
  // Error: corrupt.
  [[nodiscard]] Result<EventPtr> decode(std::string_view payload, Offset offset);

 private:
  struct Message;
  std::unique_ptr<Message> message_;
};

// The head alone, without copying anything: the views point into `payload`. Error: corrupt.
[[nodiscard]] Result<EventHead> peek(std::string_view payload, Offset offset);

// The record as it stands in the file: header and payload.
[[nodiscard]] std::string encode_record(const Event& event);

}  // namespace hookhost::event_log
