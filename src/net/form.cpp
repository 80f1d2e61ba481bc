// Percent-encoding, with the secret form's text never outside secret memory.
#include "net/form.h"

#include <algorithm>
#include <array>

namespace zkv::net {

namespace {

bool is_unreserved(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || std::string_view("-._~").find(letter) != std::string_view::npos;
}

template <class Sink>
void encode(std::string_view text, Sink&& sink) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const std::array<char, 3> escaped = {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    sink(is_unreserved(letter) ? std::string_view(&letter, 1)
                               : std::string_view(escaped.data(), escaped.size()));
  }
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string encoded;
  encode(text, [&encoded](std::string_view piece) { encoded += piece; });
  return encoded;
}

FormBuilder& FormBuilder::add(std::string_view name, std::string_view value) {
  const auto append = [this](std::string_view piece) { fields_.append(piece); };
  if (fields_.size() > 0) fields_.append("&");
  encode(name, append);
  fields_.append("=");
  encode(value, append);
  return *this;
}

}  // namespace zkv::net
