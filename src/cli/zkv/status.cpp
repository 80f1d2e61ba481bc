// `zkv status`: every volume of the machine, whether its key is loaded, whether it is mounted, its last
// unlock; and the gateways that it is enrolled with.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "host/drift_record.h"
#include "host/enrolment.h"
#include "host/unlock_record.h"
#include "output.h"
#include "stored_volumes.h"
#include "unlock/registry.h"

#include "commands.h"

namespace zkv::cli {

namespace {

struct Row {
  std::string kind;
  unlock::VolumeState state;
  host::LastUnlock last;
};

/// With the names of those that were taken in and never opened.
host::UnlockRecord with_taken_in(host::UnlockRecord record, const host::DriftRecord& remembered) {
  for (const auto& [name, volume] : remembered.volumes) {
    record.try_emplace(name, host::LastUnlock{volume.kind, {}, {}, {}, volume.settings});
  }
  return record;
}

/// The volumes that the machine has, and those that were opened once and are gone. A kind that this machine
/// cannot tell of has none where none was opened either: zfs(8) may be installed without its kernel module.
Result<std::vector<Row>> rows_of(unlock::Unlocker& unlocker, const host::UnlockRecord& record) {
  std::map<std::string, Row> rows;
  std::vector<unlock::VolumeRef> opened_once;
  for (const auto& [name, last] : record) {
    if (last.kind == unlocker.name()) opened_once.push_back({name, last.settings});
  }
  auto found = unlocker.discover();
  if (!found && opened_once.empty()) return std::vector<Row>();
  if (!found) return std::move(found).error();
  std::set<std::string> known_devices;
  ZKV_TRY(const auto known, unlocker.inspect(opened_once));
  for (const auto& state : known) {
    rows[state.name] = {std::string(unlocker.name()), state, record.find(state.name)->second};
    if (!state.device.empty()) known_devices.insert(state.device);
  }
  for (const auto& state : *found) {
    const bool is_known = rows.contains(state.name) || known_devices.contains(state.device);
    if (!is_known) rows[state.name] = {std::string(unlocker.name()), state, {}};
  }
  std::vector<Row> sorted;
  sorted.reserve(rows.size());
  for (auto& [name, row] : rows) sorted.push_back(std::move(row));
  return sorted;
}

std::string opened_text(const host::LastUnlock& last) {
  return last.opened == Time{} ? "" : to_text(last.opened);
}

void print_table(const std::vector<Row>& rows, Output& output) {
  std::size_t width = 6;
  for (const auto& row : rows) width = std::max(width, row.state.name.size());
  output << fmt::format("{:<{}}  {:<7}  {:<12}  {:<7}  {}\n", "VOLUME", width, "KIND", "KEY", "MOUNTED",
                        "LAST UNLOCK");
  for (const auto& row : rows) {
    const auto opened = opened_text(row.last);
    output << fmt::format("{:<{}}  {:<7}  {:<12}  {:<7}  {}\n", row.state.name, width, row.kind,
                          key_word(row.state), row.state.is_mounted ? "yes" : "no",
                          opened.empty() ? "never" : opened);
  }
}

void print_enrolments(const std::vector<host::Enrolment>& enrolments, Output& output) {
  for (const auto& enrolment : enrolments) {
    output << "Enrolled with " << enrolment.address << " as " << enrolment.name
           << (enrolment.in_tpm ? ", by a key in its TPM\n" : ", by a key in a file\n");
  }
}

void print_json(const std::vector<host::Enrolment>& enrolments, Output& output) {
  output << "\"enrolments\":[";
  for (const auto& enrolment : enrolments) {
    if (&enrolment != &enrolments.front()) output << ",";
    output << "{\"gateway\":";
    output.json(enrolment.address) << ",\"name\":";
    output.json(enrolment.name) << ",\"identity\":";
    output.json(enrolment.in_tpm ? "tpm" : "file") << "}";
  }
  output << "]";
}

void print_json(const std::vector<Row>& rows, Output& output) {
  output << "\"volumes\":[";
  for (const auto& row : rows) {
    if (&row != &rows.front()) output << ",";
    output << "{\"volume\":";
    output.json(row.state.name) << ",\"kind\":";
    output.json(row.kind) << ",\"key\":";
    output.json(key_word(row.state)) << (row.state.is_mounted ? ",\"mounted\":true" : ",\"mounted\":false");
    output << ",\"mountpoint\":";
    output.json(row.state.mountpoint) << ",\"last_unlock\":";
    const auto opened = opened_text(row.last);
    if (opened.empty()) {
      output << "null";
    } else {
      output.json(opened);
    }
    output << ",\"last_result\":";
    output.json(row.last.result) << "}";
  }
  output << "]";
}

void print_drill(Time drilled, Output& output) {
  if (drilled != Time{}) output << "The last drill went well at " << to_text(drilled) << "\n";
}

struct Shown {
  std::vector<Row> rows;
  std::vector<host::Enrolment> enrolments;
  Time drilled = {};     ///< when a drill last went well; the epoch: never
  bool is_whole = true;  ///< else a kind is missing, and stderr says why
};

Result<Shown> find_out(const std::filesystem::path& repository) {
  Shown shown;
  ZKV_TRY(shown.enrolments, host::EnrolmentFolder(repository).all());
  const auto remembered = host::read_drift_record(host::default_drift_path()).value_or(host::DriftRecord());
  shown.drilled = remembered.drilled;
  auto opened = host::read_record(host::default_record_path());
  if (!opened) {
    report(opened.error());
    shown.is_whole = false;
  }
  const auto record = with_taken_in(std::move(opened).value_or(host::UnlockRecord()), remembered);
  for (const auto& unlocker : unlock::all_unlockers({})) {
    auto part = rows_of(*unlocker, record);
    if (!part) {
      report(std::move(part).error().context(unlocker->name()));
      shown.is_whole = false;
      continue;
    }
    std::move(part->begin(), part->end(), std::back_inserter(shown.rows));
  }
  return shown;
}

Result<> print_status(const Shown& shown, bool as_json) {
  const auto& [rows, enrolments, drilled, is_whole] = shown;
  Output output;
  if (!as_json) {
    print_table(rows, output);
    print_enrolments(enrolments, output);
    print_drill(drilled, output);
    return output.write();
  }
  output << "{";
  print_json(rows, output);
  output << ",";
  print_json(enrolments, output);
  output << ",\"last_drill\":";
  if (drilled == Time{}) {
    output << "null";
  } else {
    output.json(to_text(drilled));
  }
  output << "}\n";
  return output.write();
}

ExitCode show_status(const std::filesystem::path& repository, bool as_json) {
  const auto shown = find_out(repository);
  if (!shown) return finish(tl::unexpected(shown.error()));
  const ExitCode printed = finish(print_status(*shown, as_json));
  return shown->is_whole ? printed : ExitCode::kFailed;
}

}  // namespace

void add_status_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("status", "show volumes: key, mount, last unlock; and enrolments");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "print JSON");
  command->callback([as_json, &session] { session.exit_code = show_status(session.repository, *as_json); });
}

}  // namespace zkv::cli
