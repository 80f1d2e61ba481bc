// One HTTP request, arriving at once and in pieces: the answer must not depend on how the network cut it.
#include "fuzz.h"
#include "gateway/http/request_reader.h"

namespace zkv::fuzz_http_request {
namespace {

using gateway::http::Incoming;
using gateway::http::RequestReader;
using State = RequestReader::State;

struct Outcome {
  State state = State::kNeedsMore;
  unsigned status = 0;
  Incoming request;
  std::size_t left = 0;  ///< bytes that belong to the next request
};

Outcome read(std::string_view bytes, std::size_t step) {
  RequestReader reader;
  Outcome outcome;
  std::string waiting;
  while (outcome.state == State::kNeedsMore && !bytes.empty()) {
    const auto size = std::min(step, bytes.size());
    waiting += bytes.substr(0, size);
    bytes.remove_prefix(size);
    outcome.state = reader.take(waiting);
    if (outcome.state == State::kNeedsMore) static_cast<void>(reader.wants_continue());
  }
  outcome.left = waiting.size() + bytes.size();
  outcome.status = reader.status();
  if (outcome.state == State::kDone) outcome.request = reader.take_request();
  if (outcome.state == State::kRefused) {
    const auto status = reader.status();
    fuzz::require(status == 400 || status == 413 || status == 431 || status == 501, "a refusal has a status");
    fuzz::require(!reader.why().empty(), "a refusal says why");
  }
  return outcome;
}

void check_request(const Incoming& request) {
  fuzz::require(request.target.starts_with('/'), "the target is a path");
  fuzz::require(request.body.size() <= RequestReader::kBodyLimit, "a body is within its limit");
  fuzz::require(request.path().size() + request.query().size() <= request.target.size(),
                "path and query are of the target");
  static_cast<void>(request.header("Host"));
}

void check_same(const Outcome& whole, const Outcome& cut) {
  // What is no request may be waited for in pieces, and refused as a whole.
  fuzz::require((whole.state == State::kDone) == (cut.state == State::kDone),
                "pieces are taken when the whole is");
  if (whole.state != State::kDone) return;
  fuzz::require(whole.request.method == cut.request.method && whole.request.target == cut.request.target &&
                    whole.request.body == cut.request.body &&
                    whole.request.keep_alive == cut.request.keep_alive && whole.left == cut.left,
                "pieces give the same request");
}

}  // namespace

ZKV_FUZZ_TARGET(http_request) {
  const auto bytes = fuzz::text_of({data, size});
  const auto whole = read(bytes, bytes.size());
  if (whole.state == State::kDone) check_request(whole.request);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) check_same(whole, read(bytes, step));
  return 0;
}

}  // namespace zkv::fuzz_http_request
