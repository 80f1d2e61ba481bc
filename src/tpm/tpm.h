// A TPM 2.0: keys that are made in it and stay there, and bytes that it alone gives back.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/encoding.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "tpm/connection.h"

namespace zkv::tpm {

inline constexpr const char* kDefaultDevice = "/dev/tpmrm0";

/// What a TPM made, as it gives it out to be kept: it alone can use it, and it is no secret.
/// TPM2B_PUBLIC and TPM2B_PRIVATE, as tpm2-tools read them too.
struct Blob {
  Bytes public_area;
  Bytes private_area;
};

/// The point of a P-256 key.
struct Point {
  std::array<std::uint8_t, 32> x{};
  std::array<std::uint8_t, 32> y{};
};

/// r, then s.
using EcdsaSignature = std::array<std::uint8_t, 64>;

/// One connection, its storage key, and a session whose key is agreed with that storage key: what goes to the
/// TPM and comes from it is encrypted and authenticated, so that who listens at the bus learns nothing.
/// For one thread at a time. Errors not said: as Connection::open(); kUnavailable, kDenied and kIo as
/// error_of() has them.
class Tpm {
 public:
  /// `device`: a path, or a transport of tpm2-tss and its words ("swtpm:host=localhost,port=2321").
  static Result<Tpm> open(const std::string& device);
  /// Only the TPM whose storage key has that name. Errors: also kWrongKey.
  static Result<Tpm> open(const std::string& device, const Bytes& storage_name);

  /// The name of the storage key: which TPM this is, as long as it is not cleared.
  [[nodiscard]] const Bytes& storage_name() const { return storage_name_; }

  Result<Blob> make_signing_key();
  /// ECDSA over a SHA-256. Errors: also kWrongKey and kCorrupt for a blob that this TPM did not make.
  Result<EcdsaSignature> sign(const Blob& key, std::span<const std::uint8_t, 32> digest);

  /// `secret` has at most 128 bytes.
  Result<Blob> seal(const SecretBytes& secret);
  /// Errors: also kWrongKey and kCorrupt.
  Result<SecretBytes> unseal(const Blob& blob);

 private:
  Tpm(std::unique_ptr<Connection> connection, Handle storage, Bytes storage_name, Handle session);
  static Result<Tpm> open(const std::string& device, const Bytes* storage_name);
  Result<Blob> create(const std::string& doing, const TPM2B_PUBLIC& area, TPM2B_SENSITIVE_CREATE& sensitive);
  Result<Handle> load(const Blob& blob);
  /// What of the next command the session encrypts.
  Result<> encrypt(TPMA_SESSION parts);

  std::unique_ptr<Connection> connection_;
  Handle storage_;
  Bytes storage_name_;
  Handle session_;
};

/// Of a key that make_signing_key() made. Needs no TPM. Errors: kCorrupt, kUnsupported.
Result<Point> point_of(const Blob& key);

}  // namespace zkv::tpm
