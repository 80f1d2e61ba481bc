// `zkvgateway serve`: starts all parts, waits for a signal, and stops them in order.
#include <fmt/core.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "base/encoding.h"
#include "base/file.h"
#include "gateway.h"
#include "log.h"
#include "settings_flags.h"

namespace zkv::cli {

namespace {

constexpr auto kStopLimit = std::chrono::seconds(5);

/// The signals that `serve` waits for. They are blocked in every thread, so that only wait() sees them.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a write beyond a limit is an error like any other
  }
  [[nodiscard]] int wait() const {
    int signal = 0;
    while (::sigwait(&set_, &signal) != 0) continue;
    return signal;
  }

 private:
  sigset_t set_{};
};

/// As many descriptors as we may have: each waiting client is one.
void raise_descriptor_limit(unsigned connections) {
  constexpr rlim_t kForOurselves = 128;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = connections + kForOurselves;
  if (limit.rlim_cur < needed) {
    spdlog::warn(
        "the system allows {} descriptors, but {} connections need {} (LimitNOFILE=, or 'connections')",
        limit.rlim_cur, connections, needed);
  }
}

/// Few heaps for few threads: memory that one connection leaves is there for the next.
void keep_memory_small() {
  constexpr int kHeaps = 2;
  ::mallopt(M_ARENA_MAX, kHeaps);
}

void say_legacy(const gateway::Settings& settings) {
  if (!settings.legacy) return;
  spdlog::warn(
      "/request-keys is served: this mode has no host identity, it knows hosts by their address only{}",
      settings.legacy_allow.empty() ? ", and any address may ask (legacy-allow)" : "");
}

void wait_for_end(const Signals& signals, gateway::http::Server& server) {
  while (true) {
    const int signal = signals.wait();
    if (signal != SIGHUP) {
      spdlog::info("stopping: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      return;
    }
    server.reload_certificate();
  }
}

/// Two would each go on from what they have in memory, and one would not see what the other decided.
Result<FileLock> only_one(const gateway::Settings& settings) {
  // Not the lock of the database itself, which every program takes that makes or converts it.
  std::error_code failed;
  auto place = std::filesystem::weakly_canonical(settings.database, failed);
  if (failed) return Error::system("looking for " + settings.database.string(), failed.value());
  ZKV_TRY(auto lock, FileLock::try_acquire(place += ".serving"));
  if (lock) return std::move(*lock);
  return Error::exists("another gateway serves from the database " + settings.database.string())
      .remedy("stop that one first ('systemctl stop zkvgateway'), or give this one its own --data-dir");
}

Result<> run(const gateway::Settings& settings) {
  const Signals signals;
  ::umask(0077);
  keep_memory_small();
  raise_descriptor_limit(settings.connections);
  ZKV_TRY(const auto lock, only_one(settings));
  ZKV_TRY(auto loaded, gateway::Identity::load_or_make(settings.data_dir / "identity.key"));
  const auto identity = std::make_shared<const gateway::Identity>(std::move(loaded));
  spdlog::info("gateway id: {}", to_hex(identity->id()));
  ZKV_TRY(const auto service, start_service(settings, identity));
  ZKV_TRY(const auto server, gateway::http::Server::start(server_options(settings, identity), *service));
  say_legacy(settings);
  spdlog::info("listening on {}", server->address());
  sd_notifyf(0, "READY=1\nSTATUS=listening on %s", server->address().c_str());
  wait_for_end(signals, *server);
  sd_notify(0, "STOPPING=1\nSTATUS=telling waiting clients to come back");
  server->close_down();
  service->stop();
  server->finish(kStopLimit);
  spdlog::info("stopped");
  return {};
}

ExitCode serve(const Session& session) {
  const auto settings = load_settings_or_report(session);
  if (!settings) {
    report(settings.error());
    return ExitCode::kUsage;
  }
  set_up_log(settings->log_level);
  if (auto entered = enter_data_directory(*settings); !entered) return finish(entered);
  return finish(run(*settings));
}

}  // namespace

void add_serve_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("serve", "serve until SIGTERM; SIGHUP reads the certificate again");
  add_settings_flags(*command, session);
  command->callback([&session] { session.exit_code = serve(session); });
}

}  // namespace zkv::cli
