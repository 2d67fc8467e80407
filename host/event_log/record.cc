#include "event_log/record.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include "event_log/format.h"
#include "event_record.pb.h"

namespace hookhost::event_log {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::internal::WireFormatLite;

void fill(v1::EventRecord& message, const Event& event) {
  message.set_id(event.id.value);
  message.set_source(event.source);
  message.set_provider(event.provider);
  message.set_type(event.type);
  message.set_team(event.team);
  message.set_key(event.key);
  message.set_received_at_ns(to_unix_ns(event.received_at));
  message.set_content_type(event.content_type);
  message.set_verified(event.verified);
  message.set_digest(event.digest);
  for (const Header& header : event.headers) {
    auto* out = message.add_headers();
    out->set_name(header.name);
    out->set_value(header.value);
  }
  message.set_body(event.body);
}

auto damaged() { return fail(ErrorCode::corrupt, "a record does not hold an event, though its checksum is right"); }

std::string_view take_view(CodedInputStream& in, std::string_view payload) {
  std::uint32_t length = 0;
  if (!in.ReadVarint32(&length)) return {};
  const auto position = static_cast<std::size_t>(in.CurrentPosition());
  if (length > payload.size() - position || !in.Skip(static_cast<int>(length))) return {};
  return payload.substr(position, length);
}

}  // namespace

struct RecordDecoder::Message {
  v1::EventRecord record;
};

RecordDecoder::RecordDecoder() : message_(std::make_unique<Message>()) {}
RecordDecoder::~RecordDecoder() = default;
RecordDecoder::RecordDecoder(RecordDecoder&&) noexcept = default;
RecordDecoder& RecordDecoder::operator=(RecordDecoder&&) noexcept = default;

Result<EventPtr> RecordDecoder::decode(std::string_view payload, Offset offset) {
  v1::EventRecord& record = message_->record;
  record.Clear();
  if (!record.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return damaged();
  auto event = std::make_shared<Event>();
  event->offset = offset;
  event->id = EventId{record.id()};
  event->source = record.source();
  event->provider = record.provider();
  event->type = record.type();
  event->team = record.team();
  event->key = record.key();
  event->received_at = from_unix_ns(record.received_at_ns());
  event->content_type = record.content_type();
  event->verified = record.verified();
  event->digest = record.digest();
  event->headers.reserve(static_cast<std::size_t>(record.headers_size()));
  for (const auto& header : record.headers()) event->headers.push_back({header.name(), header.value()});
  event->body = std::move(*record.mutable_body());
  return EventPtr(std::move(event));
}

Result<EventHead> peek(std::string_view payload, Offset offset) {
  EventHead head;
  head.offset = offset;
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(payload.data()), static_cast<int>(payload.size()));
  for (std::uint32_t tag = in.ReadTag(); tag != 0; tag = in.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (field >= v1::EventRecord::kHeadersFieldNumber) break;  // the writer puts fields in order: the rest is headers and body
      const std::string_view text = take_view(in, payload);
      switch (field) {
        case v1::EventRecord::kIdFieldNumber: head.id = text; break;
        case v1::EventRecord::kSourceFieldNumber: head.source = text; break;
        case v1::EventRecord::kProviderFieldNumber: head.provider = text; break;
        case v1::EventRecord::kTypeFieldNumber: head.type = text; break;
        case v1::EventRecord::kTeamFieldNumber: head.team = text; break;
        case v1::EventRecord::kKeyFieldNumber: head.key = text; break;
        case v1::EventRecord::kDigestFieldNumber: head.digest = text; break;
        default: break;
      }
    } else if (field == v1::EventRecord::kReceivedAtNsFieldNumber) {
      std::uint64_t ns = 0;
      if (!in.ReadLittleEndian64(&ns)) return damaged();
      head.received_at = from_unix_ns(static_cast<std::int64_t>(ns));
    } else if (!WireFormatLite::SkipField(&in, tag)) {
      return damaged();
    }
  }
  if (head.id.empty()) return damaged();
  return head;
}

std::string encode_event(const Event& event) {
  v1::EventRecord message;
  fill(message, event);
  return message.SerializeAsString();
}

Result<EventPtr> decode_event(std::string_view bytes) { return RecordDecoder().decode(bytes, Offset{}); }

std::string encode_record(const Event& event) {
  const std::string payload = encode_event(event);
  std::string out;
  out.reserve(kRecordHeaderBytes + payload.size());
  append_record_header(out, payload);
  return out += payload;
}

}  // namespace hookhost::event_log
