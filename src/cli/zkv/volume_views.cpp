// `zkv volume list|show|test`: looks at the volumes in a repository; nothing is changed.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/plain_text.h"
#include "host/boot.h"
#include "host/stop_on_signal.h"
#include "key_input.h"
#include "mount_report.h"
#include "stored_volumes.h"
#include "unlock/registry.h"
#include "volume_commands.h"

namespace zkv::cli {

namespace {

using Volumes = std::vector<repository::VolumeKeys::Volume>;

struct ViewOptions {
  KeyOptions key;
  bool plaintext = false;
  bool json = false;
  std::vector<std::string> names;
};

std::string or_dash(const std::string& text) { return text.empty() ? "-" : plain_text(text); }

void print_volume_table(Output& out, const Volumes& volumes, bool keys) {
  std::size_t name = 6;
  std::size_t device = 6;
  std::size_t place = 11;
  for (const auto& volume : volumes) {
    name = std::max(name, volume.name.size());
    device = std::max(device, volume.settings.device.size());
    place = std::max(place, volume.settings.mountpoint.size());
  }
  const auto line = [&](const auto& a, const auto& b, const auto& c, const auto& d, const auto& e) {
    out << fmt::format("{:<{}}  {:<7}  {:<{}}  {:<{}}  {}", a, name, b, c, device, d, place, e);
  };
  line("VOLUME", "KIND", "DEVICE", "MOUNT POINT", "OPTIONS");
  out << (keys ? "  KEY\n" : "\n");
  for (const auto& volume : volumes) {
    line(plain_text(volume.name), repository::to_text(volume.kind), or_dash(volume.settings.device),
         or_dash(volume.settings.mountpoint), or_dash(volume.settings.options));
    if (keys) (out << "  ").key(volume.key);
    out << "\n";
  }
}

Result<> list_volumes(Session& session, const ViewOptions& options) {
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_repository_key(session, options.key));
  ZKV_TRY(const auto opened, open_with_warning(session, key));
  Output out;
  if (options.json) {
    print_volumes_json(out, opened.keys.volumes(), options.plaintext);
  } else {
    print_volume_table(out, opened.keys.volumes(), options.plaintext);
  }
  return out.write();
}

/// What the machine says of the volume now, in words.
std::string state_now(const repository::VolumeKeys::Volume& volume) {
  for (const auto& unlocker : unlock::all_unlockers({})) {
    if (unlocker->kind() != volume.kind) continue;
    const auto states = unlocker->inspect({{volume.name, volume.settings}});
    if (!states) return plain_text(states.error().message());
    const auto& state = states->front();
    return "key " + key_word(state) + (state.is_mounted ? ", mounted" : "") +
           (state.is_mounted && !state.mountpoint.empty() ? " at " + plain_text(state.mountpoint) : "");
  }
  return "this version of zkv does not know its kind";
}

Result<> show_volume(Session& session, const ViewOptions& options) {
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_repository_key(session, options.key));
  ZKV_TRY(const auto opened, open_with_warning(session, key));
  Volumes volumes = opened.keys.volumes();
  std::erase_if(volumes, [&](const auto& volume) { return volume.name != options.names.front(); });
  if (volumes.empty()) {
    return Error::not_found("the repository holds no volume " + options.names.front())
        .remedy("'zkv volume list' shows what it holds");
  }
  const auto& volume = volumes.front();
  Output out;
  if (options.json) {
    print_volumes_json(out, volumes, options.plaintext);
    return out.write();
  }
  out << "name:         " << plain_text(volume.name) << "\nkind:         " << repository::to_text(volume.kind)
      << "\ndevice:       " << or_dash(volume.settings.device)
      << "\nmount point:  " << or_dash(volume.settings.mountpoint)
      << "\noptions:      " << or_dash(volume.settings.options)
      << "\nprogram:      " << or_dash(volume.settings.program) << "\nkey:          ";
  if (options.plaintext) {
    out.key(volume.key);
  } else {
    out << fmt::format("{} bytes", volume.key.size());
  }
  out << "\nnow:          " << state_now(volume) << "\n";
  return out.write();
}

ExitCode test_volumes(Session& session, const ViewOptions& options) {
  if (const auto there = check_there(session); !there) return report(there.error());
  auto key = read_repository_key(session, options.key);
  if (!key) return report(key.error());
  const host::StopOnSignal signals;
  const auto outcome =
      host::open_and_mount({.repository = session.repository,
                            .only = {options.names.begin(), options.names.end()},
                            .is_trial = true},
                           {std::move(*key), std::nullopt}, unlock::all_unlockers({}), signals.token());
  if (!outcome) return report(outcome.error());
  if (const auto printed = print_report(*outcome, options.json); !printed) return report(printed.error());
  return code_of_report(*outcome);
}

std::shared_ptr<ViewOptions> add_view_options(CLI::App& command) {
  auto options = std::make_shared<ViewOptions>();
  add_key_options(command, options->key);
  command.add_flag("--json", options->json, "as JSON");
  return options;
}

}  // namespace

void add_volume_views(CLI::App& volume, Session& session) {
  auto* list = volume.add_subcommand("list", "list the volumes");
  const auto listing = add_view_options(*list);
  list->add_flag("-p,--plaintext", listing->plaintext, "show the keys too");
  list->callback([&session, listing] { session.exit_code = finish(list_volumes(session, *listing)); });

  auto* show = volume.add_subcommand("show", "show one volume: its settings, and what it is doing now");
  const auto shown = add_view_options(*show);
  show->add_flag("-p,--plaintext", shown->plaintext, "show the key too");
  show->add_option("NAME", shown->names, "name of the volume")->required()->expected(1);
  show->callback([&session, shown] { session.exit_code = finish(show_volume(session, *shown)); });

  auto* test = volume.add_subcommand("test", "try whether each key would open its volume");
  const auto tried = add_view_options(*test);
  test->add_option("NAME", tried->names, "the volumes (default: all)");
  test->callback([&session, tried] { session.exit_code = test_volumes(session, *tried); });
}

}  // namespace zkv::cli
