// OpenSSL's server context: protocol versions, ciphers, and what keeps an idle session small.
#include "gateway/http/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <array>
#include <string_view>

namespace zkv::gateway::http {

namespace {

using Context = std::unique_ptr<SSL_CTX, SslDeleter>;

constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::string_view kAlpnName("\x08http/1.1", 9);
constexpr std::string_view kSessionContext = "zkvgateway";

/// Chooses http/1.1 from what the client offers; RFC 7301 wants an alert when it is not there.
int choose_alpn(SSL* /*session*/, const unsigned char** chosen, unsigned char* chosen_size,
                const unsigned char* offered, unsigned offered_size, void* /*unused*/) {
  unsigned char* selected = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(kAlpnName.data());
  if (SSL_select_next_proto(&selected, chosen_size, ours, kAlpnName.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = selected;
  return SSL_TLSEXT_ERR_OK;
}

bool set_up(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_alpn, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kTls12Ciphers) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
         SSL_CTX_set_session_id_context(context,
                                        reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                        kSessionContext.size()) == 1;
}

Result<Context> make_context(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context || !set_up(context.get())) return Error::internal("setting up TLS: " + openssl_error_text());
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
    return Error::invalid("tls-certificate " + certificate.string() +
                          " cannot be used: " + openssl_error_text())
        .remedy("it has to be a PEM file with the certificate first and then its chain");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Error::invalid("tls-key " + key.string() + " cannot be used: " + openssl_error_text())
        .remedy("it has to be a PEM file with the private key of the certificate, without a passphrase");
  }
  return context;
}

}  // namespace

std::string openssl_error_text() {
  const auto code = ERR_peek_error();
  ERR_clear_error();
  if (code == 0) return "no further reason was given";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

Result<std::unique_ptr<TlsContext>> TlsContext::load(std::filesystem::path certificate,
                                                     std::filesystem::path key) {
  std::unique_ptr<TlsContext> tls(new TlsContext(std::move(certificate), std::move(key)));
  ZKV_CHECK(tls->reload());
  return tls;
}

Result<> TlsContext::reload() {
  ZKV_TRY(auto fresh, make_context(certificate_, key_));
  const std::lock_guard lock(mutex_);
  context_ = std::move(fresh);
  return {};
}

SslSession TlsContext::make_session(int socket) {
  const std::lock_guard lock(mutex_);
  SslSession session(SSL_new(context_.get()));
  if (!session || SSL_set_fd(session.get(), socket) != 1) return nullptr;
  SSL_set_accept_state(session.get());
  return session;
}

std::optional<crypto::Sha256> TlsContext::self_signed_pin() {
  const std::lock_guard lock(mutex_);
  X509* certificate = SSL_CTX_get0_certificate(context_.get());
  if (certificate == nullptr || X509_self_signed(certificate, 0) != 1) return std::nullopt;
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded);
  if (size <= 0) return std::nullopt;
  const auto pin = crypto::sha256(std::span(encoded, static_cast<std::size_t>(size)));
  OPENSSL_free(encoded);
  return pin;
}

}  // namespace zkv::gateway::http
