// TLS over memory: bytes in, bytes out, no descriptor, so that a handshake never blocks anybody. The only header that stands for OpenSSL.
//
// Threads: a context is shared by all; a session is its connection's, under the connection's lock.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost::http {

class TlsSession {
 public:
  // Received bytes in; appends what they mean to `plain` and what must be sent to `to_send`. False: the session is broken; `to_send`
  // may hold an alert.
  [[nodiscard]] bool receive(std::string_view received, std::string& plain, std::string& to_send);
  // Appends `plain` as records. False: the session is broken, or its handshake is not done.
  [[nodiscard]] bool encrypt(std::string_view plain, std::string& to_send);
  void close_notify(std::string& to_send);
  [[nodiscard]] bool is_established() const;
  [[nodiscard]] bool peer_has_ended() const;  // it sent close_notify; what comes behind it is dropped
  ~TlsSession();

 private:
  friend class TlsContext;
  struct Impl;
  explicit TlsSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What a client would trust. Error: invalid_config, where the PEM text has no certificate, or one of it is broken.
[[nodiscard]] Result<> check_authorities(std::string_view pem);

class TlsContext {
 public:
  // TLS 1.2 and above. Error: invalid_config, saying which of the two PEM texts is wrong.
  [[nodiscard]] static Result<std::unique_ptr<TlsContext>> make(std::string_view certificate_pem, std::string_view key_pem);
  [[nodiscard]] std::unique_ptr<TlsSession> accept();  // nullptr when out of memory
  ~TlsContext();

 private:
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookhost::http
