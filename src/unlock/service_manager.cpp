// StartTransientUnit and StartUnit of systemd's own D-Bus interface. Source: org.freedesktop.systemd1(5).
#include "unlock/service_manager.h"

#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "unlock/complaints.h"
#include "unlock/manager_bus.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kTimeToStop{100};  // beyond the limit: for systemd to end what did not end

struct Streams {
  FileDescriptor input;
  Complaints complaints;
};

class Manager {
 public:
  static Result<Manager> connect(const fs::path& socket) {
    ZKV_TRY(auto bus, ManagerBus::connect(socket));
    return Manager(std::move(bus));
  }

  /// The job that starts it. Nothing: there is such a unit.
  Result<std::optional<std::string>> start(const TransientService& service, const Streams& streams) {
    BusMessage call(bus_.f());
    ZKV_CHECK(bus_.begin_call(call, "StartTransientUnit"));
    call.append("ss", (service.unit + ".service").c_str(), "fail");
    append_properties(call, service, streams);
    call.append("a(sa(sv))", 0);
    ZKV_CHECK(ManagerBus::checked(call.result(), "describing a unit"));
    return bus_.job_of(call, "org.freedesktop.systemd1.UnitExists");
  }

  /// How it ended, in systemd's word: "done", or what went wrong.
  Result<std::string> end_of(const std::string& job, const TransientService& service,
                             BusClock::time_point until, const std::stop_token& stop) {
    auto end = bus_.end_of(job, until, stop);
    if (end || end.error().kind() != ErrorKind::kInterrupted) return end;
    auto late = bus_.end_of(job, BusClock::now() + service.time_to_finish);
    if (late || late.error().kind() != ErrorKind::kUnavailable) return late;
    ZKV_CHECK(this->stop(service.unit, BusClock::now() + kTimeToStop));
    forget(service.unit);
    return end;
  }

  /// `method`: StartUnit or RestartUnit.
  Result<> begin(const std::string& unit, const char* method) {
    BusMessage call(bus_.f());
    ZKV_CHECK(bus_.begin_call(call, method));
    call.append("ss", unit.c_str(), "replace");
    return bus_.job_of(call, {}).map([](const auto&) {});
  }

  Result<std::string> state_of(const std::string& unit) { return bus_.state_of(unit); }

  Result<> stop(const std::string& unit, BusClock::time_point until) {
    BusMessage call(bus_.f());
    ZKV_CHECK(bus_.begin_call(call, "StopUnit"));
    call.append("ss", (unit + ".service").c_str(), "replace");
    ZKV_TRY(const auto job, bus_.job_of(call, "org.freedesktop.systemd1.NoSuchUnit"));
    if (job) ZKV_CHECK(bus_.end_of(*job, until));
    return {};
  }

  /// A unit that failed stays until it is told to go.
  void forget(const std::string& unit) {
    BusMessage call(bus_.f());
    if (!bus_.begin_call(call, "ResetFailedUnit")) return;
    call.append("s", (unit + ".service").c_str());
    (void)bus_.ask(call, nullptr);
  }

  /// With which code the program of the unit ended; 128 + the signal's number when a signal ended it.
  Result<int> exit_code(const std::string& unit) {
    ZKV_TRY(const auto object, bus_.object_of(unit + ".service", "GetUnit"));
    BusMessage property(bus_.f());
    ZKV_CHECK(
        bus_.property(object, "org.freedesktop.systemd1.Service", "ExecStart", "a(sasbttttuii)", property));
    return read_exit_code(property);
  }

 private:
  explicit Manager(ManagerBus bus) : bus_(std::move(bus)) {}

  static void append_properties(BusMessage& call, const TransientService& service, const Streams& streams) {
    const auto& command = service.command;
    const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(command.limit).count();
    auto environment = command.environment;
    environment.emplace_back("LC_ALL=C");
    std::vector<std::string> words{command.program.string()};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    call.open('a', "(sv)");
    call.append("(sv)", "Description", "s", service.description.c_str());
    call.append("(sv)", "Type", "s", "forking");
    call.append("(sv)", "StandardInputFileDescriptor", "h", streams.input.get());
    call.append("(sv)", "StandardOutput", "s", "null");
    call.append("(sv)", "StandardErrorFileDescriptor", "h", streams.complaints.fd());
    call.append("(sv)", "TimeoutStartUSec", "t", static_cast<std::uint64_t>(limit));
    call.append("(sv)", "LimitCORE", "t", std::uint64_t{0});
    call.append_property("Environment", environment);
    call.append_property("Before", service.before);
    call.append_property("RequiresMountsFor", service.needs_paths);
    call.open('r', "sv");
    call.append("s", "ExecStart");
    call.open('v', "a(sasb)");
    call.open('a', "(sasb)");
    call.open('r', "sasb");
    call.append("s", command.program.c_str());
    call.append_words(words);
    call.append("b", 0);
    for (int i = 0; i < 5; ++i) call.shut();
  }

  Result<int> read_exit_code(const BusMessage& property) const {
    const auto& f = bus_.f();
    int how = 0;
    int code = 0;
    std::uint32_t pid = 0;
    ZKV_CHECK(ManagerBus::checked(f.enter(property.get(), 'a', "(sasbttttuii)"), "looking at a unit"));
    ZKV_CHECK(ManagerBus::checked(f.enter(property.get(), 'r', "sasbttttuii"), "looking at a unit"));
    ZKV_CHECK(ManagerBus::checked(f.skip(property.get(), "sasbtttt"), "looking at a unit"));
    ZKV_CHECK(ManagerBus::checked(f.read(property.get(), "uii", &pid, &how, &code), "looking at a unit"));
    return how == CLD_EXITED ? code : 128 + code;
  }

  ManagerBus bus_;
};

}  // namespace

bool can_use_manager(const fs::path& manager) {
  std::error_code failed;
  return ::geteuid() == 0 && fs::is_socket(manager, failed);
}

Result<Finished> run_as_service(const TransientService& service, const fs::path& socket,
                                const std::stop_token& stop) {
  const auto until = BusClock::now() + service.command.limit + kTimeToStop;
  ZKV_TRY(auto manager, Manager::connect(socket));
  ZKV_TRY(auto input, input_of(service.command.input));
  ZKV_TRY(auto complaints, Complaints::make());
  const Streams streams{std::move(input), std::move(complaints)};
  ZKV_TRY(auto job, manager.start(service, streams));
  if (!job) {
    ZKV_CHECK(manager.stop(service.unit, until));
    manager.forget(service.unit);
    ZKV_TRY(job, manager.start(service, streams));
  }
  if (!job) return Error::conflict("systemd has a unit " + service.unit + ".service already");
  ZKV_TRY(const auto end, manager.end_of(*job, service, until, stop));
  if (end == "done") return Finished{};
  const auto code = manager.exit_code(service.unit);
  manager.forget(service.unit);
  if (end == "timeout")
    return Error::unavailable(service.command.program.filename().string() + " did not end in time");
  if (!code) return tl::unexpected(code.error());
  return Finished{*code, {}, streams.complaints.text()};
}

Result<> stop_unfinished(const std::string& unit, const fs::path& socket) {
  ZKV_TRY(auto manager, Manager::connect(socket));
  ZKV_TRY(const auto state, manager.state_of(unit + ".service"));
  if (state != "activating" && state != "deactivating") return {};
  ZKV_CHECK(manager.stop(unit, BusClock::now() + kTimeToStop));
  manager.forget(unit);
  return {};
}

Result<> start_unit(const std::string& unit, const fs::path& socket) {
  ZKV_TRY(auto manager, Manager::connect(socket));
  return manager.begin(unit, "StartUnit");
}

Result<> restart_if(const std::string& unit, const std::vector<std::string>& states, const fs::path& socket) {
  ZKV_TRY(auto manager, Manager::connect(socket));
  ZKV_TRY(const auto state, manager.state_of(unit));
  if (std::find(states.begin(), states.end(), state) == states.end()) return {};
  return manager.begin(unit, "RestartUnit");
}

}  // namespace zkv::unlock
