#include "app/admin_token.h"

#include "base/bytes.h"
#include "base/printable.h"
#include "os/file_system.h"
#include "signing/digest.h"

namespace hookhost::app {
namespace {

constexpr std::size_t kRandomBytes = 24;
constexpr std::uint64_t kFileBytesMax = 4096;

std::string path_in(const std::string& data_dir) { return os::join(data_dir, "admin.token"); }

}  // namespace

Result<std::optional<std::string>> stored_admin_token(const std::string& data_dir) {
  auto text = os::read_file(os::local_file_system(), path_in(data_dir), kFileBytesMax);
  if (!text && text.error().code == ErrorCode::not_found) return std::optional<std::string>{};
  HOOKHOST_CHECK(text);
  while (text.value().ends_with('\n') || text.value().ends_with('\r')) text.value().pop_back();
  std::string token(trim(text.value()));
  if (token.empty()) return std::optional<std::string>{};
  if (is_visible_ascii(token)) return std::optional(std::move(token));
  return fail(ErrorCode::invalid_config, path_in(data_dir) + " must be one line of visible ASCII characters without spaces: it travels in a header; remove "
                                                             "the file, the next start makes another");
}

Result<std::string> make_admin_token(const std::string& data_dir) {
  std::string token = to_hex(signing::random_bytes(kRandomBytes));
  HOOKHOST_CHECK(os::write_file_atomically(os::local_file_system(), path_in(data_dir), token + "\n"));
  return token;
}

}  // namespace hookhost::app
