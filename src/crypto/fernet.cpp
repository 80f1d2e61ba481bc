// Fernet over OpenSSL's AES-128-CBC and this room's HMAC-SHA-256.
#include "crypto/fernet.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <new>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/stack.h"

namespace zkv::crypto {

namespace {

constexpr std::uint8_t kVersion = 0x80;
constexpr std::size_t kBlock = 16;
constexpr std::size_t kHeader = 1 + 8 + kBlock;  // version, time, initialisation vector
constexpr std::size_t kMac = 32;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

/// Without openssl.cnf: nothing in it concerns a cipher, and reading it would take longer than the rest of a
/// command.
Context make_context() {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  Context context(EVP_CIPHER_CTX_new());
  if (!context) throw std::bad_alloc();
  return context;
}

std::span<const std::uint8_t> signing_half(std::span<const std::uint8_t> key) { return key.first(16); }
std::span<const std::uint8_t> encrypting_half(std::span<const std::uint8_t> key) { return key.subspan(16); }

Bytes encrypt(std::span<const std::uint8_t> key, std::span<const std::uint8_t> vector,
              std::span<const std::uint8_t> plaintext) {
  const Context context = make_context();
  Bytes out(plaintext.size() + kBlock);
  int size = 0;
  int last = 0;
  const bool done =
      EVP_EncryptInit_ex(context.get(), EVP_aes_128_cbc(), nullptr, key.data(), vector.data()) == 1 &&
      EVP_EncryptUpdate(context.get(), out.data(), &size, plaintext.data(),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out.data() + size, &last) == 1;
  if (!done) throw std::bad_alloc();  // with sound arguments, only memory can be what it lacks
  out.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(last));
  return out;
}

Result<SecretBytes> decrypt(std::span<const std::uint8_t> key, std::span<const std::uint8_t> vector,
                            std::span<const std::uint8_t> ciphertext) {
  const Context context = make_context();
  SecretBytes out(ciphertext.size() + kBlock);
  int size = 0;
  int last = 0;
  const bool done =
      EVP_DecryptInit_ex(context.get(), EVP_aes_128_cbc(), nullptr, key.data(), vector.data()) == 1 &&
      EVP_DecryptUpdate(context.get(), out.data(), &size, ciphertext.data(),
                        static_cast<int>(ciphertext.size())) == 1 &&
      EVP_DecryptFinal_ex(context.get(), out.data() + size, &last) == 1;
  if (!done) return Error::corrupt("the Fernet token's padding is wrong");
  out.truncate(static_cast<std::size_t>(size) + static_cast<std::size_t>(last));
  return out;
}

void append_big_endian(Bytes& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(number >> shift));
}

std::uint64_t read_big_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

Time time_of(std::uint64_t seconds) {
  constexpr std::uint64_t kYear9999 = 253'402'300'799;
  return Time(std::chrono::seconds(std::min(seconds, kYear9999)));
}

}  // namespace

Result<SecretBytes> fernet_key_from_text(std::string_view text) {
  const auto wrong = [] {
    return Error::invalid("a repository key is 44 characters of url-safe base64, ending with '='");
  };
  if (text.size() != kFernetKeyTextSize) return wrong();
  auto key = from_base64_secret(text, Base64::kUrl);
  if (!key || key->size() != kFernetKeySize) return wrong();
  return key;
}

SecretBytes fernet_key_to_text(std::span<const std::uint8_t> key) {
  return to_base64_secret(key, Base64::kUrl);
}

std::string fernet_seal(std::span<const std::uint8_t> key, std::span<const std::uint8_t> plaintext,
                        Time made) {
  std::array<std::uint8_t, kBlock> vector;
  fill_random(vector);
  return fernet_seal(key, plaintext, made, vector);
}

std::string fernet_seal(std::span<const std::uint8_t> key, std::span<const std::uint8_t> plaintext, Time made,
                        const std::array<std::uint8_t, 16>& initialisation_vector) {
  const StackWiper wiper;
  Bytes token{kVersion};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(made).time_since_epoch().count();
  append_big_endian(token, static_cast<std::uint64_t>(seconds));
  token.insert(token.end(), initialisation_vector.begin(), initialisation_vector.end());
  const Bytes ciphertext = encrypt(encrypting_half(key), initialisation_vector, plaintext);
  token.insert(token.end(), ciphertext.begin(), ciphertext.end());
  const Sha256 mac = hmac_sha256(signing_half(key), token);
  token.insert(token.end(), mac.begin(), mac.end());
  return to_base64(token, Base64::kUrl);
}

Result<FernetMessage> fernet_open(std::span<const std::uint8_t> key, std::string_view token) {
  const StackWiper wiper;
  const auto bytes = from_base64(token, Base64::kUrl);
  if (!bytes || bytes->size() < kHeader + kBlock + kMac || bytes->front() != kVersion) {
    return Error::corrupt("this is not a Fernet token");
  }
  const std::span<const std::uint8_t> all(*bytes);
  const auto covered = all.first(all.size() - kMac);
  const Sha256 mac = hmac_sha256(signing_half(key), covered);
  if (!equal_in_constant_time(mac, all.last(kMac))) {
    return Error::wrong_key("the key does not fit, or the token was changed");
  }
  const auto ciphertext = covered.subspan(kHeader);
  if (ciphertext.size() % kBlock != 0) return Error::corrupt("the Fernet token is not of whole blocks");
  ZKV_TRY(auto plaintext, decrypt(encrypting_half(key), all.subspan(9, kBlock), ciphertext));
  return FernetMessage{time_of(read_big_endian(all.subspan(1, 8))), std::move(plaintext)};
}

}  // namespace zkv::crypto
