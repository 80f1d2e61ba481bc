// `zkvgateway audit list|verify`: reads the chained log beside a running gateway.
#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <memory>

#include "base/encoding.h"
#include "gateway/audit/row.h"
#include "gateway/store/store.h"
#include "settings_flags.h"
#include "table_output.h"

namespace zkv::cli {

namespace json = boost::json;
using gateway::audit::Row;

namespace {

constexpr std::size_t kPage = 500;

/// Opens the database as its owner. Errors: kNotFound when there is none.
Result<std::unique_ptr<gateway::Store>> open_store(const Session& session) {
  ZKV_TRY(const auto settings, load_settings_or_report(session));
  ZKV_CHECK(need_database(settings));
  ZKV_CHECK(enter_data_directory(settings));
  return gateway::Store::open(settings.database);
}

/// Calls `visit` with every row, in order; ends with its first error.
Result<std::uint64_t> each_row(gateway::Store& store, const std::function<Result<>(const Row&)>& visit) {
  std::uint64_t next = 1;
  while (true) {
    ZKV_TRY(const auto rows, store.audit_rows(next, kPage));
    if (rows.empty()) return next - 1;
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
  fmt::print("{}\n", json::serialize(json::object{{"number", row.number},
                                                  {"at", to_text(event.at)},
                                                  {"kind", event.kind},
                                                  {"request", event.request},
                                                  {"actor", event.actor},
                                                  {"detail", event.detail},
                                                  {"hash", to_hex(row.hash)}}));
}

Result<> list(const Session& session, bool as_json) {
  ZKV_TRY(const auto store, open_store(session));
  return each_row(*store,
                  [&](const Row& row) -> Result<> {
                    as_json ? print_json(row) : print_row(row);
                    return {};
                  })
      .map([](std::uint64_t) {});
}

Result<> verify(const Session& session) {
  ZKV_TRY(const auto store, open_store(session));
  crypto::Sha256 previous{};
  std::uint64_t expected = 1;
  ZKV_TRY(const auto count, each_row(*store, [&](const Row& row) -> Result<> {
            ZKV_CHECK(gateway::audit::verify(row, expected++, previous));
            previous = row.hash;
            return {};
          }));
  fmt::print("{} rows, each unchanged and in its place; the last hash is {}\n", count, to_hex(previous));
  return {};
}

}  // namespace

void add_audit_commands(CLI::App& app, Session& session) {
  auto* audit = app.add_subcommand("audit", "the audit log");
  audit->require_subcommand(1);
  const std::vector<std::string> settings{"data-dir", "sqlalchemy-database-uri"};

  auto* listing = audit->add_subcommand("list", "print it, oldest first");
  auto as_json = std::make_shared<bool>(false);
  listing->add_flag("--json", *as_json, "for programs: one object a line");
  add_settings_flags(*listing, session, settings);
  listing->callback([&session, as_json] { session.exit_code = finish(list(session, *as_json)); });

  auto* verifying = audit->add_subcommand("verify", "fail if a row was changed, deleted or reordered");
  add_settings_flags(*verifying, session, settings);
  verifying->callback([&session] { session.exit_code = finish(verify(session)); });
}

}  // namespace zkv::cli
