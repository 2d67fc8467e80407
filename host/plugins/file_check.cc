#include "plugins/file_check.h"

#include <unistd.h>

namespace hookhost::plugins {
namespace {

constexpr std::uint32_t kOthersWrite = 0022;  // group and others
constexpr std::uint32_t kSticky = 01000;

Result<> check_owner(const os::Facts& facts, const std::string& path) {
  if (facts.owner == 0 || facts.owner == ::geteuid()) return success();
  return fail(ErrorCode::permission, path + " belongs to another user; give it to root or the host's user (chown root " + path + ")");
}

}  // namespace

Result<std::string> check_file(os::FileSystem& files, const std::string& path) {
  HOOKHOST_TRY(std::string real, os::resolved(path));
  HOOKHOST_TRY(const auto file, files.facts(real));
  if (file.kind != os::Facts::Kind::file) return fail(ErrorCode::permission, path + " is no regular file");
  HOOKHOST_CHECK(check_owner(file, real));
  if ((file.mode & kOthersWrite) != 0) return fail(ErrorCode::permission, "others may change " + real + "; chmod go-w " + real);
  bool nearest = true;
  for (std::string directory = os::parent(real);; directory = os::parent(directory)) {
    HOOKHOST_TRY(const auto facts, files.facts(directory));
    HOOKHOST_CHECK(check_owner(facts, directory));
    const bool sticky = (facts.mode & kSticky) != 0;
    if ((facts.mode & kOthersWrite) != 0 && (nearest || !sticky)) {
      return fail(ErrorCode::permission, "others may put files into " + directory + "; chmod go-w " + directory);
    }
    if (directory == "/") break;
    nearest = false;
  }
  return real;
}

}  // namespace hookhost::plugins
