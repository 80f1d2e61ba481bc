// JSON objects of strings, decoded in place.
#include "repository/json_text.h"

#include <vector>

#include "fuzz.h"

namespace zkv::fuzz_json_text {
namespace {

using Strings = std::vector<std::string>;  ///< names and values, in turn

Result<Strings> read(Bytes text) {
  Strings strings;
  ZKV_CHECK(
      repository::read_json_object(text, [&](std::string_view name, std::span<const std::uint8_t> value) {
        strings.emplace_back(name);
        strings.emplace_back(fuzz::text_of(value));
      }));
  return strings;
}

Bytes write(const Strings& strings) {
  SecretBuilder out;
  out.push_back('{');
  for (std::size_t i = 0; i < strings.size(); ++i) {
    if (i > 0) out.push_back(i % 2 == 0 ? ',' : ':');
    repository::append_json_string(out, bytes_of(strings[i]));
  }
  out.push_back('}');
  return fuzz::copy_of(out.take().span());
}

}  // namespace

ZKV_FUZZ_TARGET(json_text) {
  const std::span<const std::uint8_t> bytes(data, size);
  static_cast<void>(repository::is_utf8(bytes));
  const auto strings = read(fuzz::copy_of(bytes));
  if (!strings) {
    fuzz::require_words(strings.error());
  } else {
    const auto again = read(write(*strings));
    fuzz::require(again && *again == *strings, "an object written and read again is the same");
  }
  const Strings any{std::string(fuzz::text_of(bytes)), "x"};
  const auto kept = read(write(any));
  fuzz::require(kept && *kept == any, "any bytes survive as a JSON string");
  return 0;
}

}  // namespace zkv::fuzz_json_text
