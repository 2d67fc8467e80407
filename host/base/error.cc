#include "base/error.h"

#include <array>

namespace hookhost {
namespace {

struct Row {
  std::string_view name;
  int http;
  int exit;
  bool retryable;
};

constexpr std::array kRows{
#define HOOKHOST_ERROR_ROW(name, http, exit, retryable) Row{#name, http, exit, retryable},
    HOOKHOST_ERROR_CODES(HOOKHOST_ERROR_ROW)
#undef HOOKHOST_ERROR_ROW
};

const Row& row(ErrorCode code) { return kRows.at(static_cast<std::size_t>(code)); }

}  // namespace

std::string_view to_string(ErrorCode code) { return row(code).name; }
int http_status(ErrorCode code) { return row(code).http; }
int exit_code(ErrorCode code) { return row(code).exit; }
bool is_retryable(ErrorCode code) { return row(code).retryable; }

ErrorCode public_code(ErrorCode code) {
  switch (http_status(code)) {
    case 400: return ErrorCode::invalid_request;
    case 500: return ErrorCode::internal_error;
    case 503: return ErrorCode::unavailable;
    default: return code;
  }
}

std::string Error::text() const {
  std::string out(to_string(code));
  out += ": ";
  out += message;
  return out;
}

}  // namespace hookhost
