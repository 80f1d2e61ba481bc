// Splitting and joining. Source: SLIP-0039, "Shamir's secret sharing" and "Generating the shares".
#include "recovery/split.h"

#include <algorithm>
#include <string>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "recovery/cipher.h"
#include "recovery/field.h"

namespace zkv::recovery {

namespace {

constexpr std::uint8_t kSecretAt = 255;
constexpr std::uint8_t kDigestAt = 254;
constexpr std::size_t kDigestSize = 4;

/// The first bytes of HMAC-SHA-256 over the secret under the random rest of the digest's point.
SecretBytes digest_of(const SecretBytes& secret, std::span<const std::uint8_t> random) {
  auto whole = crypto::hmac_sha256(random, secret.span());
  auto digest = SecretBytes::copy_of(std::span(whole).first(kDigestSize));
  std::fill(whole.begin(), whole.end(), std::uint8_t{0});
  return digest;
}

/// The point by which joined parts are known to be right.
SecretBytes digest_point(const SecretBytes& secret) {
  const auto random = crypto::random_secret(secret.size() - kDigestSize);
  SecretBuilder point;
  point.append(digest_of(secret, random.span()).span());
  point.append(random.span());
  return point.take();
}

bool has_right_digest(const SecretBytes& secret, const SecretBytes& point) {
  const auto digest = digest_of(secret, point.span().subspan(kDigestSize));
  return equal_in_constant_time(digest.span(), point.span().first(kDigestSize));
}

/// Shares of `secret` at 0, 1, …
std::vector<SecretBytes> share(const SecretBytes& secret, const Scheme& scheme) {
  std::vector<SecretBytes> shares;
  if (scheme.threshold == 1) {
    shares.push_back(secret.clone());
    return shares;
  }
  std::vector<Point> points;
  for (unsigned i = 0; i + 2 < scheme.threshold; ++i) {
    points.push_back({static_cast<std::uint8_t>(i), crypto::random_secret(secret.size())});
    shares.push_back(points.back().y.clone());
  }
  points.push_back({kDigestAt, digest_point(secret)});
  points.push_back({kSecretAt, secret.clone()});
  for (auto i = static_cast<unsigned>(shares.size()); i < scheme.parts; ++i) {
    shares.push_back(interpolate(points, static_cast<std::uint8_t>(i)));
  }
  return shares;
}

std::string name_of(const Part& part) { return "part " + std::to_string(part.index + 1); }

std::string names_of(std::span<const Part> parts) {
  std::string names;
  for (const Part& part : parts) names += (names.empty() ? "" : ", ") + std::to_string(part.index + 1);
  return (parts.size() == 1 ? "part " : "parts ") + names;
}

std::string kit_of(const Part& part) { return "kit " + std::to_string(part.mark.number); }

Error too_few(std::span<const Part> parts) {
  const unsigned threshold = parts.front().mark.threshold;
  const auto missing = threshold - parts.size();
  return Error::invalid("any " + std::to_string(threshold) + " parts of " + kit_of(parts.front()) +
                        " are needed, and here is only " + names_of(parts))
      .remedy(std::to_string(missing) + (missing == 1 ? " more part is needed" : " more parts are needed"));
}

Error do_not_fit(std::span<const Part> parts) {
  return Error::corrupt(names_of(parts) + " of " + kit_of(parts.front()) + " do not fit together")
      .remedy("one of them was not printed with the others, or was changed: try with other parts");
}

/// The shared secret from exactly as many parts as are needed, as points.
Result<SecretBytes> shared_secret(std::span<const Part> parts, std::span<const Point> points) {
  if (points.size() == 1) return points.front().y.clone();
  auto secret = interpolate(points, kSecretAt);
  if (has_right_digest(secret, interpolate(points, kDigestAt))) return secret;
  return do_not_fit(parts);
}

}  // namespace

Result<> check_scheme(const Scheme& scheme) {
  if (scheme.threshold < 1 || scheme.threshold > scheme.parts || scheme.parts > kMostParts) {
    return Error::invalid("a kit has 1 to 16 parts, and no more of them can be needed than there are");
  }
  if (scheme.threshold == 1 && scheme.parts > 1) {
    return Error::invalid("parts of which each opens alone are copies")
        .remedy("make a kit without --split, and print it as often as you need it");
  }
  return {};
}

Result<std::vector<Part>> split(const SecretBytes& secret, const Scheme& scheme) {
  ZKV_CHECK(check_scheme(scheme));
  const KitMark mark{.number = static_cast<std::uint16_t>(crypto::random_below(1U << 15U)),
                     .threshold = static_cast<std::uint8_t>(scheme.threshold)};
  std::vector<Part> parts;
  std::uint8_t index = 0;
  for (auto& value : share(encrypt(secret, mark, {}), scheme)) {
    parts.push_back({mark, index++, std::move(value)});
  }
  return parts;
}

Result<> check_joins(std::span<const Part> parts, const Part& part) {
  for (const Part& other : parts) {
    if (other.mark.number != part.mark.number) {
      return Error::invalid(name_of(part) + " is of " + kit_of(part) + ", and " + name_of(other) + " of " +
                            kit_of(other))
          .remedy("only parts of one kit open together: look for those with the same number");
    }
    if (other.mark != part.mark || other.value.size() != part.value.size()) {
      const Part both[] = {{other.mark, other.index, {}}, {part.mark, part.index, {}}};
      return do_not_fit(both);
    }
    if (other.index == part.index) {
      return Error::invalid(name_of(part) + " was given twice").remedy("give another part");
    }
  }
  return {};
}

Result<SecretBytes> join(std::span<const Part> parts, std::string_view passphrase) {
  if (parts.empty()) return Error::invalid("no part of a recovery kit was given");
  for (std::size_t i = 1; i < parts.size(); ++i) ZKV_CHECK(check_joins(parts.first(i), parts[i]));
  const KitMark& mark = parts.front().mark;
  if (parts.size() < mark.threshold) return too_few(parts);
  std::vector<Point> points;
  for (const Part& part : parts.first(mark.threshold)) points.push_back({part.index, part.value.clone()});
  ZKV_TRY(const auto secret, shared_secret(parts, points));
  for (const Part& more : parts.subspan(mark.threshold)) {
    const auto expected = interpolate(points, more.index);
    if (!equal_in_constant_time(expected.span(), more.value.span())) return do_not_fit(parts);
  }
  return decrypt(secret, mark, passphrase);
}

}  // namespace zkv::recovery
