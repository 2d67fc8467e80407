#include "delivery/subscriber.h"

namespace hookhost::delivery {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::ignored: return "ignored";
    case Status::retry: return "retry";
    case Status::reject: return "reject";
    case Status::unavailable: return "unavailable";
  }
  return "unknown";
}

}  // namespace hookhost::delivery
