#include "plugins/file_check.h"

#include <unistd.h>

#include <algorithm>

namespace hookhost::plugins {
namespace {

constexpr std::uint32_t kOthersWrite = 0022;  // group and others
constexpr std::uint32_t kSticky = 01000;
constexpr int kLinksMax = 40;  // as the kernel has it

Result<> check_owner(const os::Facts& facts, const std::string& path) {
  if (facts.owner == 0 || facts.owner == ::geteuid()) return success();
  return fail(ErrorCode::permission, path + " belongs to another user; give it to root or the host's user (chown root " + path + ")");
}

bool others_write(const os::Facts& facts) { return (facts.mode & kOthersWrite) != 0; }

Result<> others_put_files_into(const std::string& directory) {
  return fail(ErrorCode::permission, "others may put files into " + directory + "; chmod go-w " + directory);
}

Result<> check_directory(const os::Facts& facts, const std::string& path) {
  if (others_write(facts) && (facts.mode & kSticky) == 0) return others_put_files_into(path);
  return success();
}

}  // namespace

// Step by step from "/", as the kernel would: whoever may change a directory or a link on the way chooses the file.
Result<std::string> check_file(os::FileSystem& files, const std::string& path) {
  std::string at = "/";
  os::Facts facts;
  HOOKHOST_TRY(facts, files.facts(at));
  HOOKHOST_CHECK(check_owner(facts, at));
  HOOKHOST_CHECK(check_directory(facts, at));
  std::string rest = os::absolute(path);
  for (int links = 0; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string name = rest.substr(0, slash);
    rest.erase(0, slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      at = os::parent(at);
      continue;
    }
    const std::string next = os::join(at, name);
    HOOKHOST_TRY(facts, files.facts(next));
    HOOKHOST_CHECK(check_owner(facts, next));
    if (facts.kind == os::Facts::Kind::link) {
      if (++links > kLinksMax) return fail(ErrorCode::permission, path + " leads through too many links");
      HOOKHOST_TRY(const std::string target, os::link_target(next));
      if (target.starts_with('/')) at = "/";
      rest = target + "/" + rest;
      continue;
    }
    if (facts.kind == os::Facts::Kind::directory) HOOKHOST_CHECK(check_directory(facts, next));
    at = next;
  }
  HOOKHOST_TRY(facts, files.facts(at));
  if (facts.kind != os::Facts::Kind::file) return fail(ErrorCode::permission, path + " is no regular file");
  if (others_write(facts)) return fail(ErrorCode::permission, "others may change " + at + "; chmod go-w " + at);
  const std::string directory = os::parent(at);
  HOOKHOST_TRY(facts, files.facts(directory));
  if (others_write(facts)) HOOKHOST_CHECK(others_put_files_into(directory));
  return at;
}

}  // namespace hookhost::plugins
