#include "http_client/transfer_run.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/bytes.h"

namespace hookhost::http_client {
namespace {

constexpr std::size_t kHeaderBytesMax = 64 << 10;    // of an answer
constexpr std::uint64_t kFramingBytesMax = 1 << 20;  // of an answer, beside its body
constexpr unsigned kCallsOfAUsualAnswer = 4;         // libcurl's to on_progress() from the status line on; between two of them it reads 1.6 MB at most
constexpr Duration kConnectTimeout = std::chrono::seconds{10};  // and no longer than the transfer's own time

std::optional<IpAddress> address_of(const curl_sockaddr& from) {
  IpAddress out;
  if (from.family == AF_INET) {
    std::memcpy(out.bytes.data(), &reinterpret_cast<const sockaddr_in*>(&from.addr)->sin_addr, 4);
    return out;
  }
  if (from.family == AF_INET6) {
    out.v6 = true;
    std::memcpy(out.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(&from.addr)->sin6_addr, 16);
    return out;
  }
  return std::nullopt;
}

// "https://host:port" of a URL: messages name neither its path nor its query, which may hold a token.
std::string origin_of(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return "the receiver";
  const auto end = url.find_first_of("/?#", begin + 3);
  std::string out = url.substr(0, end);
  if (const auto at = out.rfind('@'); at != std::string::npos) out.erase(begin + 3, at - begin - 2);
  return out;
}

// "the address ::1", "the addresses ::1, 127.0.0.1".
std::string listed(const std::vector<IpAddress>& addresses) {
  std::string out = addresses.size() == 1 ? "the address" : "the addresses";
  for (const IpAddress& one : addresses) out += (&one == &addresses.front() ? " " : ", ") + one.text();
  return out;
}

}  // namespace

void TransferRun::begin(Transfer transfer, MonotonicTime begun) {
  transfer_ = std::move(transfer);
  begun_ = begun;
  is_anew_ = false;
  if (!is_set_up_ || route().group == 0 || route().group != group_) set_route();
  group_ = route().group;
  set_request();
}

void TransferRun::begin_anew() {
  is_anew_ = true;
  set_route();  // libcurl counts its new tries over all transfers of a handle, and gives up at five: only a reset begins anew
  curl_easy_setopt(handle_.get(), CURLOPT_FRESH_CONNECT, 1L);
  set_request();
}

void TransferRun::set_request() {
  answer_ = {};
  header_bytes_ = 0;
  counted_socket_ = CURL_SOCKET_BAD;
  received_before_ = 0;
  progress_calls_ = 0;
  tries_ = 0;
  has_opened_ = false;
  socket_ = CURL_SOCKET_BAD;
  refused_.clear();
  tried_.clear();
  CURL* const curl = handle_.get();
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines_.of(transfer_.headers));
  if (has_body()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer_.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, transfer_.body.data());
  }
}

void TransferRun::set_route() {
  CURL* const curl = handle_.get();
  curl_easy_reset(curl);
  set_common(curl, route().url, route().method);
  // Parsed once and not for each transfer. One that is no URL is left to libcurl, which says so.
  url_.reset(curl_url());
  const bool is_url = curl_url_set(url_.get(), CURLUPART_URL, route().url.c_str(), CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  if (is_url) curl_easy_setopt(curl, CURLOPT_CURLU, url_.get());
  keep_apart();
  for (const auto option : {CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_OPENSOCKETDATA, CURLOPT_PREREQDATA, CURLOPT_XFERINFODATA}) curl_easy_setopt(curl, option, this);
  Watch::note_socket_of(curl, socket_);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(kConnectTimeout).count()));
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0L);  // only a new connection asks, and it asks anew
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // a name server that hangs must not hold up the loop when the transfer's time is over
  curl_easy_setopt(curl, CURLOPT_PROXY, route().proxy.c_str());  // empty: not the environment's either
  // One file of roots, whichever: with a directory beside it libcurl trusts both, and reads them anew for each connection, which takes 20 ms.
  if (curl_version_info(CURLVERSION_NOW)->cainfo != nullptr || !route().ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  if (!route().ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, route().ca_file.c_str());
  if (!route().certificate_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_SSLCERT, route().certificate_file.c_str());
    curl_easy_setopt(curl, CURLOPT_SSLKEY, route().key_file.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  watch_.follow_sockets_of(curl);
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_connected);
  is_set_up_ = true;
}

// What a receiver sends without having been asked is the next one's answer, so nobody may be next but the same owner. libcurl uses no connection for
// two scopes. Of addresses only link-local ones have one; a URL that names one (its zone) keeps it, and no connection.
void TransferRun::keep_apart() {
  CURL* const curl = handle_.get();
  char* zone = nullptr;
  const bool has_zone = curl_url_get(url_.get(), CURLUPART_ZONEID, &zone, 0) == CURLUE_OK;
  curl_free(zone);
  if (route().group != 0 && !has_zone) {
    curl_easy_setopt(curl, CURLOPT_ADDRESS_SCOPE, static_cast<long>(1 + route().group % INT32_MAX));
    return;
  }
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
}

bool TransferRun::permits(const IpAddress& address) {
  const bool permitted = route().may_connect(address);
  auto& known = permitted ? tried_ : refused_;
  if (std::find(known.begin(), known.end(), address) == known.end()) known.push_back(address);
  return permitted;
}

std::string TransferRun::refusal() const {
  return (refused_.size() > 1 ? "each of " : "") + listed(refused_) + " of " + origin_of(route().url) + " is not allowed";
}

std::size_t TransferRun::on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& run = *static_cast<TransferRun*>(self);
  const std::size_t room = run.route().answer_bytes_max - run.answer_.body.size();
  run.answer_.body.append(data, std::min(room, size));
  run.answer_.cut = size > room;
  return run.answer_.cut ? 0 : size;
}

std::size_t TransferRun::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& run = *static_cast<TransferRun*>(self);
  const std::string_view line(data, size);
  run.header_bytes_ += size;
  if (run.header_bytes_ > kHeaderBytesMax) return 0;
  if (line.starts_with("HTTP/")) run.answer_.retry_after.reset();  // the final answer after one of 1xx
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && equals_ignoring_case(line.substr(0, colon), "Retry-After")) {
    std::string_view value = line.substr(colon + 1);
    while (value.ends_with('\r') || value.ends_with('\n')) value.remove_suffix(1);
    run.answer_.retry_after = trim(value);
  }
  return size;
}

int TransferRun::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& run = *static_cast<TransferRun*>(self);
  long version = CURL_HTTP_VERSION_NONE;  // until the status line
  curl_easy_getinfo(run.handle_.get(), CURLINFO_HTTP_VERSION, &version);
  if (version == CURL_HTTP_VERSION_2_0) run.watch_.note_shared(run.socket_);
  if (version != CURL_HTTP_VERSION_1_0 && version != CURL_HTTP_VERSION_1_1) return 0;
  if (++run.progress_calls_ <= kCallsOfAUsualAnswer || !run.receives_without_end()) return 0;
  run.answer_.cut = true;
  return 1;
}

// libcurl reads on without a word where an answer has much that is no body, such as a chunk's extension: only the socket counts that. A connection of
// HTTP/2 is not looked at: others' answers come over it too.
bool TransferRun::receives_without_end() {
  const auto received = Watch::received(socket_);
  if (!received) return false;
  if (std::exchange(counted_socket_, socket_) != socket_ || *received < received_before_) received_before_ = *received;
  return *received - received_before_ > route().answer_bytes_max + kFramingBytesMax;
}

curl_socket_t TransferRun::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& run = *static_cast<TransferRun*>(self);
  const auto ip = address_of(*address);
  run.has_opened_ = true;
  if (run.asks_for_leave() && (!ip || !run.permits(*ip))) return CURL_SOCKET_BAD;
  return run.watch_.open_socket(*address);
}

int TransferRun::on_connected(void* self, char* address, char*, int, int) {
  auto& run = *static_cast<TransferRun*>(self);
  // The connection that was kept is dead. libcurl would go on to the next kept one and so on, within a millisecond.
  if (++run.tries_ > 1) return CURL_PREREQFUNC_ABORT;
  if (!run.asks_for_leave()) return CURL_PREREQFUNC_OK;
  // A kept connection may have been opened for a transfer that was allowed more.
  const auto ip = IpAddress::parse(std::string_view(address).substr(0, std::string_view(address).find('%')));
  return ip && run.permits(*ip) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

std::string TransferRun::what_the_proxy_did(CURLcode code) const {
  if (route().proxy.empty()) return {};
  const std::string proxy = "the proxy " + origin_of(route().proxy);
  long answered = 0, made = 0;
  curl_off_t connected = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_HTTP_CONNECTCODE, &answered);
  curl_easy_getinfo(handle_.get(), CURLINFO_NUM_CONNECTS, &made);
  curl_easy_getinfo(handle_.get(), CURLINFO_CONNECT_TIME_T, &connected);
  if (answered != 0 && answered / 100 != 2) return proxy + " answered its CONNECT with " + std::to_string(answered);
  const bool never_connected = code == CURLE_OPERATION_TIMEDOUT && made > 0 && connected == 0;
  if (code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_PROXY && !never_connected) return {};
  return proxy + " cannot be reached: " + curl_easy_strerror(code);
}

Result<TransferAnswer> TransferRun::outcome(CURLcode code) {
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  answer_.status = static_cast<int>(status);
  if (code == CURLE_OK || answer_.cut) return std::move(answer_);
  const std::string origin = origin_of(route().url);
  if (tries_ > 1) code = CURLE_GOT_NOTHING;
  const bool none_allowed = code == CURLE_COULDNT_CONNECT && tried_.empty();
  if (!refused_.empty() && (none_allowed || code == CURLE_ABORTED_BY_CALLBACK)) {
    return fail(ErrorCode::forbidden, refusal() + "; allowed_networks opens exceptions");
  }
  // libcurl is "out of memory" when one line is larger than it reads any.
  if (header_bytes_ > kHeaderBytesMax || code == CURLE_OUT_OF_MEMORY) {
    return fail(ErrorCode::io_error, "no usable answer from " + origin + ": its headers are larger than 64 KiB, with those of 1xx answers before it");
  }
  const std::string of_proxy = what_the_proxy_did(code);
  std::string message = "no answer from " + origin + ": " + (of_proxy.empty() ? curl_easy_strerror(code) : of_proxy);
  if (!refused_.empty() && !tried_.empty()) message += "; tried " + listed(tried_) + "; " + refusal();  // the failure is that of the allowed ones
  return fail(code_of(code), std::move(message));
}

// Whether a thread of libcurl's still looks for the name.
bool TransferRun::is_looking_up() const {
  curl_off_t found = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_NAMELOOKUP_TIME_T, &found);
  return found == 0 && !has_opened_ && tries_ == 0;
}

Telling TransferRun::end(Result<TransferAnswer> answer) {
  const bool given_up = !answer && (answer.error().code == ErrorCode::timeout || answer.error().code == ErrorCode::cancelled);
  const bool is_left = given_up && is_looking_up();
  Telling out{std::move(transfer_.listener), {transfer_.id, std::move(answer), system_clock().monotonic() - begun_, is_left}};
  transfer_ = {};
  if (is_anew_) is_set_up_ = false;
  return out;
}

}  // namespace hookhost::http_client
