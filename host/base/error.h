// The one table of errors: name, HTTP status, exit code of a command, and whether asking again may help.
//
// An operating error is a Result<T> (result.h) that carries one of these codes and a message that says what to do next. A programmer's
// error is HOOKHOST_ASSERT (assert.h). A plugin's fault is a status (sdk), never one of these.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hookhost {

// X(name, http status, exit code, retryable). The name is what diagnostics print and, by way of public_code(), what HTTP answers say; it
// never changes once published.
#define HOOKHOST_ERROR_CODES(X)          \
  X(invalid_request, 400, 2, false)      \
  X(missing_signature, 401, 1, false)    \
  X(malformed_signature, 401, 1, false)  \
  X(invalid_signature, 401, 1, false)    \
  X(stale_timestamp, 401, 1, false)      \
  X(missing_api_key, 401, 1, false)      \
  X(invalid_api_key, 401, 1, false)      \
  X(forbidden, 403, 2, false)            \
  X(team_mismatch, 403, 1, false)        \
  X(unknown_source, 404, 3, false)       \
  X(not_found, 404, 3, false)            \
  X(method_not_allowed, 405, 2, false)   \
  X(timeout, 408, 1, true)               \
  X(conflict, 409, 2, false)             \
  X(body_too_large, 413, 1, false)       \
  X(header_too_large, 431, 1, false)     \
  X(rate_limit_exceeded, 429, 1, true)   \
  X(internal_error, 500, 1, false)       \
  X(not_supported, 501, 2, false)        \
  X(unavailable, 503, 1, true)           \
  X(refused, 409, 2, false)              \
  X(usage, 400, 2, false)                \
  X(invalid_config, 422, 1, false)       \
  X(idempotency_key_reused, 422, 1, false) \
  X(unreachable, 503, 4, true)           \
  X(busy, 503, 1, true)                  \
  X(io_error, 500, 1, false)             \
  X(no_space, 503, 1, true)              \
  X(corrupt, 500, 1, false)              \
  X(poisoned, 503, 70, false)            \
  X(permission, 500, 1, false)           \
  X(cancelled, 503, 1, false)

enum class ErrorCode : std::uint8_t {
#define HOOKHOST_ERROR_ENUM(name, http, exit, retryable) name,
  HOOKHOST_ERROR_CODES(HOOKHOST_ERROR_ENUM)
#undef HOOKHOST_ERROR_ENUM
};

[[nodiscard]] std::string_view to_string(ErrorCode code);
[[nodiscard]] int http_status(ErrorCode code);
[[nodiscard]] int exit_code(ErrorCode code);
[[nodiscard]] bool is_retryable(ErrorCode code);
// What an HTTP answer calls it. Of several codes with status 400, 500 or 503 a client is told one: what tells them apart (a file, a disk,
// another process) is the operator's.
[[nodiscard]] ErrorCode public_code(ErrorCode code);

// What went wrong and what to do about it. `message` is for the operator: it may name files and offsets, never secrets or bodies.
// Only messages made for clients go into HTTP answers.
struct Error {
  ErrorCode code = ErrorCode::internal_error;
  std::string message;

  // "code: message", for diagnostics.
  [[nodiscard]] std::string text() const;
};

}  // namespace hookhost
