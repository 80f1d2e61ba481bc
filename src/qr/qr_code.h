// QR codes (ISO/IEC 18004) as modules, dark or light. The only room that speaks to libqrencode, which is
// loaded when the first is made.
#pragma once

#include <memory>
#include <string_view>

#include "base/secret_bytes.h"

namespace zkv {

class QrCode {
 public:
  /// None (width 0) when `text` is too long for one, or libqrencode is not installed.
  explicit QrCode(std::string_view text);

  /// Modules on each side; without a margin.
  [[nodiscard]] int width() const { return width_; }
  /// False outside of it.
  [[nodiscard]] bool is_dark(int row, int column) const;

 private:
  int width_ = 0;
  SecretBytes modules_;  ///< what it says may be a secret
};

/// The dark modules as the `d` of an SVG path, in a view box of width() units: "M0 0h7v1h-7z…".
SecretBytes svg_path(const QrCode& code);

}  // namespace zkv
