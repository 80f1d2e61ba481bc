// The values of settings one by one, and addresses and networks; the first byte says which.
#include "gateway/settings/values.h"

#include "fuzz.h"

namespace zkv::fuzz_settings_values {
namespace {

using namespace zkv::gateway;  // NOLINT(google-build-using-namespace)

/// What a value was read as is read as the same again.
void check_stays(std::string_view text, Result<std::string> (*parse)(std::string_view)) {
  const auto value = parse(text);
  if (!value) return fuzz::require_words(value.error());
  const auto again = parse(*value);
  fuzz::require(again && *again == *value, "a value that was taken is taken as it is");
}

void check_outside_url(std::string_view text) { check_stays(text, parse_outside_url); }
void check_public_url(std::string_view text) { check_stays(text, parse_public_url); }
void check_phone_number(std::string_view text) { check_stays(text, parse_phone_number); }

void check_address(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) return;
  fuzz::require(text.find('\0') == std::string_view::npos, "an address is read to its end");
  fuzz::require(parse_address(to_text(*address)) == address, "an address written and read again is the same");
  const auto network = Network::parse(text);
  fuzz::require(network && network->contains(*address), "an address alone is a network of one");
}

void check_listen(std::string_view text) {
  const auto listen = parse_listen(text);
  if (!listen) return fuzz::require_words(listen.error());
  const auto written = "[" + to_text(listen->host) + "]:" + std::to_string(listen->port);
  const auto again = parse_listen(written);
  fuzz::require(again && again->host == listen->host && again->port == listen->port,
                "an address to listen on, written and read again, is the same");
}

void check_networks(std::string_view text) {
  const auto networks = parse_networks(text);
  if (!networks) return fuzz::require_words(networks.error());
  fuzz::require(networks->size() <= text.size(), "there are no more networks than characters");
}

void check_database_uri(std::string_view text) {
  const auto path = parse_database_uri(text);
  if (!path) return fuzz::require_words(path.error());
  fuzz::require(path->is_absolute(), "a database has an absolute path");
}

void check_small(std::string_view text) {
  if (const auto number = parse_number(text, 4, 18)) {
    fuzz::require(*number >= 4 && *number <= 18, "a number is within its bounds");
  } else {
    fuzz::require_words(number.error());
  }
  if (const auto state = parse_switch(text); !state) fuzz::require_words(state.error());
  if (const auto choice = parse_choice(text, {"embedded", "azure"}); !choice) {
    fuzz::require_words(choice.error());
  }
}

void check_push_subject(std::string_view text) { check_stays(text, parse_push_subject); }

void check_push_hosts(std::string_view text) {
  const auto hosts = parse_push_hosts(text);
  if (!hosts) return fuzz::require_words(hosts.error());
  for (const auto& host : *hosts) {
    const auto again = parse_push_hosts(host);
    fuzz::require(again && *again == std::vector{host}, "a host that was taken is taken as it is");
  }
}

constexpr std::array kChecks{check_outside_url,  check_public_url, check_phone_number, check_address,
                             check_listen,       check_networks,   check_database_uri, check_small,
                             check_push_subject, check_push_hosts};

}  // namespace

ZKV_FUZZ_TARGET(settings_values) {
  fuzz::Pieces pieces({data, size});
  const auto which = pieces.byte() % kChecks.size();
  kChecks.at(which)(fuzz::text_of(pieces.rest()));
  return 0;
}

}  // namespace zkv::fuzz_settings_values
