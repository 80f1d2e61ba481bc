// `zkv agent`: what the unit of the boot runs. As `zkv mount`, and it hands keys to systemd at the sockets
// that it was given.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "host/key_server.h"
#include "host/listening.h"
#include "host/service_notify.h"
#include "key_source.h"
#include "renewing.h"
#include "unlock/crypt_open.h"
#include "unlock/hand_over.h"
#include "unlock/service_manager.h"

namespace zkv::cli {

namespace {

constexpr std::chrono::seconds kBetweenLooks{1};

struct AgentOptions {
  KeySourceOptions source;
  OpenOptions open;
  std::filesystem::path crypttab = "/etc/crypttab";
  std::filesystem::path manager = unlock::kServiceManager;
};

void tell_journal(const std::string& line) {
  static_cast<void>(std::fprintf(stderr, "zkv: %s\n", line.c_str()));
}

bool is_mapped(const std::string& name) {
  std::error_code failed;
  return std::filesystem::exists("/dev/mapper/" + name, failed);
}

/// The keys that others fetch, and who hands them out. Nobody is answered before the keys are there or it is
/// known that there will be none: to wait is what they have connected for.
class Counter {
 public:
  explicit Counter(std::vector<host::Listening> sockets) : sockets_(std::move(sockets)) {}
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  ~Counter() {
    shelf_.clear();
    open();
  }

  unlock::KeyShelf& shelf() { return shelf_; }

  void open() {
    if (server_ || sockets_.empty()) return;
    server_.emplace(std::move(sockets_), shelf_, host::KeyServerOptions{.say = tell_journal});
  }

  /// Until there is nothing left that anybody could ask for, or a stop is asked for.
  void serve(const std::stop_token& stop) {
    std::string status;
    while (server_ && !stop.stop_requested() && is_wanted()) {
      const auto seen = shelf_.changes();
      if (auto line = status_line(); line != status) host::notify_status(status = std::move(line));
      const auto handed_out = shelf_.volumes_handed_out();
      shelf_.await_change(seen, handed_out.empty() ? std::chrono::hours(24) : kBetweenLooks, stop);
      for (const auto& name : handed_out) drop_if_open(name);
    }
    if (stop.stop_requested()) host::notify_status("stopped: nothing is served any more");
  }

 private:
  [[nodiscard]] bool is_wanted() const {
    return (shelf_.count(unlock::ShelfKind::kVolume) > 0 && server_->serves(host::Wanted::Kind::kVolume)) ||
           (shelf_.count(unlock::ShelfKind::kSecret) > 0 && server_->serves(host::Wanted::Kind::kCredential));
  }

  [[nodiscard]] std::string status_line() const {
    const auto secrets = shelf_.count(unlock::ShelfKind::kSecret);
    const auto volumes = shelf_.count(unlock::ShelfKind::kVolume);
    std::string line =
        "all volumes are open; serving " + std::to_string(secrets) + (secrets == 1 ? " secret" : " secrets");
    if (volumes > 0) line += " and the keys of " + std::to_string(volumes) + " more";
    return line;
  }

  /// systemd may ask again while it has not succeeded.
  void drop_if_open(const std::string& name) {
    if (is_mapped(name)) shelf_.drop(unlock::ShelfKind::kVolume, name);
  }

  std::vector<host::Listening> sockets_;
  unlock::KeyShelf shelf_;
  std::optional<host::KeyServer> server_;
};

/// What waits for the volumes waits for this target, which asserts a file that is there as long as the unit's
/// folder is. From here, and not by programs that the unit runs: those cost more than opening the volumes.
Result<> let_dependents_start(const std::filesystem::path& manager) {
  const char* folder = std::getenv("RUNTIME_DIRECTORY");
  if (folder == nullptr) return {};
  ZKV_CHECK(replace_file(std::filesystem::path(folder) / "mounted", {}));
  auto started = unlock::start_unit("zfs-keyvault.target", manager);
  if (started) return {};
  return std::move(started)
      .error()
      .context("all is open, but what waits for it does not start")
      .remedy("systemctl start zfs-keyvault.target");
}

ExitCode open_and_serve(Opening opening, unlock::Preparation& preparation, Counter& counter, Session& session,
                        const AgentOptions& options, const host::StopOnSignal& signals) {
  auto lines = unlock::lines_that_ask(options.crypttab);
  if (!lines) tell_journal("warning: " + lines.error().message());
  opening.hand_over = unlock::HandOver{&counter.shelf(), lines.value_or(std::vector<unlock::CrypttabLine>())};
  opening.hand_over->may_have_key = [&signals](const repository::VolumeKeys::Volume& volume) -> Result<> {
    // systemd would fail to open it once more.
    if (is_mapped(volume.name)) return Error::exists(volume.name + " is open already");
    auto checked = unlock::check_header(volume, {}, signals.token());
    // What is not there yet, as the disk of a line with noauto, cannot be looked at.
    if (!checked && checked.error().kind() == ErrorKind::kNotFound) return {};
    return checked;
  };
  opening.hand_over->say = tell_journal;
  opening.hand_over->restart_if = [&](const std::string& name, const std::vector<std::string>& states) {
    static_cast<void>(unlock::restart_if(name, states, options.manager));
  };
  opening.on_keys = [&, hand_over = *opening.hand_over](const repository::VolumeKeys& keys) {
    unlock::stock_shelf(keys, hand_over);
    counter.open();
  };
  opening.on_done = [&]() -> Result<> {
    host::notify_status("all volumes are open");
    ZKV_CHECK(let_dependents_start(options.manager));
    host::notify_ready();
    return {};
  };
  const ExitCode code = open_volumes(std::move(opening), preparation, session, options.open, signals);
  if (code != ExitCode::kDone) return code;
  static_cast<void>(renew_copies(session));  // Now, and not when the machine goes down.
  counter.serve(signals.token());
  return code;
}

ExitCode run_agent(Session& session, const AgentOptions& options) {
  Counter counter(host::take_listening_sockets());
  auto preparation = prepare_opening(options.open);
  return with_repository_key(
      session, options.source, [&](Opening opening, const host::StopOnSignal& signals) {
        return open_and_serve(std::move(opening), preparation, counter, session, options, signals);
      });
}

}  // namespace

void add_agent_command(CLI::App& app, Session& session) {
  auto* command =
      app.add_subcommand("agent", "what zfs-keyvault.service runs: mount, and hand keys to systemd");
  auto options = std::make_shared<AgentOptions>();
  options->source.gateway.tpm_wait = kTpmWaitAtBoot;
  add_key_source_options(*command, options->source);
  add_opening_options(*command, options->open);
  command->add_option("--crypttab", options->crypttab, "whose volumes systemd opens with keys from here")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--manager", options->manager, "systemd's own socket")
      ->type_name("SOCKET")
      ->capture_default_str();
  command->callback([options, &session] { session.exit_code = run_agent(session, *options); });
}

}  // namespace zkv::cli
