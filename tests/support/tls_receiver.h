// TLS in front of an HttpReceiver, with the certificate of tls_client.h: one connection after the other, one request each, answered 200.
#pragma once

#include <csignal>

#include "support/http_receiver.h"
#include "support/tls_client.h"

namespace hookhost::test {

class TlsReceiver {
 public:
  TlsReceiver(const TestCertificate& identity, std::uint16_t plain_port) : plain_port_(plain_port), context_(SSL_CTX_new(TLS_server_method())) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to a client that may have gone
    BIO* certificate_pem = BIO_new_mem_buf(identity.certificate.data(), static_cast<int>(identity.certificate.size()));
    BIO* key_pem = BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size()));
    X509* certificate = PEM_read_bio_X509(certificate_pem, nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_pem, nullptr, nullptr, nullptr);
    if (SSL_CTX_use_certificate(context_, certificate) != 1 || SSL_CTX_use_PrivateKey(context_, key) != 1) std::abort();
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificate_pem);
    BIO_free(key_pem);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0) std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int peer = -1; (peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) serve(peer);
    });
  }
  ~TlsReceiver() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(context_);
  }
  TlsReceiver(const TlsReceiver&) = delete;
  TlsReceiver& operator=(const TlsReceiver&) = delete;

  [[nodiscard]] std::string url() const { return "https://localhost:" + std::to_string(port_) + "/services/T0/B0/secret-part"; }

 private:
  void serve(int peer) {
    const timeval patience{20, 0};
    ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, peer);
    if (SSL_accept(ssl) == 1) {
      if (const std::string request = read_request(ssl); !request.empty()) {  // empty: it did not trust us
        RawClient plain(plain_port_);
        plain.send(request);
        const std::string body = plain.read_answer().body;
        const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
        SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
        SSL_shutdown(ssl);
      }
    }
    SSL_free(ssl);
    ::close(peer);
  }
  static std::string read_request(SSL* ssl) {
    std::string all;
    std::array<char, 4096> buffer;
    for (;;) {
      const std::size_t head = all.find("\r\n\r\n");
      const std::size_t at = all.find("Content-Length: ");
      if (head != std::string::npos && at < head && all.size() >= head + 4 + std::strtoull(all.c_str() + at + 16, nullptr, 10)) return all;
      const int got = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }

  const std::uint16_t plain_port_;
  std::uint16_t port_ = 0;
  SSL_CTX* context_;
  const int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::thread thread_;
};

}  // namespace hookhost::test
