#include "event_log/format.h"

#include <cstdio>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "event_log/crc32c.h"

namespace hookhost::event_log {
namespace {

constexpr std::string_view kSegmentMagic = "HOOKEVT1";
constexpr std::uint32_t kBatchMagic = 0x31424b48;   // "HKB1"
constexpr std::uint32_t kFooterMagic = 0x31464b48;  // "HKF1"
constexpr std::string_view kSuffix = ".events";
constexpr std::size_t kNameDigits = 20;

static_assert(kSegmentHeaderBytes == 52 && kBatchHeaderBytes == 40 && kFooterBytes == 40, "FORMAT.md");

template <class Integer>
void put(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
}

// Reads little-endian integers one after the other. The caller has checked the length.
class Take {
 public:
  explicit Take(std::string_view bytes) : at_(bytes.data()) {}
  template <class Integer>
  Integer get() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) value |= std::uint64_t{static_cast<unsigned char>(at_[i])} << (8 * i);
    at_ += sizeof(Integer);
    return static_cast<Integer>(value);
  }

 private:
  const char* at_;
};

}  // namespace

std::string encode(const SegmentHeader& header) {
  std::string out(kSegmentMagic);
  put(out, kFormatVersion);
  put(out, std::uint32_t{0});
  put(out, header.first_offset.value);
  put(out, header.segment_id);
  put(out, header.file_length);
  put(out, header.created_at_ns);
  put(out, crc32c(out));
  HOOKHOST_ASSERT(out.size() == kSegmentHeaderBytes);
  out.resize(kSectorBytes, '\0');
  return out;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || bytes.substr(0, kSegmentMagic.size()) != kSegmentMagic) return std::nullopt;
  Take crc(bytes.substr(kSegmentHeaderBytes - 4));
  if (crc.get<std::uint32_t>() != crc32c(bytes.substr(0, kSegmentHeaderBytes - 4))) return std::nullopt;
  Take take(bytes.substr(kSegmentMagic.size()));
  if (take.get<std::uint32_t>() != kFormatVersion) return std::nullopt;
  static_cast<void>(take.get<std::uint32_t>());
  SegmentHeader out;
  out.first_offset = Offset{take.get<std::uint64_t>()};
  out.segment_id = take.get<std::uint64_t>();
  out.file_length = take.get<std::uint64_t>();
  out.created_at_ns = take.get<std::int64_t>();
  return out;
}

void append(std::string& out, const BatchHeader& header) {
  std::string fields;
  fields.reserve(kBatchHeaderBytes);
  put(fields, header.length);
  put(fields, header.count);
  put(fields, header.first_offset.value);
  put(fields, header.segment_id);
  put(fields, header.synced_up_to.value);
  put(out, kBatchMagic);
  put(out, crc32c(fields));
  out += fields;
}

std::optional<BatchHeader> decode_batch_header(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderBytes) return std::nullopt;
  Take take(bytes);
  if (take.get<std::uint32_t>() != kBatchMagic) return std::nullopt;
  if (take.get<std::uint32_t>() != crc32c(bytes.substr(8, kBatchHeaderBytes - 8))) return std::nullopt;
  BatchHeader out;
  out.length = take.get<std::uint32_t>();
  out.count = take.get<std::uint32_t>();
  out.first_offset = Offset{take.get<std::uint64_t>()};
  out.segment_id = take.get<std::uint64_t>();
  out.synced_up_to = Offset{take.get<std::uint64_t>()};
  return out;
}

std::string encode(const Footer& footer) {
  std::string fields;
  put(fields, footer.segment_id);
  put(fields, footer.end_offset.value);
  put(fields, footer.record_bytes);
  put(fields, footer.last_received_at_ns);
  std::string out;
  put(out, kFooterMagic);
  put(out, crc32c(fields));
  out += fields;
  HOOKHOST_ASSERT(out.size() == kFooterBytes);
  out.resize(kSectorBytes, '\0');
  return out;
}

std::optional<Footer> decode_footer(std::string_view bytes) {
  if (bytes.size() < kFooterBytes) return std::nullopt;
  Take take(bytes);
  if (take.get<std::uint32_t>() != kFooterMagic) return std::nullopt;
  if (take.get<std::uint32_t>() != crc32c(bytes.substr(8, kFooterBytes - 8))) return std::nullopt;
  Footer out;
  out.segment_id = take.get<std::uint64_t>();
  out.end_offset = Offset{take.get<std::uint64_t>()};
  out.record_bytes = take.get<std::uint64_t>();
  out.last_received_at_ns = take.get<std::int64_t>();
  return out;
}

void append_record_header(std::string& out, std::string_view payload) {
  put(out, static_cast<std::uint32_t>(payload.size()));
  put(out, crc32c(payload));
}

RecordHeader decode_record_header(std::string_view bytes) {
  HOOKHOST_ASSERT(bytes.size() >= kRecordHeaderBytes);
  Take take(bytes);
  RecordHeader out;
  out.length = take.get<std::uint32_t>();
  out.crc = take.get<std::uint32_t>();
  return out;
}

std::string segment_name(Offset first_offset) {
  char digits[kNameDigits + 1];
  std::snprintf(digits, sizeof digits, "%020llu", static_cast<unsigned long long>(first_offset.value));
  return std::string(digits) + std::string(kSuffix);
}

std::optional<Offset> parse_segment_name(std::string_view name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  const auto number = parse_u64(name.substr(0, kNameDigits));
  if (!number) return std::nullopt;
  return Offset{*number};
}

}  // namespace hookhost::event_log
