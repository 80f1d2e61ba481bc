// `zkvgateway host invite|list|show|rename|revoke`: the hosts of this gateway.
#include <fmt/core.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <iostream>
#include <memory>
#include <utility>

#include "control_client.h"
#include "control_command.h"
#include "qr_output.h"
#include "table_output.h"

namespace zkv::cli {

namespace json = boost::json;

namespace {

constexpr std::uint64_t kNextBootSeconds = 7'200;

struct HostWords {
  std::string name;
  std::string new_name;
  std::string group;
  std::uint64_t seconds = 3'600;
  bool no_qr = false;
  bool yes = false;
  bool json = false;
};

/// A name as a part of a path. What could not be one of a host is not sent at all.
Result<std::string> path_of(const std::string& name) {
  const bool fits = !name.empty() && name.find_first_not_of(
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789._-") == std::string::npos;
  if (fits) return "/control/hosts/" + name;
  return Error::invalid("'" + name + "' is not the name of a host")
      .remedy("'zkvgateway host list' prints them");
}

Result<> invite(const Session& session, const HostWords& words) {
  ZKV_TRY(const auto client, ControlClient::find(session));
  const auto body =
      json::serialize(json::object{{"name", words.name}, {"group", words.group}, {"seconds", words.seconds}});
  ZKV_TRY(const auto document, client.send("POST", "/control/invites", body));
  if (words.json) {
    print_document(document);
    return {};
  }
  const auto url = member(document, "url");
  fmt::print("Run this as root on {}, once, before {}:\n\n  zkv enroll '{}'\n\n", words.name,
             member(document, "expires_at"), url);
  if (!words.no_qr && ::isatty(STDOUT_FILENO) == 1) fmt::print("{}", qr_code(url));
  return {};
}

/// Until when the next boot is approved; empty when it is not.
std::string next_boot_of(const json::value& host) {
  const auto& approval = host.at("next_boot");
  return approval.is_null() ? std::string() : "approved until " + member(approval, "until");
}

/// What its drift guard said last, in few words; empty when it never said anything.
std::string check_of(const json::value& host) {
  const auto& heartbeat = host.at("heartbeat");
  if (heartbeat.is_null()) return {};
  const auto count = member(heartbeat, "count");
  const auto* overdue = heartbeat.at("overdue").as_bool() ? ", overdue" : "";
  const auto words = count == "0" ? std::string("fine") : count + (count == "1" ? " finding" : " findings");
  return words + " at " + member(heartbeat, "at") + overdue;
}

Result<> list(const Session& session, const HostWords& words) {
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("GET", "/control/hosts"));
  if (words.json) {
    print_document(document);
    return {};
  }
  TableOutput table(
      {"NAME", "GROUP", "IDENTITY", "ENROLLED", "LAST SEEN", "FROM", "NEXT BOOT", "CHECK", "REVOKED"});
  for (const auto& host : document.at("hosts").as_array()) {
    table.add({member(host, "name"), member(host, "group"), member(host, "identity"),
               member(host, "enrolled_at"), member(host, "last_seen"), member(host, "last_address"),
               next_boot_of(host), check_of(host), member(host, "revoked_at")});
  }
  table.print();
  return {};
}

Result<> show(const Session& session, const HostWords& words) {
  ZKV_TRY(const auto path, path_of(words.name));
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(auto document, client.send("GET", path));
  if (words.json) {
    print_document(document);
  } else {
    const auto next_boot = next_boot_of(document);
    document.as_object()["next_boot"] = next_boot.empty() ? "not approved" : next_boot;
    const auto heartbeat = std::exchange(document.as_object()["heartbeat"], nullptr);
    const auto check = check_of(json::object{{"heartbeat", heartbeat}});
    document.as_object()["heartbeat"] = check.empty() ? "never" : check;
    print_members(document);
    if (heartbeat.is_null()) return {};
    for (const auto& line : heartbeat.at("findings").as_array()) {
      fmt::print("  {}\n", printable(json::value_to<std::string>(line)));
    }
  }
  return {};
}

Result<> rename(const Session& session, const HostWords& words) {
  ZKV_TRY(const auto path, path_of(words.name));
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("POST", path + "/rename", words.new_name));
  fmt::print("{} is now {}\n", words.name, member(document, "name"));
  return {};
}

bool is_meant(const HostWords& words) {
  if (words.yes) return true;
  if (::isatty(STDIN_FILENO) != 1) return false;
  fmt::print(stderr,
             "{} will be able to open its volumes only by its other slots (the recovery key, say).\n"
             "Its share is destroyed for ever. Type the host's name to go on: ",
             words.name);
  std::string answer;
  return std::getline(std::cin, answer) && answer == words.name;
}

Result<> revoke(const Session& session, const HostWords& words) {
  ZKV_TRY(const auto path, path_of(words.name));
  if (!is_meant(words)) {
    return Error::invalid("nothing was revoked").remedy("type the host's name when asked, or give --yes");
  }
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("POST", path + "/revoke"));
  fmt::print("{} is revoked, and its share was destroyed at {}\n", member(document, "name"),
             member(document, "share_destroyed_at"));
  return {};
}

Result<> approve_boot(const Session& session, const HostWords& words) {
  ZKV_TRY(const auto path, path_of(words.name));
  ZKV_TRY(const auto client, ControlClient::find(session));
  const auto body = json::serialize(json::object{{"seconds", words.seconds}});
  ZKV_TRY(const auto document, client.send("POST", path + "/next-boot", body));
  fmt::print("The next boot of {} is approved until {}, for one request.\n", words.name,
             member(document, "until"));
  return {};
}

Result<> take_back_boot(const Session& session, const HostWords& words) {
  ZKV_TRY(const auto path, path_of(words.name));
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_CHECK(client.send("DELETE", path + "/next-boot"));
  fmt::print("The next boot of {} waits for somebody again.\n", words.name);
  return {};
}

/// Adds a command that does `work` with what was said.
CLI::App* add(CLI::App& parent, Session& session, const std::shared_ptr<HostWords>& words,
              const std::string& name, const std::string& help,
              Result<> (*work)(const Session&, const HostWords&)) {
  auto* command = add_control_command(parent, session, name, help);
  command->callback([&session, words, work] { session.exit_code = finish(work(session, *words)); });
  return command;
}

void add_name(CLI::App& command, HostWords& words) {
  command.add_option("name", words.name, "the host's name or id")->required()->type_name("NAME");
}

void add_json(CLI::App& command, HostWords& words) { command.add_flag("--json", words.json, "for programs"); }

}  // namespace

void add_host_commands(CLI::App& app, Session& session) {
  auto* host = app.add_subcommand("host", "machines that ask this gateway");
  host->require_subcommand(1);
  auto words = std::make_shared<HostWords>();

  auto* inviting =
      add(*host, session, words, "invite", "print a link by which one machine may enrol", invite);
  inviting->add_option("name", words->name, "what the host will be called")->required()->type_name("NAME");
  inviting->add_option("--group", words->group, "the group it will belong to")->type_name("GROUP");
  add_expires(*inviting, words->seconds);
  inviting->add_flag("--no-qr", words->no_qr, "no QR code");
  add_json(*inviting, *words);

  add_json(*add(*host, session, words, "list", "print the hosts", list), *words);

  auto* showing = add(*host, session, words, "show", "print all that is known of one host", show);
  add_name(*showing, *words);
  add_json(*showing, *words);

  auto* renaming = add(*host, session, words, "rename", "give a host another name", rename);
  add_name(*renaming, *words);
  renaming->add_option("new-name", words->new_name, "its new name")->required()->type_name("NEW-NAME");

  auto within = std::make_shared<HostWords>();
  within->seconds = kNextBootSeconds;
  auto* approving = add(*host, session, within, "approve-boot",
                        "approve a host's next boot beforehand, for one request", approve_boot);
  add_name(*approving, *within);
  add_time(*approving, "--within", within->seconds,
           "how long it can be used, as in 30m, 2h (default), at most 1d");
  add_name(*add(*host, session, words, "take-back-boot", "let the next boot wait for somebody again",
                take_back_boot),
           *words);

  auto* revoking = add(*host, session, words, "revoke",
                       "release nothing to a host any more, and destroy its share", revoke);
  add_name(*revoking, *words);
  revoking->add_flag("--yes", words->yes, "do not ask");
}

}  // namespace zkv::cli
