// What a host hears: a gateway's answers in the first protocol, and in version 2 with its problem documents;
// and the address of whoever connects to ask for a key.
#include "host/answer.h"

#include "answers.h"
#include "host/gateway_link.h"
#include "host/peer.h"

namespace zkv::fuzz_host_answer {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow{std::chrono::milliseconds(1'795'000'000'000)};

bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

void check_address(std::string_view address) {
  const auto wanted = host::parse_wanted(address);
  if (!wanted) return fuzz::require_words(wanted.error());
  for (const auto& word : {wanted->name, wanted->unit}) {
    fuzz::require(std::ranges::none_of(word, [](char c) { return is_control(c) || c < 0 || c == '/'; }),
                  "a name is one plain word");
  }
  fuzz::require(!wanted->name.empty(), "a name is not empty");
}

void check_first_protocol(std::span<const std::uint8_t> bytes) {
  auto response = fuzz::answer_of(bytes);
  const auto id = host::request_id(response);
  fuzz::require(std::ranges::none_of(id, [](char c) { return is_control(c) || c < 0; }), "an id is plain");
  const long status = response.status;
  const auto answer = host::interpret(std::move(response), kNow);
  if (const auto* key = std::get_if<host::KeyGiven>(&answer)) {
    fuzz::require(status == 200 && !key->key.empty(), "a key comes with 200 alone");
    fuzz::require(std::ranges::none_of(key->key.view(), is_control), "a key is one line");
  } else if (const auto* ended = std::get_if<host::Ended>(&answer)) {
    fuzz::require_words(ended->error);
  } else {
    const auto& again = std::get<host::TryAgain>(answer);
    fuzz::require(!again.why.empty() && (!again.wait || *again.wait >= 0ms), "one waits forward in time");
  }
}

void check_version2(std::span<const std::uint8_t> bytes) {
  const host::Exchange exchange = [bytes](const auto&, const auto&) {
    return Result<net::HttpResponse>(fuzz::answer_of(bytes));
  };
  const host::GatewayLink link("https://gateway.example", protocol::KeyId{}, exchange);
  const auto answer = link.get("/v2/requests", 1s, {});
  fuzz::require(answer.has_value(), "every answer is read");
  fuzz::require(answer->status < 400 || !answer->detail.empty(), "a problem has words");
  fuzz::require(std::ranges::none_of(answer->detail, is_control), "a problem's words steer no terminal");
  fuzz::require(answer->problem.find('/') == std::string::npos, "a problem's name is a word");
  if (const auto statement = link.statement(1s, {}); !statement) fuzz::require_words(statement.error());
}

}  // namespace

ZKV_FUZZ_TARGET(host_answer) {
  check_address(fuzz::text_of({data, size}));
  check_first_protocol({data, size});
  check_version2({data, size});
  return 0;
}

}  // namespace zkv::fuzz_host_answer
