// `zkvgateway audit list|export|verify`: reads the chained log beside a running gateway, or an export of it.
#include "gateway/audit/export.h"

#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <fstream>
#include <functional>
#include <memory>

#include "approval_check.h"
#include "base/encoding.h"
#include "decided_check.h"
#include "gateway/audit/checkpoint.h"
#include "gateway/audit/verifier.h"
#include "gateway/identity/identity.h"
#include "gateway/store/store.h"
#include "settings_flags.h"
#include "table_output.h"

namespace zkv::cli {

namespace json = boost::json;
using gateway::audit::Row;
using gateway::audit::Verifier;

namespace {

constexpr std::size_t kPage = 500;

struct AuditWords {
  bool json = false;
  std::filesystem::path file;  ///< an export, to be verified in place of the database
  std::string key;             ///< the gateway's id (hex) or its signing key (base64), known from elsewhere
};

/// Opens the database as its owner. Errors: kNotFound when there is none.
Result<std::unique_ptr<gateway::Store>> open_store(const gateway::Settings& settings) {
  ZKV_CHECK(need_database(settings));
  ZKV_CHECK(enter_data_directory(settings));
  return gateway::Store::open(settings.database);
}

/// Calls `visit` with every row, in order; ends with its first error.
Result<> each_row(gateway::Store& store, const std::function<Result<>(const Row&)>& visit) {
  std::uint64_t next = 1;
  while (true) {
    ZKV_TRY(const auto rows, store.audit_rows(next, kPage));
    if (rows.empty()) return {};
    for (const auto& row : rows) ZKV_CHECK(visit(row));
    next = rows.back().number + 1;
  }
}

void print_row(const Row& row) {
  const auto& event = row.event;
  fmt::print("{}  {}  {}  {}  {}  {}\n", row.number, to_text(event.at), printable(event.kind),
             event.request.empty() ? "-" : printable(event.request),
             event.actor.empty() ? "-" : printable(event.actor), printable(event.detail));
}

void print_json(const Row& row) {
  const auto& event = row.event;
  print_document(json::object{{"number", row.number},
                              {"at", to_text(event.at)},
                              {"kind", event.kind},
                              {"request", event.request},
                              {"actor", event.actor},
                              {"detail", event.detail},
                              {"hash", to_hex(row.hash)}});
}

Result<> list(const Session& session, const AuditWords& words) {
  ZKV_TRY(const auto settings, load_settings_or_report(session));
  ZKV_TRY(const auto store, open_store(settings));
  return each_row(*store, [&](const Row& row) -> Result<> {
    words.json ? print_json(row) : print_row(row);
    return {};
  });
}

Result<gateway::Identity> identity_of(const gateway::Settings& settings) {
  const auto path = settings.data_dir / "identity.key";
  std::error_code failed;
  if (std::filesystem::exists(path, failed)) return gateway::Identity::load_or_make(path);
  return Error::not_found("there is no identity of a gateway at " + path.string())
      .remedy("it is made when the gateway first serves");
}

/// Nothing in an export is to stand behind the last checkpoint: there, whoever has the file could change it.
Result<> sign_all(gateway::Store& store, const gateway::Identity& identity) {
  return store.transaction([&]() -> Result<> {
    ZKV_TRY(const auto head, store.audit_head());
    if (!head || head->event.kind == gateway::audit::kCheckpointKind) return {};
    const auto at = now();
    const auto envelope = gateway::audit::seal({head->number, head->hash, at}, identity.signing());
    return store.append({at, std::string(gateway::audit::kCheckpointKind), "", "gateway", envelope});
  });
}

Result<> export_rows(const Session& session, const AuditWords& /*words*/) {
  ZKV_TRY(const auto settings, load_settings_or_report(session));
  ZKV_TRY(const auto store, open_store(settings));
  ZKV_TRY(const auto identity, identity_of(settings));
  ZKV_CHECK(sign_all(*store, identity));
  fmt::print("{}\n", gateway::audit::export_head(identity.signing().verifying_key()));
  return each_row(*store, [](const Row& row) -> Result<> {
    fmt::print("{}\n", gateway::audit::export_line(row));
    return {};
  });
}

/// Both checks of one log.
struct Checks {
  Verifier chain;
  ApprovalCheck approvals;

  Result<> take(const Row& row) {
    ZKV_CHECK(chain.take(row));
    return approvals.take(row);
  }
};

void print_outcome(const Checks& checks) {
  const auto& verifier = checks.chain;
  fmt::print("{} rows, each unchanged and in its place; the last hash is {}\n", verifier.rows(),
             to_hex(verifier.last_hash()));
  fmt::print("{} decisions by passkey, each signature checked again\n", checks.approvals.checked());
  fmt::print("{} other acts confirmed by passkey, the same\n", checks.approvals.confirmations());
  if (checks.approvals.by_code() > 0) {
    fmt::print(
        "{} decisions by a code of an authenticator app: nobody signed these, the log alone tells of them\n",
        checks.approvals.by_code());
  }
  if (verifier.checkpoints() == 0) {
    fmt::print(
        "no checkpoint is signed yet: whoever could write the database could have rewritten all of it\n");
    return;
  }
  fmt::print("{} signed checkpoints; the gateway's key vouches for the first {} rows\n",
             verifier.checkpoints(), verifier.vouched_for());
}

Result<> verify_database(const Session& session) {
  ZKV_TRY(const auto settings, load_settings_or_report(session));
  ZKV_TRY(const auto store, open_store(settings));
  const auto identity = identity_of(settings);
  if (!identity && identity.error().kind() != ErrorKind::kNotFound) return Error(identity.error());
  std::optional<crypto::VerifyingKey> key;
  std::optional<gateway::audit::Checkpoint> kept;
  if (identity) {
    key = identity->signing().verifying_key();
    ZKV_TRY(kept, gateway::audit::load_checkpoint(settings.data_dir / "audit.checkpoint", *key));
  }
  Checks checks{Verifier(key), {}};
  if (kept) checks.chain.watch_for(kept->number);
  DecidedCheck decided;
  ZKV_CHECK(decided.look_at(*store));
  ZKV_CHECK(each_row(*store, [&](const Row& row) {
    decided.take(row);
    return checks.take(row);
  }));
  if (kept) ZKV_CHECK(checks.chain.check_holds(*kept));
  ZKV_CHECK(decided.check_all_found());
  print_outcome(checks);
  return {};
}

/// Whether `key` is what is known of the gateway: its id, or the key itself.
bool is_known_as(const crypto::VerifyingKey& key, const std::string& known) {
  return known == to_hex(protocol::key_id(key)) || known == to_base64(key, Base64::kUrlNoPadding);
}

/// Whether it has the form of one of them.
bool is_key(const std::string& known) {
  const auto id = from_hex(known);
  const auto key = from_base64(known, Base64::kUrlNoPadding);
  return (id && id->size() == sizeof(protocol::KeyId)) ||
         (key && key->size() == sizeof(crypto::VerifyingKey));
}

Result<> verify_export(const AuditWords& words) {
  if (!is_key(words.key)) {
    return Error::invalid("'" + printable(words.key) + "' is no id of a gateway")
        .remedy("give the 64 hex digits that the gateway says in its log when it starts");
  }
  std::ifstream file(words.file);
  if (!file) return Error::not_found("cannot read " + words.file.string());
  std::string line;
  std::getline(file, line);
  auto key = gateway::audit::read_export_head(line);
  if (!key) return std::move(key).error().context(words.file.string() + ": line 1");
  if (!is_known_as(*key, words.key)) {
    return Error::denied(words.file.string() + " comes from another gateway than the one that --key names")
        .remedy("the gateway says its id in its log when it starts");
  }
  Checks checks{Verifier(*key), {}};
  for (std::uint64_t number = 2; std::getline(file, line); ++number) {
    const auto row = gateway::audit::read_export_line(line);
    if (!row) return Error(row.error()).context(fmt::format("{}: line {}", words.file.string(), number));
    ZKV_CHECK(checks.take(*row));
  }
  print_outcome(checks);
  fmt::print(
      "of rows after number {} a file tells nothing: hold number and last hash against "
      "'zkvgateway audit verify' at the gateway\n",
      checks.chain.rows());
  return checks.chain.check_ends_signed();
}

Result<> verify(const Session& session, const AuditWords& words) {
  if (words.file.empty()) return verify_database(session);
  if (!words.key.empty()) return verify_export(words);
  return Error::invalid("an export is verified by the gateway's key, as you know it from elsewhere")
      .remedy("give --key ID, the gateway's id in hex");
}

CLI::App* add(CLI::App& parent, Session& session, const std::shared_ptr<AuditWords>& words,
              const std::string& name, const std::string& help,
              Result<> (*work)(const Session&, const AuditWords&)) {
  auto* command = parent.add_subcommand(name, help);
  add_settings_flags(*command, session, {"data-dir", "sqlalchemy-database-uri"});
  command->callback([&session, words, work] { session.exit_code = finish(work(session, *words)); });
  return command;
}

}  // namespace

void add_audit_commands(CLI::App& app, Session& session) {
  auto* audit = app.add_subcommand("audit", "the audit log");
  audit->require_subcommand(1);
  auto words = std::make_shared<AuditWords>();
  add(*audit, session, words, "list", "print it, oldest first", list)
      ->add_flag("--json", words->json, "for programs: one object a line");
  add(*audit, session, words, "export", "print it with all that its hashes cover, to be verified elsewhere",
      export_rows);
  auto* verifying = add(*audit, session, words, "verify",
                        "fail if a row was changed, deleted, inserted, reordered or cut off", verify);
  verifying->add_option("--file", words->file, "verify this export, without the database")->type_name("FILE");
  verifying->add_option("--key", words->key, "with --file: the gateway's id, known from elsewhere")
      ->type_name("ID");
}

}  // namespace zkv::cli
