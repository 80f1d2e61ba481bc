// JSON objects of strings, read and written without a key ever lying in an ordinary string.
// Bytes that are no UTF-8 travel as lone surrogates U+DC80..U+DCFF, as Python's `surrogateescape` does it, so
// that whatever the seed's client stored comes back unchanged.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::repository {

/// Calls `member` for each name and value in order. Strict RFC 8259; nothing but an object of strings.
/// `text` is decoded in place and useless afterwards; `value` lies in it. Errors: kCorrupt.
Result<> read_json_object(
    std::span<std::uint8_t> text,
    const std::function<void(std::string_view name, std::span<const std::uint8_t> value)>& member);

/// Appends `text` as a JSON string in ASCII, the same bytes that Python's json.dumps makes.
void append_json_string(SecretBuilder& out, std::span<const std::uint8_t> text);

/// Whether `text` is UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF).
bool is_utf8(std::span<const std::uint8_t> text);

}  // namespace zkv::repository
