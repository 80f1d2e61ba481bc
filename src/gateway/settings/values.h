// From the text of a value to its type: numbers, switches, addresses, lists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/settings/settings.h"

namespace zkv::gateway {

/// Errors of all: kInvalid; the message starts with the quoted value.
Result<unsigned> parse_number(std::string_view text, unsigned least, unsigned most);
/// true, false, yes, no, on, off, 1, 0, in any case.
Result<bool> parse_switch(std::string_view text);
/// ADDRESS:PORT, [ADDRESS]:PORT or localhost:PORT.
Result<ListenAddress> parse_listen(std::string_view text);
Result<std::vector<Network>> parse_networks(std::string_view text);
/// The same of those that are believed: none that is nearly the whole Internet.
Result<std::vector<Network>> parse_proxies(std::string_view text);
/// An outside address: https, or http to loopback only. The trailing slash is taken off.
Result<std::string> parse_outside_url(std::string_view text);
/// The address of ourselves as others see it: http or https, without query.
Result<std::string> parse_public_url(std::string_view text);
/// sqlite:////absolute/path, as SQLAlchemy writes it.
Result<std::filesystem::path> parse_database_uri(std::string_view text);
/// E.164: a plus and 7 to 15 digits.
Result<std::string> parse_phone_number(std::string_view text);
/// mailto:NAME@HOST or an https address. Source: RFC 8292, 2.1.
Result<std::string> parse_push_subject(std::string_view text);
/// Host names, those with "*." before them for all below, or origins: https, or http on this machine.
Result<std::vector<std::string>> parse_push_hosts(std::string_view text);
/// Names of hosts' groups.
Result<std::vector<std::string>> parse_groups(std::string_view text);
Result<std::string> parse_choice(std::string_view text, std::vector<std::string_view> choices);

}  // namespace zkv::gateway
