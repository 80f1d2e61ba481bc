// Multiplying bit by bit, and Lagrange's formula.
#include "recovery/field.h"

namespace zkv::recovery {

namespace {

constexpr unsigned kReduction = 0x1b;  // x^8 is x^4 + x^3 + x + 1

/// The weight of the point with x = `own` among `points`, at `x`. Which points there are is no secret.
std::uint8_t weight(std::span<const Point> points, std::uint8_t own, std::uint8_t x) {
  std::uint8_t above = 1;
  std::uint8_t below = 1;
  for (const Point& other : points) {
    if (other.x == own) continue;
    above = multiply(above, static_cast<std::uint8_t>(x ^ other.x));
    below = multiply(below, static_cast<std::uint8_t>(own ^ other.x));
  }
  return multiply(above, inverse(below));
}

}  // namespace

std::uint8_t multiply(std::uint8_t left, std::uint8_t right) {
  unsigned product = 0;
  unsigned shifted = left;
  for (unsigned bit = 0; bit < 8; ++bit) {
    product ^= shifted & (0U - (unsigned{right} >> bit & 1U));
    shifted = (shifted << 1U & 0xffU) ^ (kReduction & (0U - (shifted >> 7U)));
  }
  return static_cast<std::uint8_t>(product);
}

std::uint8_t inverse(std::uint8_t element) {
  std::uint8_t result = 1;
  for (unsigned i = 0; i < 254; ++i) result = multiply(result, element);  // a^254 is 1/a
  return result;
}

SecretBytes interpolate(std::span<const Point> points, std::uint8_t x) {
  SecretBytes out(points.front().y.size());
  for (const Point& point : points) {
    const std::uint8_t share = weight(points, point.x, x);
    for (std::size_t i = 0; i < out.size(); ++i) out.data()[i] ^= multiply(share, point.y.data()[i]);
  }
  return out;
}

}  // namespace zkv::recovery
