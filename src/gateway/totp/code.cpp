// liboath makes the codes; they are compared here, as its own comparison stops at the first other digit.
#include "gateway/totp/code.h"

#include <fmt/format.h>
#include <liboath/oath.h>
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero

#include <array>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/stack_wiper.h"
#include "crypto/random.h"

namespace zkv::gateway::totp {

namespace {

constexpr std::chrono::milliseconds kPeriod{30'000};

const char* chars_of(const SecretBytes& secret) { return reinterpret_cast<const char*>(secret.data()); }

struct WipingFree {
  std::size_t size = 0;
  void operator()(char* text) const {
    ::explicit_bzero(text, size);
    std::free(text);  // NOLINT(cppcoreguidelines-no-malloc): this is the owner of what liboath allocated
  }
};

/// Everything but letters, digits and -._~ in hex. Source: RFC 3986, 2.1.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          kPlain.find(c) != std::string_view::npos;
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

SecretBytes make_secret() { return crypto::random_secret(kSecretSize); }

std::int64_t step_at(Time at) { return at.time_since_epoch() / kPeriod; }

std::string code_of(const SecretBytes& secret, std::int64_t step) {
  const StackWiper wiper;
  std::array<char, kDigits + 1> code{};
  const auto made = ::oath_hotp_generate(chars_of(secret), secret.size(), static_cast<std::uint64_t>(step),
                                         kDigits, false, OATH_HOTP_DYNAMIC_TRUNCATION, code.data());
  if (made != OATH_OK) throw std::bad_alloc();  // nothing else can go wrong with six digits
  return {code.data(), kDigits};
}

std::optional<std::int64_t> step_of(const SecretBytes& secret, std::string_view code, Time now,
                                    std::int64_t last) {
  std::optional<std::int64_t> found;
  const auto current = step_at(now);
  for (std::int64_t step = current + kWindow; step >= current - kWindow; --step) {
    const bool fits = equal_in_constant_time(bytes_of(code_of(secret, step)), bytes_of(code));
    if (fits && step > last) found = step;
  }
  return found;
}

SecretBytes to_base32(const SecretBytes& secret) {
  char* made = nullptr;
  std::size_t size = 0;
  if (::oath_base32_encode(chars_of(secret), secret.size(), &made, &size) != OATH_OK) throw std::bad_alloc();
  const std::unique_ptr<char, WipingFree> text(made, {size});
  return SecretBytes::copy_of(std::string_view(text.get(), size));
}

SecretBytes key_uri(const SecretBytes& secret, std::string_view issuer, std::string_view account) {
  const auto by = percent_encoded(issuer);
  SecretBuilder uri;
  uri.append("otpauth://totp/" + by + ":" + percent_encoded(account) + "?secret=");
  const auto text = to_base32(secret);
  uri.append(text.span());
  uri.append("&issuer=" + by + "&algorithm=SHA1&digits=6&period=30");
  return uri.take();
}

}  // namespace zkv::gateway::totp
