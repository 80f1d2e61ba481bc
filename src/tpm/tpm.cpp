// Commands to the TPM by tpm2-tss's ESYS, which keeps the session's HMACs and encryption.
#include "tpm/tpm.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/stack_wiper.h"
#include "tpm/blob.h"
#include "tpm/templates.h"

namespace zkv::tpm {

namespace {

constexpr TPMA_SESSION kToTpm = TPMA_SESSION_DECRYPT;
constexpr TPMA_SESSION kFromTpm = TPMA_SESSION_ENCRYPT;

Result<Handle> make_storage_key(const Connection& connection) {
  const auto& tss = connection.tss();
  const TPM2B_SENSITIVE_CREATE nothing{};
  const auto area = storage_root();
  const TPM2B_DATA no_data{};
  const TPML_PCR_SELECTION no_pcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  ZKV_CHECK(connection.command("making its storage key", [&] {
    return tss.create_primary(connection.context(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &nothing, &area, &no_data, &no_pcrs, &handle, nullptr, nullptr,
                              nullptr, nullptr);
  }));
  return Handle(connection, handle);
}

Result<Bytes> name_of(const Connection& connection, const Handle& object) {
  TPM2B_NAME* name = nullptr;
  ZKV_CHECK(connection.command("naming its storage key", [&] {
    return connection.tss().get_name(connection.context(), object.get(), &name);
  }));
  const TssOwned<TPM2B_NAME> owned(name);
  return Bytes(name->name, name->name + name->size);
}

/// Its key comes from a secret that is encrypted to the storage key.
Result<Handle> start_session(const Connection& connection, const Handle& storage) {
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  ESYS_TR session = ESYS_TR_NONE;
  ZKV_CHECK(connection.command("beginning a session", [&] {
    return connection.tss().start_session(connection.context(), storage.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                          ESYS_TR_NONE, ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &symmetric,
                                          TPM2_ALG_SHA256, &session);
  }));
  return Handle(connection, session);
}

Error not_p256() { return Error::corrupt("the TPM's signature is not one of P-256"); }

Result<EcdsaSignature> joined(const TPMT_SIGNATURE& signature) {
  if (signature.sigAlg != TPM2_ALG_ECDSA) return not_p256();
  const auto& r = signature.signature.ecdsa.signatureR;
  const auto& s = signature.signature.ecdsa.signatureS;
  EcdsaSignature both{};
  constexpr std::size_t kHalf = both.size() / 2;
  if (r.size > kHalf || s.size > kHalf) return not_p256();
  std::copy_n(r.buffer, r.size, both.begin() + kHalf - r.size);
  std::copy_n(s.buffer, s.size, both.end() - s.size);
  return both;
}

}  // namespace

Tpm::Tpm(std::unique_ptr<Connection> connection, Handle storage, Bytes storage_name, Handle session)
    : connection_(std::move(connection)),
      storage_(std::move(storage)),
      storage_name_(std::move(storage_name)),
      session_(std::move(session)) {}

Result<Tpm> Tpm::open(const std::string& device) { return open(device, nullptr); }

Result<Tpm> Tpm::open(const std::string& device, const Bytes& storage_name) {
  return open(device, &storage_name);
}

Result<Tpm> Tpm::open(const std::string& device, const Bytes* storage_name) {
  ZKV_TRY(auto opened, Connection::open(device));
  auto connection = std::make_unique<Connection>(std::move(opened));
  ZKV_TRY(auto storage, make_storage_key(*connection));
  ZKV_TRY(auto name, name_of(*connection, storage));
  if (storage_name != nullptr && name != *storage_name) return of_another_tpm();
  ZKV_TRY(auto session, start_session(*connection, storage));
  return Tpm(std::move(connection), std::move(storage), std::move(name), std::move(session));
}

Result<> Tpm::encrypt(TPMA_SESSION parts) {
  return connection_->command("setting up its session", [&] {
    return connection_->tss().set_session_attributes(connection_->context(), session_.get(),
                                                     parts | TPMA_SESSION_CONTINUESESSION, 0xff);
  });
}

Result<Blob> Tpm::create(const std::string& doing, const TPM2B_PUBLIC& area,
                         TPM2B_SENSITIVE_CREATE& sensitive) {
  ZKV_CHECK(encrypt(kToTpm | kFromTpm));
  const TPM2B_DATA no_data{};
  const TPML_PCR_SELECTION no_pcrs{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  ZKV_CHECK(connection_->command(doing, [&] {
    return connection_->tss().create(connection_->context(), storage_.get(), session_.get(), ESYS_TR_NONE,
                                     ESYS_TR_NONE, &sensitive, &area, &no_data, &no_pcrs, &private_area,
                                     &public_area, nullptr, nullptr, nullptr);
  }));
  const TssOwned<TPM2B_PRIVATE> owned_private(private_area);
  const TssOwned<TPM2B_PUBLIC> owned_public(public_area);
  return to_blob(connection_->tss(), *public_area, *private_area);
}

Result<Handle> Tpm::load(const Blob& blob) {
  ZKV_TRY(const auto public_area, public_of(connection_->tss(), blob));
  ZKV_TRY(const auto private_area, private_of(connection_->tss(), blob));
  ZKV_CHECK(encrypt(kToTpm));
  ESYS_TR handle = ESYS_TR_NONE;
  ZKV_CHECK(connection_->command("loading a key", [&] {
    return connection_->tss().load(connection_->context(), storage_.get(), session_.get(), ESYS_TR_NONE,
                                   ESYS_TR_NONE, &private_area, &public_area, &handle);
  }));
  return Handle(*connection_, handle);
}

Result<Blob> Tpm::make_signing_key() {
  TPM2B_SENSITIVE_CREATE nothing{};
  return create("making a signing key", signing_key(), nothing);
}

Result<EcdsaSignature> Tpm::sign(const Blob& key, std::span<const std::uint8_t, 32> digest) {
  ZKV_TRY(const auto loaded, load(key));
  ZKV_CHECK(encrypt(kToTpm));
  TPM2B_DIGEST signed_digest{};
  signed_digest.size = digest.size();
  std::ranges::copy(digest, signed_digest.buffer);
  TPMT_SIG_SCHEME its_own{};
  its_own.scheme = TPM2_ALG_NULL;
  TPMT_TK_HASHCHECK no_ticket{};
  no_ticket.tag = TPM2_ST_HASHCHECK;
  no_ticket.hierarchy = TPM2_RH_NULL;
  TPMT_SIGNATURE* signature = nullptr;
  ZKV_CHECK(connection_->command("signing", [&] {
    return connection_->tss().sign(connection_->context(), loaded.get(), session_.get(), ESYS_TR_NONE,
                                   ESYS_TR_NONE, &signed_digest, &its_own, &no_ticket, &signature);
  }));
  const TssOwned<TPMT_SIGNATURE> owned(signature);
  return joined(*signature);
}

Result<Blob> Tpm::seal(const SecretBytes& secret) {
  const StackWiper wiper;
  TPM2B_SENSITIVE_CREATE sensitive{};
  auto& data = sensitive.sensitive.data;
  if (secret.size() > sizeof data.buffer) return Error::invalid("a TPM seals no more than 128 bytes");
  data.size = static_cast<UINT16>(secret.size());
  std::ranges::copy(secret.span(), data.buffer);
  auto blob = create("sealing the local share", sealed_bytes(), sensitive);
  explicit_bzero(&sensitive, sizeof sensitive);
  return blob;
}

Result<SecretBytes> Tpm::unseal(const Blob& blob) {
  const StackWiper wiper;
  ZKV_TRY(const auto loaded, load(blob));
  ZKV_CHECK(encrypt(kFromTpm));
  TPM2B_SENSITIVE_DATA* data = nullptr;
  ZKV_CHECK(connection_->command("giving out the local share", [&] {
    return connection_->tss().unseal(connection_->context(), loaded.get(), session_.get(), ESYS_TR_NONE,
                                     ESYS_TR_NONE, &data);
  }));
  const TssOwned<TPM2B_SENSITIVE_DATA> owned(data);
  auto secret = SecretBytes::copy_of(std::span(data->buffer, data->size));
  explicit_bzero(data, sizeof *data);
  return secret;
}

}  // namespace zkv::tpm
