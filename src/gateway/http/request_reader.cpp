// Beast's errors as statuses.
#include "gateway/http/request_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace zkv::gateway::http {

namespace bhttp = boost::beast::http;

RequestReader::RequestReader() {
  parser_.header_limit(kHeaderLimit);
  parser_.body_limit(kBodyLimit);
  parser_.eager(false);  // It stops after the header, which is judged before anything of the body is read.
}

RequestReader::State RequestReader::take(std::string& input) {
  while (!input.empty() && !parser_.is_done()) {
    boost::system::error_code error;
    const std::size_t used = parser_.put(boost::asio::buffer(input), error);
    input.erase(0, used);
    taken_ += used;
    if (error && error != bhttp::error::need_more) return judge(error);
    // A trailer is taken only once it is whole.
    const bool is_too_long = !parser_.is_done() && taken_ + input.size() > kLongest;
    if (is_too_long) return refuse(413, "chunks and trailer are longer than 512 KiB");
    if (parser_.is_header_done() && !headers_) {
      if (judge_header() == State::kRefused) return State::kRefused;
      headers_ = parser_.get().base();
      parser_.eager(true);
    } else if (error || used == 0) {
      break;
    }
  }
  return parser_.is_done() ? State::kDone : State::kNeedsMore;
}

RequestReader::State RequestReader::judge_header() {
  const auto& message = parser_.get();
  if (message.version() >= 11 && message.count(bhttp::field::host) != 1) {
    return refuse(400, "the Host header is missing or given twice");
  }
  if (!message.target().starts_with('/')) return refuse(400, "the target is not a path");
  return judge_framing();
}

/// Where a request ends must be said once and be understood: otherwise what follows could be its body to us,
/// and a request of its own to a proxy. Source: RFC 9112 6.1 and 6.3.
RequestReader::State RequestReader::judge_framing() {
  const auto& message = parser_.get();
  const auto codings = message.count(bhttp::field::transfer_encoding);
  const auto length = message[bhttp::field::content_length];
  if (codings + message.count(bhttp::field::content_length) > 1) {
    return refuse(400, "the length of the body is said more than once");
  }
  if (length.find_first_not_of("0123456789") != std::string_view::npos) {
    return refuse(400, "Content-Length is not a number");
  }
  if (codings == 0) return State::kDone;
  const auto coding = message[bhttp::field::transfer_encoding];
  if (message.version() < 11) return refuse(400, "Transfer-Encoding is not known to HTTP/1.0");
  if (boost::beast::iequals(coding, "chunked")) return State::kDone;
  if (coding.empty() || coding.find(',') != std::string_view::npos) {
    return refuse(400, "Transfer-Encoding is not one coding");
  }
  return refuse(501, "this Transfer-Encoding is not supported, only chunked");
}

RequestReader::State RequestReader::judge(const boost::system::error_code& error) {
  if (error == bhttp::error::header_limit) return refuse(431, "the header is longer than 8 KiB");
  if (error == bhttp::error::body_limit) return refuse(413, "the body is longer than 64 KiB");
  return refuse(400, "this is not a well-formed HTTP request");
}

RequestReader::State RequestReader::refuse(unsigned status, std::string_view why) {
  status_ = status;
  why_ = why;
  return State::kRefused;
}

bool RequestReader::wants_continue() {
  if (continued_ || !parser_.is_header_done() || parser_.is_done()) return false;
  continued_ = boost::beast::iequals(parser_.get()[bhttp::field::expect], "100-continue");
  return continued_;
}

Incoming RequestReader::take_request() {
  Incoming incoming;
  incoming.keep_alive = parser_.keep_alive();
  auto message = parser_.release();
  incoming.method = std::string(message.method_string());
  incoming.target = std::string(message.target());
  incoming.body = std::move(message.body());
  incoming.headers = std::move(*headers_);
  return incoming;
}

}  // namespace zkv::gateway::http
