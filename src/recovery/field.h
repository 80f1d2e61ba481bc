// Arithmetic in GF(256) as SLIP-0039 shares secrets: polynomials over the field of Rijndael, modulo
// x^8 + x^4 + x^3 + x + 1. No branch and no address depends on a share's bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/secret_bytes.h"

namespace zkv::recovery {

std::uint8_t multiply(std::uint8_t left, std::uint8_t right);
/// Zero has none, and gives zero.
std::uint8_t inverse(std::uint8_t element);

/// One value of a polynomial for each byte of `y`.
struct Point {
  std::uint8_t x = 0;
  SecretBytes y;
};

/// What the polynomials of lowest degree through `points`, of which no two have the same x and all have as
/// many bytes, are at `x`.
SecretBytes interpolate(std::span<const Point> points, std::uint8_t x);

}  // namespace zkv::recovery
