// Identity and share as 64 bytes in a file.
#include "base/file.h"
#include "base/private_file.h"
#include "crypto/random.h"
#include "host/enrolment_keys.h"
#include "protocol/messages.h"

namespace zkv::host {

namespace {

EnrolmentKeys keys_of_file(crypto::SigningKey identity, SecretBytes share) {
  return {std::make_unique<protocol::KeySigner>(std::move(identity)), std::move(share)};
}

}  // namespace

Result<EnrolmentKeys> make_file_keys(const std::filesystem::path& path) {
  auto identity = crypto::SigningKey::make();
  auto share = crypto::random_secret(protocol::kShareSize);
  SecretBuilder both;
  both.append(identity.seed().span());
  both.append(share.span());
  const auto file = both.take();
  ZKV_CHECK(replace_file(path, file.span()));
  return keys_of_file(std::move(identity), std::move(share));
}

Result<EnrolmentKeys> load_file_keys(const std::filesystem::path& path) {
  ZKV_TRY(const auto both,
          load_private_file(path, crypto::kSigningSeedSize + protocol::kShareSize, "the host's identity"));
  ZKV_TRY(auto identity,
          crypto::SigningKey::from_seed(SecretBytes::copy_of(both.span().first(crypto::kSigningSeedSize))));
  return keys_of_file(std::move(identity),
                      SecretBytes::copy_of(both.span().subspan(crypto::kSigningSeedSize)));
}

}  // namespace zkv::host
