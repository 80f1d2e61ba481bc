// An HTTP answer out of a fuzzer's bytes: status, header lines "name: value", an empty line, the body.
#pragma once

#include "fuzz.h"
#include "net/http_client.h"

namespace zkv::fuzz {

inline net::HttpResponse answer_of(std::span<const std::uint8_t> bytes) {
  net::HttpResponse response;
  std::string_view text = text_of(bytes);
  const auto take_line = [&text] {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  for (const char digit : take_line().substr(0, 3)) response.status = response.status * 10 + (digit - '0');
  for (auto line = take_line(); !line.empty(); line = take_line()) {
    const auto colon = std::min(line.find(": "), line.size());
    response.headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 2, line.size())));
  }
  response.body = SecretBytes::copy_of(text);
  return response;
}

}  // namespace zkv::fuzz
