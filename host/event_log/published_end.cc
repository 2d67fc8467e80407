#include "event_log/published_end.h"

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
  FileView(os::FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  std::vector<SegmentPtr> segments() const override {
    auto listed = list_segments(files_, directory_);
    if (!listed) return {};
    if (!listed.value().empty()) listed.value().back()->set_end(std::max(listed.value().back()->first_offset(), durable_end()));
    return std::move(listed.value());
  }

  Offset durable_end() const override {
    const auto end = read_published_end(files_, directory_);
    return end ? end.value() : Offset{};
  }

 private:
  os::FileSystem& files_;
  const std::string directory_;
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
  static_cast<void>(end);
  return std::shared_ptr<const SegmentView>(std::make_shared<FileView>(files, directory));
}

}  // namespace hookhost::event_log
