// `zkvgateway approver invite|list|show|revoke`: the people who may decide requests.
#include <fmt/core.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>

#include "control_client.h"
#include "control_command.h"
#include "qr_output.h"
#include "table_output.h"

namespace zkv::cli {

namespace json = boost::json;

namespace {

struct ApproverWords {
  std::string name;
  std::string role = "approver";
  std::uint64_t seconds = 3'600;
  bool no_qr = false;
  bool yes = false;
  bool json = false;
};

Result<> invite_approver(const Session& session, const ApproverWords& words) {
  ZKV_TRY(const auto client, ControlClient::find(session));
  const auto body =
      json::serialize(json::object{{"name", words.name}, {"role", words.role}, {"seconds", words.seconds}});
  ZKV_TRY(const auto document, client.send("POST", "/control/approvers", body));
  if (words.json) {
    print_document(document);
    return {};
  }
  const auto url = member(document, "url");
  fmt::print("Let {} open this on the phone that will hold the passkey, once, before {}:\n\n  {}\n\n",
             printable(words.name), member(document, "expires_at"), url);
  if (!words.no_qr && ::isatty(STDOUT_FILENO) == 1) fmt::print("{}", qr_code(url));
  return {};
}

Result<> list_approvers(const Session& session, const ApproverWords& words) {
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("GET", "/control/approvers"));
  if (words.json) {
    print_document(document);
    return {};
  }
  TableOutput table({"NAME", "ROLE", "SINCE", "PASSKEYS", "LAST USED"});
  for (const auto& approver : document.at("approvers").as_array()) {
    table.add({member(approver, "name"), member(approver, "role"), member(approver, "created_at"),
               std::to_string(approver.at("passkeys").as_array().size()), member(approver, "last_used")});
  }
  table.print();
  return {};
}

void print_approver(const json::value& approver) {
  for (const auto* name : {"name", "role", "id", "created_at", "last_used"}) {
    fmt::print("{:<20}{}\n", name, printable(member(approver, name)));
  }
  fmt::print("{:<20}{}\n", "recovery codes", json::serialize(approver.at("recovery_codes")) + " left");
  TableOutput table({"PASSKEY", "SINCE", "LAST USED", "COPIED"});
  for (const auto& passkey : approver.at("passkeys").as_array()) {
    table.add({member(passkey, "label"), member(passkey, "created_at"), member(passkey, "last_used"),
               passkey.at("backed_up").as_bool() ? "yes" : "no"});
  }
  fmt::print("\n");
  table.print();
}

Result<> show_approver(const Session& session, const ApproverWords& words) {
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("GET", "/control/approvers"));
  for (const auto& approver : document.at("approvers").as_array()) {
    if (member(approver, "name") != words.name && member(approver, "id") != words.name) continue;
    if (words.json) {
      print_document(approver);
    } else {
      print_approver(approver);
    }
    return {};
  }
  return Error::not_found(fmt::format("there is no approver '{}'", words.name))
      .remedy("'zkvgateway approver list' prints them");
}

bool is_revocation_meant(const ApproverWords& words) {
  if (words.yes) return true;
  if (::isatty(STDIN_FILENO) != 1) return false;
  fmt::print(stderr, "The passkeys of {} will decide nothing any more. Type the approver's name to go on: ",
             printable(words.name));
  std::string answer;
  return std::getline(std::cin, answer) && answer == words.name;
}

Result<> revoke_approver(const Session& session, const ApproverWords& words) {
  if (!is_revocation_meant(words)) {
    return Error::invalid("nobody was revoked").remedy("type the approver's name when asked, or give --yes");
  }
  ZKV_TRY(const auto client, ControlClient::find(session));
  const auto body = json::serialize(json::object{{"approver", words.name}});
  ZKV_TRY(const auto document, client.send("POST", "/control/approvers/revoke", body));
  fmt::print("{} is revoked\n", printable(member(document, "name")));
  return {};
}

/// Adds a command that does `work` with what was said.
CLI::App* add_word(CLI::App& parent, Session& session, const std::shared_ptr<ApproverWords>& words,
                   const std::string& name, const std::string& help,
                   Result<> (*work)(const Session&, const ApproverWords&)) {
  auto* command = add_control_command(parent, session, name, help);
  command->callback([&session, words, work] { session.exit_code = finish(work(session, *words)); });
  return command;
}

void add_approver_name(CLI::App& command, ApproverWords& words) {
  command.add_option("name", words.name, "the approver's name or id")->required()->type_name("NAME");
}

void add_json_flag(CLI::App& command, ApproverWords& words) {
  command.add_flag("--json", words.json, "for programs");
}

}  // namespace

void add_approver_commands(CLI::App& app, Session& session) {
  auto* approver = app.add_subcommand("approver", "people who decide requests");
  approver->require_subcommand(1);
  auto words = std::make_shared<ApproverWords>();

  auto* inviting = add_word(*approver, session, words, "invite",
                            "print a link by which one person registers a passkey", invite_approver);
  inviting->add_option("name", words->name, "what the approver will be called")
      ->required()
      ->type_name("NAME");
  inviting->add_option("--role", words->role, "approver (default) decides; owner also invites and revokes")
      ->check(CLI::IsMember({"owner", "approver"}))
      ->type_name("ROLE");
  add_expires(*inviting, words->seconds);
  inviting->add_flag("--no-qr", words->no_qr, "no QR code");
  add_json_flag(*inviting, *words);

  add_json_flag(*add_word(*approver, session, words, "list", "print the approvers", list_approvers), *words);

  auto* showing =
      add_word(*approver, session, words, "show", "print an approver and the passkeys", show_approver);
  add_approver_name(*showing, *words);
  add_json_flag(*showing, *words);

  auto* revoking = add_word(*approver, session, words, "revoke", "end an approver's passkeys and sessions",
                            revoke_approver);
  add_approver_name(*revoking, *words);
  revoking->add_flag("--yes", words->yes, "do not ask");
}

}  // namespace zkv::cli
