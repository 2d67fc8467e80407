// A TLS client on a raw socket and a certificate made for the test, both with OpenSSL.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "support/raw_client.h"

namespace hookhost::test {

struct TestCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// Self-signed, P-256, for localhost, valid for a day.
inline TestCertificate make_test_certificate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* x509 = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
  X509_set_pubkey(x509, key);
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x509, name);
  X509_sign(x509, key, EVP_sha256());
  BIO* certificate_pem = BIO_new(BIO_s_mem());
  BIO* key_pem = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_pem, x509);
  PEM_write_bio_PrivateKey(key_pem, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(x509);
  EVP_PKEY_free(key);
  return {text_of(certificate_pem), text_of(key_pem)};
}

// The first flight of a handshake.
inline std::string client_hello() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl);  // waits for an answer
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string hello(data, static_cast<std::size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return hello;
}

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int version_max = TLS1_3_VERSION, int receive_buffer_bytes = 0) : socket_(port, receive_buffer_bytes) {
    const timeval patience{20, 0};
    ::setsockopt(socket_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, version_max);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_.descriptor());
    is_connected_ = SSL_connect(ssl_) == 1;
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  [[nodiscard]] std::string version() const { return SSL_get_version(ssl_); }
  bool send(std::string_view bytes) { return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()); }

  // The records that send() would send.
  std::string seal(std::string_view bytes) {
    BIO* const socket = SSL_get_wbio(ssl_);
    BIO_up_ref(socket);
    BIO* const memory = BIO_new(BIO_s_mem());
    BIO_up_ref(memory);
    SSL_set0_wbio(ssl_, memory);
    SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    SSL_set0_wbio(ssl_, socket);
    return text_of(memory);
  }
  // Takes new keys and asks the server to do so. False: it is gone.
  bool update_keys() { return SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl_) == 1; }
  // Below TLS.
  RawClient& socket() { return socket_; }
  // TLS 1.2. True when the server shook hands once more.
  bool renegotiate() { return SSL_renegotiate(ssl_) == 1 && SSL_do_handshake(ssl_) == 1 && SSL_renegotiate_pending(ssl_) == 0 && SSL_num_renegotiations(ssl_) > 1; }
  // TLS 1.2. Asks for it with a hello of 60 kB in records of 512 bytes.
  void renegotiate_at_length() {
    std::string protocols;
    for (int i = 0; i < 240; ++i) protocols += '\xfa' + std::string(250, 'p');
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(protocols.data()), static_cast<unsigned>(protocols.size()));
    SSL_set_max_send_fragment(ssl_, 512);
    renegotiate();
  }
  void say_goodbye() { SSL_shutdown(ssl_); }

  // Until `count` bytes are there or the connection ends.
  std::string receive(std::size_t count) {
    std::string all;
    std::array<char, 16 * 1024> buffer;
    while (all.size() < count) {
      const int got = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) break;
      all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  // The answer's head and body, framed by Content-Length.
  std::string receive_answer() {
    std::string all;
    std::size_t head_end = std::string::npos;
    while ((head_end = all.find("\r\n\r\n")) == std::string::npos) {
      const std::string more = receive(1);
      if (more.empty()) return all;
      all += more;
    }
    const std::size_t length = std::strtoull(all.c_str() + all.find("Content-Length: ") + 16, nullptr, 10);
    const std::size_t whole = head_end + 4 + length;
    if (all.size() < whole) all += receive(whole - all.size());
    return all;
  }
  // True when the server said that it ends: close_notify, not just an end of bytes.
  bool was_ended_properly() {
    std::array<char, 1024> buffer;
    const int got = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    return got == 0 && SSL_get_error(ssl_, got) == SSL_ERROR_ZERO_RETURN;
  }

 private:
  RawClient socket_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool is_connected_ = false;
};

}  // namespace hookhost::test
