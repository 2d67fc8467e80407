// Holds what a host answers against Kakiyo's own file where that lists the status, and against ours always; knows what it has seen.
#pragma once

#include <set>

#include "contract/openapi.h"
#include "support/v1_call.h"

namespace hookhost::test {

class AnswerBook {
 public:
  explicit AnswerBook(OpenApi ours) : ours_(std::move(ours)) {}

  // `path` as the files write it. Fails the test with what is wrong.
  void hold(const std::string& method, const std::string& path, const V1Answer& answer);

  // "GET /webhooks 200" of what a file lists and no answer was.
  [[nodiscard]] std::set<std::string> unseen_of_kakiyos() const { return unseen(kakiyos_); }
  [[nodiscard]] std::set<std::string> unseen_of_ours() const { return unseen(ours_); }
  [[nodiscard]] const OpenApi& ours() const { return ours_; }

 private:
  [[nodiscard]] std::set<std::string> unseen(const OpenApi& file) const;

  const OpenApi kakiyos_ = kakiyos();
  const OpenApi ours_;
  std::set<std::string> seen_;
};

}  // namespace hookhost::test
