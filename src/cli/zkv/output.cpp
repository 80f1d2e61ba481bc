// Writing to stdout without a stream's own buffer in between.
#include "output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/encoding.h"
#include "repository/json_text.h"

namespace zkv::cli {

namespace {

bool is_printable(std::span<const std::uint8_t> key) {
  const bool controls =
      std::any_of(key.begin(), key.end(), [](auto byte) { return byte < 0x20 || byte == 0x7f; });
  return !controls && repository::is_utf8(key);
}

void append_hex(SecretBuilder& out, std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out.append(kDigits.substr(byte >> 4, 1));
    out.append(kDigits.substr(byte & 0xf, 1));
  }
}

}  // namespace

Output& Output::json(std::string_view text) {
  repository::append_json_string(collected_, bytes_of(text));
  return *this;
}

Output& Output::key(std::span<const std::uint8_t> key) {
  if (is_printable(key)) {
    collected_.append(key);
  } else {
    collected_.append("hex:");
    append_hex(collected_, key);
  }
  return *this;
}

Output& Output::json_key(std::span<const std::uint8_t> key) {
  *this << "\"key\": ";
  if (repository::is_utf8(key)) {
    repository::append_json_string(collected_, key);
    return *this << ", \"encoding\": \"text\"";
  }
  *this << "\"";
  append_hex(collected_, key);
  return *this << "\", \"encoding\": \"hex\"";
}

Result<> Output::write() { return write_out(collected_.take().view()); }

Result<> write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error::system("writing to standard output", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace zkv::cli
