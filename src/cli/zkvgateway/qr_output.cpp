// Two rows of modules in one line of text.
#include "qr_output.h"

#include "qr/qr_code.h"

namespace zkv::cli {

namespace {

constexpr int kMargin = 2;  ///< modules of light around it; readers want some
constexpr const char* kBlackOnWhite = "\x1b[30;107m";
constexpr const char* kPlain = "\x1b[0m";

const char* glyph(bool upper, bool lower) {
  if (upper && lower) return "\u2588";
  if (upper) return "\u2580";
  return lower ? "\u2584" : " ";
}

}  // namespace

std::string qr_code(const std::string& text) {
  const QrCode code(text);
  if (code.width() == 0) return {};
  std::string out;
  for (int row = -kMargin; row < code.width() + kMargin; row += 2) {
    out += kBlackOnWhite;
    for (int column = -kMargin; column < code.width() + kMargin; ++column) {
      out += glyph(code.is_dark(row, column), code.is_dark(row + 1, column));
    }
    out += kPlain;
    out += "\n";
  }
  return out;
}

}  // namespace zkv::cli
