// One request out of the bytes that arrive, within limits; a shell around Beast's parser.
#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/http/message.h"

namespace zkv::gateway::http {

class RequestReader {
 public:
  static constexpr std::uint32_t kHeaderLimit = 8 * 1024;
  static constexpr std::uint64_t kBodyLimit = 64 * 1024;
  /// Of all that a request is on the wire: the sizes of its chunks and its trailer come beside header and
  /// body.
  static constexpr std::uint64_t kLongest = kHeaderLimit + 8 * kBodyLimit;

  RequestReader();

  enum class State : std::uint8_t { kNeedsMore, kDone, kRefused };
  /// Takes from the front of `input` what belongs to this request.
  State take(std::string& input);
  /// After kRefused: 400, 413, 431 or 501, and why.
  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] std::string_view why() const { return why_; }
  /// Whether the client waits for "100 Continue" before it sends the body; true once.
  bool wants_continue();
  /// After kDone. The fields about the client are left to the caller. What a trailer says is passed over: no
  /// proxy has put its own word into it. Source: RFC 9110 6.5.1.
  Incoming take_request();

 private:
  State judge_header();
  State judge_framing();
  State refuse(unsigned status, std::string_view why);
  State judge(const boost::system::error_code& error);

  boost::beast::http::request_parser<boost::beast::http::string_body> parser_;
  std::optional<boost::beast::http::fields> headers_;  ///< as they were before any trailer
  std::uint64_t taken_ = 0;                            ///< bytes
  unsigned status_ = 0;
  std::string_view why_;
  bool continued_ = false;
};

}  // namespace zkv::gateway::http
