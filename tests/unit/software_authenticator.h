// A passkey in software: what a browser and an authenticator would give, made of OpenSSL's keys. It does all
// as it should; a test tells it what to do otherwise.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/passkey/passkey.h"

namespace zkv::test {

enum class KeyKind { kP256, kEd25519, kRsa2048, kRsa1024 };

inline constexpr std::uint8_t kUserPresent = 0x01, kUserVerified = 0x04, kBackupEligible = 0x08,
                              kBackedUp = 0x10, kHasCredential = 0x40, kHasExtensions = 0x80;

/// One ceremony: where the page is, and what is told to go wrong.
struct Ceremony {
  std::string origin = "https://gateway.example";
  std::string rp_id = "gateway.example";
  std::string type{};  ///< clientDataJSON's; empty for the right one
  std::string more_members = R"(,"crossOrigin":false)";
  std::uint8_t flags = kUserPresent | kUserVerified | kBackupEligible | kBackedUp;
  std::optional<std::uint32_t> counter{};  ///< or the authenticator's own, which counts assertions
  Bytes extensions{};                      ///< a CBOR map, or nothing
  std::string format = "none";
  Bytes statement{0xa0};              ///< CBOR of attStmt
  std::optional<Bytes> id{};          ///< inside the attestation object; or the true one
  std::optional<Bytes> public_key{};  ///< the same
};

class SoftwareAuthenticator {
 public:
  explicit SoftwareAuthenticator(KeyKind kind = KeyKind::kP256);

  /// `navigator.credentials.create()`.
  [[nodiscard]] gateway::passkey::Registration create(const gateway::passkey::Challenge& challenge,
                                                      const Ceremony& ceremony = {}) const;
  /// `navigator.credentials.get()`; counts.
  gateway::passkey::Assertion get(const gateway::passkey::Challenge& challenge,
                                  const Ceremony& ceremony = {});

  /// As a gateway keeps it after a registration.
  [[nodiscard]] gateway::passkey::Credential credential() const;
  [[nodiscard]] const Bytes& id() const { return id_; }
  [[nodiscard]] Bytes cose_key() const;
  /// As libfido2 takes it: x ‖ y, Ed25519's 32 bytes, or n ‖ e.
  [[nodiscard]] Bytes raw_public_key() const;
  [[nodiscard]] Bytes sign(const Bytes& message) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  [[nodiscard]] Bytes attested_credential(const Ceremony& ceremony) const;

  KeyKind kind_;
  std::unique_ptr<EVP_PKEY, Free> key_;
  Bytes id_;
  std::uint32_t counter_ = 0;
};

/// A CBOR map with this one entry, by libcbor.
Bytes cbor_map_of(const std::string& name, bool value);

}  // namespace zkv::test
