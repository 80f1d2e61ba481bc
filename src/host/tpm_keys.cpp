// Identity and share in a TPM, and the file that says how to use them again.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/file.h"
#include "crypto/random.h"
#include "host/enrolment_keys.h"
#include "protocol/json_members.h"
#include "protocol/messages.h"
#include "tpm/tpm.h"

namespace zkv::host {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t kTpmFileLimit = std::size_t{16} << 10U;
constexpr std::size_t kLongestArea = 2'000;
constexpr std::size_t kStorageNameSize = 34;  ///< the algorithm's number, and a SHA-256

struct InTpm {
  Bytes storage_name;  ///< which TPM it is
  tpm::Blob identity;
  tpm::Blob share;
};

std::string base64_text(const Bytes& bytes) { return to_base64(bytes, Base64::kUrlNoPadding); }

json::object to_json(const tpm::Blob& blob) {
  return {{"public", base64_text(blob.public_area)}, {"private", base64_text(blob.private_area)}};
}

Result<tpm::Blob> read_blob(const protocol::Members& members) {
  tpm::Blob blob;
  ZKV_TRY(blob.public_area, members.base64("public", kLongestArea));
  ZKV_TRY(blob.private_area, members.base64("private", kLongestArea));
  return blob;
}

Result<InTpm> read_file_of_tpm(const protocol::Members& members) {
  InTpm made;
  ZKV_TRY(const auto name, members.hex<kStorageNameSize>("storage"));
  made.storage_name.assign(name.begin(), name.end());
  ZKV_TRY(const auto identity, members.object("identity"));
  ZKV_TRY(made.identity, read_blob(identity));
  ZKV_TRY(const auto share, members.object("share"));
  ZKV_TRY(made.share, read_blob(share));
  return made;
}

Result<> store_in_tpm(const fs::path& path, const InTpm& made) {
  const std::string text = json::serialize(json::object{{"storage", to_hex(made.storage_name)},
                                                        {"identity", to_json(made.identity)},
                                                        {"share", to_json(made.share)}}) +
                           "\n";
  return replace_file(path, bytes_of(text));
}

Error damaged_file(const fs::path& path, const Error& why) {
  return Error::corrupt(path.string() + " is damaged: " + why.message())
      .remedy("put it back from a backup of this machine, or enrol again with a new link");
}

Result<InTpm> load_in_tpm(const fs::path& path) {
  ZKV_TRY(const auto bytes, read_file(path, kTpmFileLimit));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto object = protocol::parse_object(text, kTpmFileLimit);
  if (!object) return damaged_file(path, object.error());
  auto made = read_file_of_tpm(protocol::Members(*object));
  if (!made) return damaged_file(path, made.error());
  return made;
}

/// Opens the TPM for each signature alone: between request and approval hours can pass, and others use it
/// too.
class TpmSigner : public protocol::Signer {
 public:
  TpmSigner(std::string device, InTpm made, protocol::P256Key key)
      : device_(std::move(device)), made_(std::move(made)), key_(key) {}

  [[nodiscard]] protocol::HostIdentity identity() const override { return key_; }

  [[nodiscard]] Result<crypto::Signature> sign(std::span<const std::uint8_t> message) const override {
    ZKV_TRY(auto tpm, tpm::Tpm::open(device_, made_.storage_name));
    const auto digest = crypto::sha256(message);
    return tpm.sign(made_.identity, digest);
  }

 private:
  std::string device_;
  InTpm made_;
  protocol::P256Key key_;
};

Result<EnrolmentKeys> keys_of_tpm(const std::string& device, InTpm made, SecretBytes share) {
  ZKV_TRY(const auto point, tpm::point_of(made.identity));
  return EnrolmentKeys{
      std::make_unique<TpmSigner>(device, std::move(made), protocol::p256_key(point.x, point.y)),
      std::move(share)};
}

}  // namespace

Result<EnrolmentKeys> make_tpm_keys(const fs::path& path, const std::string& device) {
  ZKV_TRY(auto tpm, tpm::Tpm::open(device));
  auto share = crypto::random_secret(protocol::kShareSize);
  InTpm made;
  made.storage_name = tpm.storage_name();
  ZKV_TRY(made.identity, tpm.make_signing_key());
  ZKV_TRY(made.share, tpm.seal(share));
  ZKV_CHECK(store_in_tpm(path, made));
  return keys_of_tpm(device, std::move(made), std::move(share));
}

Result<> check_tpm_file(const fs::path& path) {
  return load_in_tpm(path).map([](const InTpm&) {});
}

Result<EnrolmentKeys> load_tpm_keys(const fs::path& path, const std::string& device) {
  ZKV_TRY(auto made, load_in_tpm(path));
  ZKV_TRY(auto tpm, tpm::Tpm::open(device, made.storage_name));
  ZKV_TRY(auto share, tpm.unseal(made.share));
  if (share.size() != protocol::kShareSize) {
    return damaged_file(path, Error::corrupt("its share is not of 32 bytes"));
  }
  return keys_of_tpm(device, std::move(made), std::move(share));
}

}  // namespace zkv::host
