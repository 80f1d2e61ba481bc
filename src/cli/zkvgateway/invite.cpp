// `zkvgateway invite list|withdraw`: links by which a host or a person can still come.
#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "control_client.h"
#include "control_command.h"
#include "table_output.h"

namespace zkv::cli {

namespace json = boost::json;

namespace {

struct InviteWords {
  std::string id;
  bool json = false;
};

Result<> list_invites(const Session& session, const InviteWords& words) {
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("GET", "/control/invites"));
  if (words.json) {
    print_document(document);
    return {};
  }
  TableOutput table({"ID", "OF", "NAME", "GROUP OR ROLE", "MADE", "EXPIRES"});
  for (const auto& invite : document.at("invites").as_array()) {
    const bool is_host = member(invite, "kind") == "host";
    table.add({member(invite, "id"), is_host ? "a host" : "a person", member(invite, "name"),
               member(invite, is_host ? "group" : "role"), member(invite, "created_at"),
               member(invite, "expires_at")});
  }
  table.print();
  return {};
}

Result<> withdraw_invite(const Session& session, const InviteWords& words) {
  if (words.id.empty() || words.id.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Error::invalid("'" + printable(words.id) + "' is not the id of an invite")
        .remedy("'zkvgateway invite list' prints them");
  }
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("POST", "/control/invites/" + words.id + "/withdrawal"));
  fmt::print("the invite of {} is withdrawn\n", printable(member(document, "name")));
  return {};
}

}  // namespace

void add_invite_commands(CLI::App& app, Session& session) {
  auto* invite = app.add_subcommand("invite", "links that were made and not used yet");
  invite->require_subcommand(1);
  auto words = std::make_shared<InviteWords>();

  auto* listing = add_control_command(*invite, session, "list", "print the invites that can still be used");
  listing->add_flag("--json", words->json, "for programs");
  listing->callback([&session, words] { session.exit_code = finish(list_invites(session, *words)); });

  auto* ending = add_control_command(*invite, session, "withdraw", "let an invite serve nobody any more");
  ending->add_option("id", words->id, "its id, as 'invite list' prints it")->required()->type_name("ID");
  ending->callback([&session, words] { session.exit_code = finish(withdraw_invite(session, *words)); });
}

}  // namespace zkv::cli
