// Fernet over nettle's AES-128-CBC and this room's HMAC-SHA-256.
#include "crypto/fernet.h"

#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "base/encoding.h"
#include "base/stack_wiper.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace zkv::crypto {

namespace {

constexpr std::uint8_t kVersion = 0x80;
constexpr std::size_t kBlock = 16;
constexpr std::size_t kHeader = 1 + 8 + kBlock;  // version, time, initialisation vector
constexpr std::size_t kMac = 32;

using Block = std::array<std::uint8_t, kBlock>;

std::span<const std::uint8_t> signing_half(std::span<const std::uint8_t> key) { return key.first(16); }
std::span<const std::uint8_t> encrypting_half(std::span<const std::uint8_t> key) { return key.subspan(16); }

Block block_of(std::span<const std::uint8_t> bytes) {
  Block block{};
  std::copy_n(bytes.begin(), block.size(), block.begin());
  return block;
}

/// The plaintext with the padding of RFC 5652, section 6.3: 1 to 16 bytes, each of which tells their number.
SecretBytes padded(std::span<const std::uint8_t> plaintext) {
  const std::size_t padding = kBlock - plaintext.size() % kBlock;
  SecretBytes out(plaintext.size() + padding);
  std::fill_n(std::copy(plaintext.begin(), plaintext.end(), out.data()), padding,
              static_cast<std::uint8_t>(padding));
  return out;
}

Bytes encrypt(std::span<const std::uint8_t> key, Block vector, std::span<const std::uint8_t> plaintext) {
  const SecretBytes blocks = padded(plaintext);
  Bytes out(blocks.size());
  aes128_ctx cipher;
  aes128_set_encrypt_key(&cipher, key.data());
  cbc_aes128_encrypt(&cipher, vector.data(), out.size(), out.data(), blocks.data());
  sodium_memzero(&cipher, sizeof cipher);
  return out;
}

/// aes128_decrypt, with the signature that nettle's modes call.
void decrypt_blocks(const void* cipher, std::size_t size, std::uint8_t* out, const std::uint8_t* in) {
  aes128_decrypt(static_cast<const aes128_ctx*>(cipher), size, out, in);
}

/// Turns `blocks` into what they hold, in place, and gives the size of that. They are already authenticated:
/// so no answer here helps an attacker.
Result<std::size_t> decrypt(std::span<const std::uint8_t> key, Block vector, std::span<std::uint8_t> blocks) {
  aes128_ctx cipher;
  aes128_set_decrypt_key(&cipher, key.data());
  cbc_decrypt(&cipher, decrypt_blocks, kBlock, vector.data(), blocks.size(), blocks.data(), blocks.data());
  sodium_memzero(&cipher, sizeof cipher);
  const std::uint8_t padding = blocks.back();
  const auto end = blocks.last(std::clamp<std::size_t>(padding, 1, kBlock));
  if (end.size() != padding ||
      !std::all_of(end.begin(), end.end(), [&](auto byte) { return byte == padding; })) {
    return Error::corrupt("the Fernet token's padding is wrong");
  }
  return blocks.size() - padding;
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
  SecretBytes bytes(base64_bytes(token));  // the message itself in the end, so that nothing is copied
  const auto size = from_base64(token, Base64::kUrl, bytes.span());
  if (!size || *size < kHeader + kBlock + kMac || *bytes.data() != kVersion) {
    return Error::corrupt("this is not a Fernet token");
  }
  const auto all = bytes.span().first(*size);
  const auto covered = all.first(all.size() - kMac);
  const Sha256 mac = hmac_sha256(signing_half(key), covered);
  if (!equal_in_constant_time(mac, all.last(kMac))) {
    return Error::wrong_key("the key does not fit, or the token was changed");
  }
  const auto blocks = covered.subspan(kHeader);
  if (blocks.size() % kBlock != 0) return Error::corrupt("the Fernet token is not of whole blocks");
  const Time made = time_of(read_big_endian(all.subspan(1, 8)));
  ZKV_TRY(const std::size_t length, decrypt(encrypting_half(key), block_of(all.subspan(9, kBlock)), blocks));
  std::memmove(bytes.data(), blocks.data(), length);
  bytes.truncate(length);
  return FernetMessage{made, std::move(bytes)};
}

}  // namespace zkv::crypto
