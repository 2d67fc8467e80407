#include "event_log/published_end.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "event_log/event_log.h"
#include "event_log/format.h"
#include "event_log/recovery.h"

namespace hookhost::event_log {
namespace {

static_assert(std::endian::native == std::endian::little, "FORMAT.md: END is little-endian");

// Looks at the directory each time it is asked: segments come and go while the host runs.
class FileView final : public SegmentView {
 public:
  FileView(os::FileSystem& files, std::string directory, Offset end) : files_(files), directory_(std::move(directory)), end_(end.value) {}

  Result<std::vector<SegmentPtr>> segments() const override {
    HOOKHOST_TRY(auto listed, list_segments(files_, directory_));
    HOOKHOST_TRY(const Offset end, read_published_end(files_, directory_));
    if (!listed.empty()) listed.back()->set_end(std::max(listed.back()->first_offset(), end));
    return listed;
  }

  Result<SegmentAround> around(Offset offset) const override {
    HOOKHOST_TRY(const auto listed, segments());
    return segment_around(listed, offset);
  }

  // When END cannot be read just now, as it was before: it only grows.
  Offset durable_end() const override {
    if (const auto end = read_published_end(files_, directory_)) end_.store(end.value().value);
    return Offset{end_.load()};
  }

 private:
  os::FileSystem& files_;
  const std::string directory_;
  mutable std::atomic<std::uint64_t> end_;
};

}  // namespace

Result<std::unique_ptr<PublishedEnd>> PublishedEnd::create(os::FileSystem& files, const std::string& directory) {
  const std::string path = os::join(directory, kEndName);
  auto file = files.open(path, os::OpenMode::read_write);
  if (!file && file.error().code == ErrorCode::not_found) file = files.open(path, os::OpenMode::create);
  if (!file) return fail(file.error());
  return std::unique_ptr<PublishedEnd>(new PublishedEnd(std::move(file.value())));
}

Result<> PublishedEnd::publish(Offset end) {
  char bytes[8];
  std::memcpy(bytes, &end.value, 8);
  return file_->write_at(0, std::string_view(bytes, 8));
}

Result<Offset> read_published_end(os::FileSystem& files, const std::string& directory) {
  HOOKHOST_TRY(auto file, files.open(os::join(directory, kEndName), os::OpenMode::read));
  Offset end;
  char bytes[8];
  HOOKHOST_TRY(const auto got, file->read_at(0, bytes, 8));
  if (got == 8) std::memcpy(&end.value, bytes, 8);
  return end;
}

Result<std::shared_ptr<const SegmentView>> open_view(os::FileSystem& files, const std::string& directory) {
  HOOKHOST_TRY(const auto end, read_published_end(files, directory));
  return std::shared_ptr<const SegmentView>(std::make_shared<FileView>(files, directory, end));
}

}  // namespace hookhost::event_log
