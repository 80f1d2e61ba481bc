// StartTransientUnit and StartUnit of systemd's own D-Bus interface, spoken over its private socket, so that
// no bus daemon is needed. Source: org.freedesktop.systemd1(5).
#include "unlock/service_manager.h"

#include <unistd.h>
#include <csignal>

#include <array>
#include <cerrno>
#include <optional>

#include "base/file.h"
#include "unlock/bus_library.h"
#include "unlock/complaints.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

using BusClock = std::chrono::steady_clock;

constexpr const char* kDestination = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr std::size_t kMostInput = 4096;          // what a pipe always takes without blocking
constexpr std::chrono::seconds kTimeToStop{100};  // beyond the limit: for systemd to end what did not end

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// A message that is read or built. After a failed step of building the others do nothing.
class Message {
 public:
  explicit Message(const BusFunctions& bus) : bus_(bus) {}
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { bus_.unref(message_); }

  [[nodiscard]] sd_bus_message** out() { return &message_; }
  [[nodiscard]] sd_bus_message* get() const { return message_; }
  [[nodiscard]] int result() const { return result_; }

  void keep(int result) {
    if (result < 0 && result_ >= 0) result_ = result;
  }
  template <class... Values>
  void append(const char* types, Values... values) {
    keep(bus_.append(message_, types, values...));
  }
  void open(char type, const char* contents) { keep(bus_.open(message_, type, contents)); }
  void shut() { keep(bus_.shut(message_)); }
  void append_words(std::vector<std::string> words) {
    keep(bus_.append_strings(message_, pointers_to(words).data()));
  }
  void append_property(const char* name, const std::vector<std::string>& words) {
    open('r', "sv");
    append("s", name);
    open('v', "as");
    append_words(words);
    shut();
    shut();
  }

 private:
  const BusFunctions& bus_;
  sd_bus_message* message_ = nullptr;
  int result_ = 0;
};

struct Streams {
  FileDescriptor input;
  Complaints complaints;
};

class Manager {
 public:
  static Result<Manager> connect(const fs::path& socket) {
    ZKV_TRY(auto functions, load_bus_functions());
    sd_bus* bus = nullptr;
    if (functions->make(&bus) < 0) return Error::internal("no D-Bus connection can be made");
    Manager manager(std::move(functions), bus);
    ZKV_CHECK(
        manager.checked(manager.f().set_address(bus, ("unix:path=" + socket.string()).c_str()), "address"));
    ZKV_CHECK(manager.checked(manager.f().start(bus), "connecting"));
    return manager;
  }

  /// The outcome of its start, in systemd's word: "done", or what went wrong. Nothing: there is such a unit.
  Result<std::optional<std::string>> start(const TransientService& service, const Streams& streams,
                                           BusClock::time_point until) {
    Message call(f());
    ZKV_CHECK(begin_call(call, "StartTransientUnit"));
    call.append("ss", (service.unit + ".service").c_str(), "fail");
    append_properties(call, service, streams);
    call.append("a(sa(sv))", 0);
    ZKV_CHECK(checked(call.result(), "describing a unit"));
    ZKV_TRY(const auto job, job_of(call, "org.freedesktop.systemd1.UnitExists"));
    if (!job) return std::optional<std::string>();
    return end_of(*job, until).map([](std::string word) { return std::optional(std::move(word)); });
  }

  Result<> begin(const std::string& unit) {
    Message call(f());
    ZKV_CHECK(begin_call(call, "StartUnit"));
    call.append("ss", unit.c_str(), "replace");
    return job_of(call, {}).map([](const auto&) {});
  }

  Result<> stop(const std::string& unit, BusClock::time_point until) {
    Message call(f());
    ZKV_CHECK(begin_call(call, "StopUnit"));
    call.append("ss", (unit + ".service").c_str(), "replace");
    ZKV_TRY(const auto job, job_of(call, "org.freedesktop.systemd1.NoSuchUnit"));
    if (job) ZKV_CHECK(end_of(*job, until));
    return {};
  }

  /// A unit that failed stays until it is told to go.
  void forget(const std::string& unit) {
    Message call(f());
    if (!begin_call(call, "ResetFailedUnit")) return;
    call.append("s", (unit + ".service").c_str());
    (void)ask(call, nullptr);
  }

  /// With which code the program of the unit ended; 128 + the signal's number when a signal ended it.
  Result<int> exit_code(const std::string& unit) {
    Message call(f());
    Message answer(f());
    ZKV_CHECK(begin_call(call, "GetUnit"));
    call.append("s", (unit + ".service").c_str());
    ZKV_CHECK(checked(ask(call, answer.out()), "finding a unit"));
    const char* path = nullptr;
    ZKV_CHECK(checked(f().read(answer.get(), "o", &path), "finding a unit"));
    Message property(f());
    ZKV_CHECK(checked(f().get_property(bus_.get(), kDestination, path, "org.freedesktop.systemd1.Service",
                                       "ExecStart", nullptr, property.out(), "a(sasbttttuii)"),
                      "looking at a unit"));
    return read_exit_code(property);
  }

 private:
  struct Close {
    std::shared_ptr<const BusFunctions> functions;
    void operator()(sd_bus* bus) const { functions->close(bus); }
  };

  Manager(std::shared_ptr<const BusFunctions> functions, sd_bus* bus)
      : bus_(bus, Close{std::move(functions)}) {}

  [[nodiscard]] const BusFunctions& f() const { return *bus_.get_deleter().functions; }

  [[nodiscard]] Result<> checked(int result, const std::string& doing) const {
    if (result >= 0) return {};
    return Error::system("systemd: " + doing, -result);
  }

  Result<> begin_call(Message& call, const char* method) {
    return checked(f().new_call(bus_.get(), call.out(), kDestination, kObject, kManager, method), method);
  }

  int ask(const Message& call, sd_bus_message** answer) {
    return f().call(bus_.get(), call.get(), 0, nullptr, answer);
  }

  /// The job that the call began; none when the answer is the error of that name.
  Result<std::optional<std::string>> job_of(const Message& call, std::string_view none) {
    Message answer(f());
    sd_bus_error error{};
    const int result = f().call(bus_.get(), call.get(), 0, &error, answer.out());
    const bool is_none = error.name != nullptr && error.name == none;
    const std::string said = error.message == nullptr ? std::string() : error.message;
    f().error_free(&error);
    if (is_none) return std::optional<std::string>();
    if (result < 0 && !said.empty()) return Error::io("systemd: " + said);
    ZKV_CHECK(checked(result, "asking for a unit"));
    const char* job = nullptr;
    ZKV_CHECK(checked(f().read(answer.get(), "o", &job), "asking for a unit"));
    return std::optional(std::string(job));
  }

  /// How that job ended, in systemd's word.
  Result<std::string> end_of(const std::string& job, BusClock::time_point until) {
    while (true) {
      Message message(f());
      const int more = f().process(bus_.get(), message.out());
      ZKV_CHECK(checked(more, "waiting for a unit"));
      if (message.get() != nullptr && f().is_signal(message.get(), kManager, "JobRemoved") > 0) {
        std::uint32_t number = 0;
        const char* path = nullptr;
        const char* unit = nullptr;
        const char* word = nullptr;
        ZKV_CHECK(
            checked(f().read(message.get(), "uoss", &number, &path, &unit, &word), "waiting for a unit"));
        if (path == job) return std::string(word);
      }
      if (more > 0) continue;
      const auto left = std::chrono::ceil<std::chrono::microseconds>(until - BusClock::now());
      if (left.count() <= 0) return Error::unavailable("systemd did not start it in time");
      ZKV_CHECK(
          checked(f().wait(bus_.get(), static_cast<std::uint64_t>(left.count())), "waiting for a unit"));
    }
  }

  static void append_properties(Message& call, const TransientService& service, const Streams& streams) {
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

  Result<int> read_exit_code(const Message& property) const {
    int how = 0;
    int code = 0;
    std::uint32_t pid = 0;
    ZKV_CHECK(checked(f().enter(property.get(), 'a', "(sasbttttuii)"), "looking at a unit"));
    ZKV_CHECK(checked(f().enter(property.get(), 'r', "sasbttttuii"), "looking at a unit"));
    ZKV_CHECK(checked(f().skip(property.get(), "sasbtttt"), "looking at a unit"));
    ZKV_CHECK(checked(f().read(property.get(), "uii", &pid, &how, &code), "looking at a unit"));
    return how == CLD_EXITED ? code : 128 + code;
  }

  std::unique_ptr<sd_bus, Close> bus_;
};

}  // namespace

bool can_use_manager(const fs::path& manager) {
  std::error_code failed;
  return ::geteuid() == 0 && fs::is_socket(manager, failed);
}

Result<Finished> run_as_service(const TransientService& service, const fs::path& socket) {
  const auto until = BusClock::now() + service.command.limit + kTimeToStop;
  ZKV_TRY(auto manager, Manager::connect(socket));
  ZKV_TRY(auto input, input_of(service.command.input));
  ZKV_TRY(auto complaints, Complaints::make());
  const Streams streams{std::move(input), std::move(complaints)};
  ZKV_TRY(auto end, manager.start(service, streams, until));
  if (!end) {
    ZKV_CHECK(manager.stop(service.unit, until));
    manager.forget(service.unit);
    ZKV_TRY(end, manager.start(service, streams, until));
  }
  if (!end) return Error::conflict("systemd has a unit " + service.unit + ".service already");
  if (*end == "done") return Finished{};
  const auto code = manager.exit_code(service.unit);
  manager.forget(service.unit);
  if (*end == "timeout")
    return Error::unavailable(service.command.program.filename().string() + " did not end in time");
  if (!code) return tl::unexpected(code.error());
  return Finished{*code, {}, streams.complaints.text()};
}

Result<> start_unit(const std::string& unit, const fs::path& socket) {
  ZKV_TRY(auto manager, Manager::connect(socket));
  return manager.begin(unit);
}

}  // namespace zkv::unlock
