#include "http_client/url.h"

#include <algorithm>

#include "base/ip_address.h"
#include "http_client/easy.h"

namespace hookhost::http_client {
namespace {

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

auto no_url(const std::string& why) { return fail(ErrorCode::usage, "this is no URL: " + why + "; write it like https://example.com/path"); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_label_character(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; }

bool is_label(std::string_view text) {
  constexpr std::size_t kLabelBytesMax = 63;
  return !text.empty() && text.size() <= kLabelBytesMax && std::ranges::all_of(text, is_label_character) && text.front() != '-' && text.back() != '-';
}

// "", "7" and "0x1f" are.
bool is_number(std::string_view label) {
  const bool is_hexadecimal = label.starts_with("0x") || label.starts_with("0X");
  return is_hexadecimal ? std::ranges::all_of(label.substr(2), is_hex_digit) : std::ranges::all_of(label, is_digit);
}

// A name of DNS (RFC 1123 with the underscore that people use too). One whose last label is a number is meant as an address that is none.
bool is_name(std::string_view host) {
  constexpr std::size_t kNameBytesMax = 253;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kNameBytesMax) return false;
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (is_number(last)) return false;
  for (;;) {
    const auto dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

// libcurl takes more than a URL (RFC 3986) may be, such as http:///x, and maps letters of other scripts, some of them to digits.
Result<> check_text(const std::string& text, const std::string& scheme) {
  const bool is_plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (!is_plain) return no_url("it has characters that must be percent-encoded, or in a host's name be written as xn--");
  const std::string_view behind = std::string_view(text).substr(scheme.size());
  return behind.starts_with("://") && !behind.starts_with(":///") ? Result<>(success()) : Result<>(no_url("no host follows its scheme"));
}

}  // namespace

Result<Url> parse_url(const std::string& text) {
  const UrlHandle url(curl_url());
  if (const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME); code != CURLUE_OK) {
    return no_url(curl_url_strerror(code));
  }
  Url out{part(url.get(), CURLUPART_SCHEME), part(url.get(), CURLUPART_HOST), part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT),
          !part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_PASSWORD).empty()};
  HOOKHOST_CHECK(check_text(text, out.scheme));
  if (!part(url.get(), CURLUPART_ZONEID).empty()) return no_url("its address has a zone, which means something on one machine only");
  const bool is_v6 = out.host.starts_with('[') && out.host.ends_with(']');
  if (is_v6) out.host = out.host.substr(1, out.host.size() - 2);
  if (!is_v6 && !IpAddress::parse(out.host) && !is_name(out.host)) return no_url("its host is neither a name nor an address");
  if (out.port == "0") return no_url("no receiver has the port 0");
  return out;
}

}  // namespace hookhost::http_client
