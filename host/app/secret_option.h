// --secret-env and --secret-file: a secret never stands on a command line, which every user of the machine can read.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>

#include "base/result.h"
#include "os/file_system.h"

namespace hookhost::app {

struct SecretOption {
  std::string variable, file;
  [[nodiscard]] bool given() const { return !variable.empty() || !file.empty(); }
};

inline void add_secret_options(CLI::App* command, SecretOption& secret) {
  CLI::Option* variable = command->add_option("--secret-env", secret.variable, "The environment variable with the secret");
  command->add_option("--secret-file", secret.file, "The file with the secret")->excludes(variable);
}

// Of one that is given. Error: usage, when nothing stands there; that of reading the file.
[[nodiscard]] inline Result<std::string> read_secret(const SecretOption& secret) {
  if (!secret.variable.empty()) {
    const char* value = std::getenv(secret.variable.c_str());
    if (value == nullptr || *value == '\0') return fail(ErrorCode::usage, "the environment variable " + secret.variable + " is not set");
    return std::string(value);
  }
  HOOKHOST_TRY(auto text, os::read_file(os::local_file_system(), secret.file, 65'536));
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) return fail(ErrorCode::usage, "there is no secret in " + secret.file);
  return text;
}

}  // namespace hookhost::app
