// Text from elsewhere, made fit to be shown in a terminal.
#pragma once

#include <string>
#include <string_view>

namespace zkv {

/// `text` with a question mark in the place of everything that could steer a terminal or disguise what stands
/// there: control characters (C0, DEL, C1), direction marks and overrides, invisible characters, line
/// separators, and bytes that are no UTF-8. Source: Unicode TR 36, "Unicode Security Considerations".
std::string plain_text(std::string_view text);

/// The same JSON document (RFC 8259) with all of these written as \u escapes. `document` is on one line.
std::string plain_json(std::string_view document);

}  // namespace zkv
