#include "api/v1_key.h"

#include <algorithm>

#include "base/bytes.h"

namespace hookhost::api {
namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr std::size_t kKeyBytesMax = 256;

bool is_visible(char c) { return c > 0x20 && c < 0x7f; }

}  // namespace

V1Key read_v1_key(const http::RequestHead& head) {
  const auto sent = http::all_headers(head, "Authorization");
  if (sent.empty()) return {{}, "missing_api_key", "Send the API key of your team: Authorization: Bearer <key>"};
  const V1Key malformed{{}, "invalid_api_key_format", "The API key cannot be read. Send it once, as Authorization: Bearer <key>"};
  if (sent.size() != 1 || sent[0].size() <= kScheme.size() || !equals_ignoring_case(sent[0].substr(0, kScheme.size()), kScheme)) return malformed;
  const std::string_view key = trim(sent[0].substr(kScheme.size()));
  if (key.empty() || key.size() > kKeyBytesMax || !std::all_of(key.begin(), key.end(), is_visible)) return malformed;
  return {key, {}, {}};
}

}  // namespace hookhost::api
