// Two rows of modules in one line of text.
#include "qr_output.h"

#include <qrencode.h>

#include <memory>

namespace zkv::cli {

namespace {

struct CodeDeleter {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

constexpr int kMargin = 2;  ///< modules of light around it; readers want some
constexpr const char* kBlackOnWhite = "\x1b[30;107m";
constexpr const char* kPlain = "\x1b[0m";

bool is_dark(const QRcode& code, int row, int column) {
  if (row < 0 || column < 0 || row >= code.width || column >= code.width) return false;
  return (code.data[row * code.width + column] & 1) != 0;
}

const char* glyph(bool upper, bool lower) {
  if (upper && lower) return "\u2588";
  if (upper) return "\u2580";
  return lower ? "\u2584" : " ";
}

}  // namespace

std::string qr_code(const std::string& text) {
  const std::unique_ptr<QRcode, CodeDeleter> code(QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L));
  if (!code) return {};
  std::string out;
  for (int row = -kMargin; row < code->width + kMargin; row += 2) {
    out += kBlackOnWhite;
    for (int column = -kMargin; column < code->width + kMargin; ++column) {
      out += glyph(is_dark(*code, row, column), is_dark(*code, row + 1, column));
    }
    out += kPlain;
    out += "\n";
  }
  return out;
}

}  // namespace zkv::cli
