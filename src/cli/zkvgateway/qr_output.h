// QR codes in a terminal.
#pragma once

#include <string>

namespace zkv::cli {

/// `text` as a QR code (ISO/IEC 18004) of half blocks, dark on light whatever the terminal's colours are;
/// empty when it is too long for one.
std::string qr_code(const std::string& text);

}  // namespace zkv::cli
