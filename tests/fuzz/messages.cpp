// The bodies of version 2's messages; the first byte says of which.
#include "protocol/messages.h"

#include <array>

#include "fuzz.h"
#include "protocol/heartbeat.h"

namespace zkv::fuzz_messages {
namespace {

using namespace zkv::protocol;  // NOLINT(google-build-using-namespace)

template <class Message>
void check(std::span<const std::uint8_t> body) {
  const auto message = read_body<Message>(body);
  if (!message) return fuzz::require_words(message.error());
  const std::string written = to_body(*message);
  if (written.size() > kLargestEnvelope) return;
  const auto again = read_body<Message>(bytes_of(written));
  fuzz::require(again && to_body(*again) == written, "a message written and read again is the same");
}

constexpr std::array kChecks{
    check<GatewayStatement>, check<Enrolment>, check<RequestMessage>, check<Word>,
    check<Release>,          check<Tombstone>, check<Heartbeat>,      check<HeartbeatAnswer>};

}  // namespace

ZKV_FUZZ_TARGET(messages) {
  fuzz::Pieces pieces({data, size});
  const auto which = pieces.byte() % kChecks.size();
  kChecks.at(which)(pieces.rest());
  return 0;
}

}  // namespace zkv::fuzz_messages
