// The bytes of a segment file: FORMAT.md is the law, this is its code. Everything is little-endian and starts on a sector.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"

namespace hookhost::event_log {

inline constexpr std::size_t kSectorBytes = 512;
inline constexpr std::size_t kSegmentHeaderBytes = 8 + 4 + 4 + 8 + 8 + 8 + 8 + 4;  // 52, alone in its sector
inline constexpr std::size_t kBatchHeaderBytes = 4 + 4 + 4 + 4 + 8 + 8 + 8;        // 40
inline constexpr std::size_t kRecordHeaderBytes = 4 + 4;
inline constexpr std::size_t kFooterBytes = 4 + 4 + 8 + 8 + 8 + 8;  // 40
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint32_t kRecordBytesMax = 64U << 20;

struct SegmentHeader {
  Offset first_offset;
  std::uint64_t segment_id = 0;   // random: stale bytes of another life of the disk never parse
  std::uint64_t file_length = 0;  // what was zeroed ahead when the header was written; the header's own sector when nothing was
  std::int64_t created_at_ns = 0;
};

struct BatchHeader {
  std::uint32_t length = 0;  // bytes of records after the header, without padding
  std::uint32_t count = 0;   // 0: says only that synced_up_to is durable
  Offset first_offset;
  std::uint64_t segment_id = 0;
  Offset synced_up_to;  // known durable when the batch was written
};

struct Footer {
  std::uint64_t segment_id = 0;
  Offset end_offset;
  std::uint64_t record_bytes = 0;  // of all records with their headers
  std::int64_t last_received_at_ns = 0;
};

[[nodiscard]] constexpr std::uint64_t round_up_to_sector(std::uint64_t bytes) {
  return (bytes + kSectorBytes - 1) / kSectorBytes * kSectorBytes;
}

[[nodiscard]] std::string encode(const SegmentHeader& header);  // one sector
[[nodiscard]] std::string encode(const Footer& footer);         // one sector
void append(std::string& out, const BatchHeader& header);
// The record's length and checksum for what follows.
void append_record_header(std::string& out, std::string_view payload);

// nullopt: not one, or damaged.
[[nodiscard]] std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);
[[nodiscard]] std::optional<BatchHeader> decode_batch_header(std::string_view bytes);
[[nodiscard]] std::optional<Footer> decode_footer(std::string_view bytes);

struct RecordHeader {
  std::uint32_t length = 0;
  std::uint32_t crc = 0;
};
[[nodiscard]] RecordHeader decode_record_header(std::string_view bytes);

// File names, made and parsed in one place.
[[nodiscard]] std::string segment_name(Offset first_offset);  // 20 digits and ".events"
[[nodiscard]] std::optional<Offset> parse_segment_name(std::string_view name);
inline constexpr std::string_view kSpareName = "next.tmp";    // zeroed ahead, waits to become a segment
inline constexpr std::string_view kFreshName = "fresh.tmp";  // a segment that is made while no spare is ready
inline constexpr std::string_view kEndName = "END";
inline constexpr std::size_t kBrokenFilesMax = 32;
inline constexpr std::string_view kBrokenSuffix = ".broken";  // "<segment>.<position>.broken"

}  // namespace hookhost::event_log
