#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>

namespace hookhost::http {
namespace {

template <auto Function>
struct Freer {
  template <class T>
  void operator()(T* pointer) const { Function(pointer); }
};
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CtxPtr = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Freer<SSL_free>>;

// New keys, renegotiations, alerts: what a client may send in a row without any data. OpenSSL has bounds for empty records and alerts only;
// this one is BoringSSL's.
constexpr unsigned kRecordsWithoutDataMax = 32;

// A key that wants a pass phrase must not make the host ask its terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

BioPtr memory(std::string_view text) { return BioPtr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))}; }

Result<> use_certificates(SSL_CTX* context, std::string_view pem) {
  const BioPtr bio = memory(pem);
  X509Ptr own{PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr)};
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) {
    return fail(ErrorCode::invalid_config, "tls.certificate is not a PEM certificate: give the chain, the server's own first");
  }
  while (X509Ptr next{PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) {
      return fail(ErrorCode::invalid_config, "tls.certificate has a chain that OpenSSL does not accept: check its order");
    }
  }
  return success();
}

Result<> use_key(SSL_CTX* context, std::string_view pem) {
  const BioPtr bio = memory(pem);
  const KeyPtr key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr)};
  if (!key) return fail(ErrorCode::invalid_config, "tls.key is not a PEM private key without a pass phrase");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return fail(ErrorCode::invalid_config, "tls.key does not belong to tls.certificate");
  }
  return success();
}

void drain(BIO* bio, std::string& out) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  if (size <= 0) return;
  out.append(data, static_cast<std::size_t>(size));
  (void)BIO_reset(bio);
}

}  // namespace

struct TlsSession::Impl {
  SslPtr ssl;
  BIO* received = nullptr;  // owned by ssl
  BIO* to_send = nullptr;   // owned by ssl
  bool broken = false;
  bool peer_ended = false;
  unsigned records_without_data = 0;  // in a row, since the handshake

  static void note_record(int is_sent, int, int what, const void* bytes, std::size_t size, SSL* ssl, void* self) {
    const bool says_kind = what == SSL3_RT_INNER_CONTENT_TYPE || (what == SSL3_RT_HEADER && SSL_version(ssl) < TLS1_3_VERSION);
    if (is_sent != 0 || !says_kind || size == 0 || SSL_is_init_finished(ssl) != 1) return;
    if (*static_cast<const unsigned char*>(bytes) != SSL3_RT_APPLICATION_DATA) ++static_cast<Impl*>(self)->records_without_data;
  }
};

struct TlsContext::Impl {
  CtxPtr context;
};

// As libcurl has OpenSSL read them: one that is broken makes the whole text nothing.
Result<> check_authorities(std::string_view pem) {
  const BioPtr bio = memory(pem);
  STACK_OF(X509_INFO)* const all = PEM_X509_INFO_read_bio(bio.get(), nullptr, no_pass_phrase, nullptr);
  ERR_clear_error();
  bool any = false;
  for (int n = 0; n < sk_X509_INFO_num(all); ++n) any = any || sk_X509_INFO_value(all, n)->x509 != nullptr;
  sk_X509_INFO_pop_free(all, X509_INFO_free);
  if (any) return success();
  return fail(ErrorCode::invalid_config, "it holds no PEM certificate, or a broken one: give the certificates of the authorities to trust");
}

TlsSession::TlsSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsSession::~TlsSession() = default;
TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

bool TlsSession::receive(std::string_view bytes, std::string& plain, std::string& to_send) {
  if (impl_->broken) return false;
  if (impl_->peer_ended) return true;  // OpenSSL would keep it, unread
  ERR_clear_error();
  if (BIO_write(impl_->received, bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size())) return false;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const int got = SSL_read(impl_->ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got > 0) {
      plain.append(buffer.data(), static_cast<std::size_t>(got));
      impl_->records_without_data = 0;
      continue;
    }
    const int error = SSL_get_error(impl_->ssl.get(), got);
    drain(impl_->to_send, to_send);
    impl_->peer_ended = error == SSL_ERROR_ZERO_RETURN;
    const bool goes_on = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_ZERO_RETURN;
    if (goes_on && impl_->records_without_data <= kRecordsWithoutDataMax) return true;
    impl_->broken = true;
    ERR_clear_error();
    return false;
  }
}

bool TlsSession::encrypt(std::string_view plain, std::string& to_send) {
  if (impl_->broken || !is_established()) return false;
  ERR_clear_error();
  while (!plain.empty()) {
    const std::string_view part = plain.substr(0, 1 << 20);
    const int put = SSL_write(impl_->ssl.get(), part.data(), static_cast<int>(part.size()));
    if (put <= 0) {
      impl_->broken = true;
      ERR_clear_error();
      return false;
    }
    plain.remove_prefix(static_cast<std::size_t>(put));
  }
  drain(impl_->to_send, to_send);
  return true;
}

void TlsSession::close_notify(std::string& to_send) {
  if (impl_->broken || !is_established()) return;
  ERR_clear_error();
  (void)SSL_shutdown(impl_->ssl.get());
  ERR_clear_error();
  drain(impl_->to_send, to_send);
}

bool TlsSession::is_established() const { return SSL_is_init_finished(impl_->ssl.get()) == 1; }

bool TlsSession::peer_has_ended() const { return impl_->peer_ended; }

Result<std::unique_ptr<TlsContext>> TlsContext::make(std::string_view certificate_pem, std::string_view key_pem) {
  ERR_clear_error();
  auto impl = std::make_unique<Impl>();
  impl->context.reset(SSL_CTX_new(TLS_server_method()));
  if (!impl->context) return fail(ErrorCode::internal_error, "OpenSSL gives no TLS context: is there memory left?");
  SSL_CTX* context = impl->context.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  auto certificates = use_certificates(context, certificate_pem);
  auto key = certificates.has_value() ? use_key(context, key_pem) : Result<>(success());
  ERR_clear_error();
  HOOKHOST_CHECK(std::move(certificates));
  HOOKHOST_CHECK(std::move(key));
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

std::unique_ptr<TlsSession> TlsContext::accept() {
  auto impl = std::make_unique<TlsSession::Impl>();
  impl->ssl.reset(SSL_new(impl_->context.get()));
  if (!impl->ssl) return nullptr;
  impl->received = BIO_new(BIO_s_mem());
  impl->to_send = BIO_new(BIO_s_mem());
  if (impl->received == nullptr || impl->to_send == nullptr) {
    BIO_free(impl->received);
    BIO_free(impl->to_send);
    return nullptr;
  }
  BIO_set_mem_eof_return(impl->received, -1);
  SSL_set_bio(impl->ssl.get(), impl->received, impl->to_send);
  SSL_set_accept_state(impl->ssl.get());
  SSL_set_msg_callback(impl->ssl.get(), &TlsSession::Impl::note_record);
  SSL_set_msg_callback_arg(impl->ssl.get(), impl.get());
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(impl)));
}

}  // namespace hookhost::http
