// `zkvgateway request list|show|approve|deny|discard`: what a person logged in at the gateway does with
// requests.
#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_to.hpp>
#include <memory>

#include "control_client.h"
#include "control_command.h"
#include "table_output.h"

namespace zkv::cli {

namespace json = boost::json;

namespace {

struct RequestWords {
  std::vector<std::string> ids;
  std::string reason;
  bool all = false;
  bool json = false;
};

/// The id as the gateway writes it: in upper case, and the letters that are left out read as the digits that
/// they look like. Source: Crockford's base32.
Result<std::string> read_id(const std::string& id) {
  std::string read = id;
  for (auto& c : read) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
  }
  const bool fits =
      !read.empty() && read.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string::npos;
  if (fits) return read;
  return Error::invalid("'" + id + "' is not the id of a request")
      .remedy("'zkvgateway request list' prints them");
}

std::string word_of(const json::value& request, const char* name) {
  return request.as_object().contains(name) ? member(request, name) : std::string();
}

/// What a request is for, in few words; nothing for one of the first protocol, which does not say.
std::string wanted_by(const json::value& request) {
  const auto& object = request.as_object();
  if (object.contains("next_boot")) return "its next boot";
  if (object.contains("drill")) return "a drill";
  if (object.contains("new_keys")) return "new keys";
  const auto* volumes = object.if_contains("volumes");
  if (volumes == nullptr) return {};
  const auto count = volumes->as_array().size();
  return fmt::format("{} volume{}", count, count == 1 ? "" : "s");
}

Result<> list(const Session& session, const RequestWords& words) {
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document,
          client.send("GET", words.all ? "/control/requests?all=1" : "/control/requests"));
  if (words.json) {
    print_document(document);
    return {};
  }
  TableOutput table(
      {"ID", "STATE", "HOST", "NUMBER", "WANTS", "ADDRESS", "CREATED", "EXPIRES", "DECIDED BY"});
  for (const auto& request : document.at("requests").as_array()) {
    table.add({member(request, "id"), member(request, "state"), member(request, "host"),
               word_of(request, "number"), wanted_by(request), member(request, "address"),
               member(request, "created_at"), member(request, "expires_at"), member(request, "decided_by")});
  }
  for (const auto& id : document.at("damaged").as_array()) {
    table.add({json::value_to<std::string>(id), "damaged", "", "", "", "", "", "", ""});
  }
  table.print();
  if (!document.at("damaged").as_array().empty()) {
    fmt::print(stderr,
               "zkvgateway: nobody can approve what is damaged; 'zkvgateway doctor' says what to do\n");
  }
  return {};
}

Result<> show(const Session& session, const RequestWords& words) {
  ZKV_TRY(const auto id, read_id(words.ids.front()));
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("GET", "/control/requests/" + id));
  if (words.json) {
    print_document(document);
    return {};
  }
  print_members(document);
  return {};
}

/// Does one thing with each id; the rest goes on when one fails.
ExitCode decide_each(const Session& session, const RequestWords& words, const std::string& verb) {
  const auto client = ControlClient::find(session);
  if (!client) return finish(tl::unexpected(client.error()));
  ExitCode code = ExitCode::kDone;
  for (const auto& id : words.ids) {
    const auto decided = read_id(id).and_then([&](const std::string& read) {
      return client->send("POST", fmt::format("/control/requests/{}/{}", read, verb), words.reason);
    });
    if (decided) {
      fmt::print("{}: {}\n", member(*decided, "id"), member(*decided, "state"));
    } else {
      report(decided.error());
      code = ExitCode::kFailed;
    }
  }
  return code;
}

Result<> approve_all(const Session& session) {
  ZKV_TRY(const auto client, ControlClient::find(session));
  ZKV_TRY(const auto document, client.send("POST", "/control/approve-all"));
  fmt::print("approved: {}\n", member(document, "approved"));
  return {};
}

ExitCode approve(const Session& session, const RequestWords& words) {
  if (words.all == words.ids.empty())
    return words.all ? finish(approve_all(session)) : decide_each(session, words, "approve");
  fmt::print(stderr, "zkvgateway: give the ids of requests, or --all-pending\n");
  return ExitCode::kUsage;
}

}  // namespace

void add_request_commands(CLI::App& app, Session& session) {
  auto* request = app.add_subcommand("request", "requests of hosts");
  request->require_subcommand(1);
  auto words = std::make_shared<RequestWords>();

  auto* listing = add_control_command(*request, session, "list", "print the requests that wait for a person");
  listing->add_flag("--all", words->all, "those that have ended as well");
  listing->add_flag("--json", words->json, "for programs");
  listing->callback([&session, words] { session.exit_code = finish(list(session, *words)); });

  auto* showing = add_control_command(*request, session, "show", "print all that is known of one request");
  showing->add_option("id", words->ids, "its id")->required()->expected(1)->type_name("ID");
  showing->add_flag("--json", words->json, "for programs");
  showing->callback([&session, words] { session.exit_code = finish(show(session, *words)); });

  auto* approving = add_control_command(*request, session, "approve", "approve requests");
  approving->add_option("id", words->ids, "their ids")->type_name("ID");
  approving->add_flag("--all-pending", words->all, "all that wait now");
  approving->callback([&session, words] { session.exit_code = approve(session, *words); });

  auto* denying = add_control_command(*request, session, "deny", "deny requests");
  denying->add_option("id", words->ids, "their ids")->required()->type_name("ID");
  denying->add_option("--reason", words->reason, "kept in the audit log")->type_name("TEXT");
  denying->callback([&session, words] { session.exit_code = decide_each(session, *words, "deny"); });

  auto* discarding = add_control_command(*request, session, "discard",
                                         "delete what is damaged in the database; its host asks anew");
  discarding->add_option("id", words->ids, "their ids")->required()->type_name("ID");
  discarding->callback([&session, words] { session.exit_code = decide_each(session, *words, "discard"); });
}

}  // namespace zkv::cli
