// sd-bus's blocking calls, and its signals for how a job ends.
#include "unlock/manager_bus.h"

#include <algorithm>

namespace zkv::unlock {

namespace {

constexpr const char* kDestination = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr std::chrono::microseconds kLooksAtStop{200'000};  // the most between two

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

void BusMessage::append_words(std::vector<std::string> words) {
  keep(bus_.append_strings(message_, pointers_to(words).data()));
}

void BusMessage::append_property(const char* name, const std::vector<std::string>& words) {
  open('r', "sv");
  append("s", name);
  open('v', "as");
  append_words(words);
  shut();
  shut();
}

Result<ManagerBus> ManagerBus::connect(const std::filesystem::path& socket) {
  ZKV_TRY(auto functions, load_bus_functions());
  sd_bus* bus = nullptr;
  if (functions->make(&bus) < 0) return Error::internal("no D-Bus connection can be made");
  ManagerBus manager(std::move(functions), bus);
  ZKV_CHECK(checked(manager.f().set_address(bus, ("unix:path=" + socket.string()).c_str()), "address"));
  ZKV_CHECK(checked(manager.f().start(bus), "connecting"));
  return manager;
}

Result<> ManagerBus::checked(int result, const std::string& doing) {
  if (result >= 0) return {};
  return Error::system("systemd: " + doing, -result);
}

Result<> ManagerBus::begin_call(BusMessage& call, const char* method) {
  return checked(f().new_call(bus_.get(), call.out(), kDestination, kObject, kManager, method), method);
}

int ManagerBus::ask(const BusMessage& call, sd_bus_message** answer) {
  return f().call(bus_.get(), call.get(), 0, nullptr, answer);
}

Result<std::optional<std::string>> ManagerBus::job_of(const BusMessage& call, std::string_view none) {
  BusMessage answer(f());
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

Result<std::string> ManagerBus::end_of(const std::string& job, BusClock::time_point until,
                                       const std::stop_token& stop) {
  while (true) {
    BusMessage message(f());
    const int more = f().process(bus_.get(), message.out());
    ZKV_CHECK(checked(more, "waiting for a unit"));
    if (message.get() != nullptr && f().is_signal(message.get(), kManager, "JobRemoved") > 0) {
      std::uint32_t number = 0;
      const char* path = nullptr;
      const char* unit = nullptr;
      const char* word = nullptr;
      ZKV_CHECK(checked(f().read(message.get(), "uoss", &number, &path, &unit, &word), "waiting for a unit"));
      if (path == job) return std::string(word);
    }
    if (more > 0) continue;
    if (stop.stop_requested()) return Error::interrupted("stopped while systemd was at it");
    auto left = std::chrono::ceil<std::chrono::microseconds>(until - BusClock::now());
    if (left.count() <= 0) return Error::unavailable("systemd did not start it in time");
    if (stop.stop_possible()) left = std::min(left, kLooksAtStop);
    ZKV_CHECK(checked(f().wait(bus_.get(), static_cast<std::uint64_t>(left.count())), "waiting for a unit"));
  }
}

Result<std::string> ManagerBus::object_of(const std::string& unit, const char* method) {
  BusMessage call(f());
  BusMessage answer(f());
  ZKV_CHECK(begin_call(call, method));
  call.append("s", unit.c_str());
  ZKV_CHECK(checked(ask(call, answer.out()), "finding a unit"));
  const char* path = nullptr;
  ZKV_CHECK(checked(f().read(answer.get(), "o", &path), "finding a unit"));
  return std::string(path);
}

Result<std::string> ManagerBus::state_of(const std::string& unit) {
  ZKV_TRY(const auto object, object_of(unit, "LoadUnit"));
  BusMessage answer(f());
  ZKV_CHECK(property(object, "org.freedesktop.systemd1.Unit", "ActiveState", "s", answer));
  const char* state = nullptr;
  ZKV_CHECK(checked(f().read(answer.get(), "s", &state), "looking at a unit"));
  return std::string(state);
}

Result<> ManagerBus::property(const std::string& object, const char* interface, const char* name,
                              const char* type, BusMessage& answer) {
  return checked(f().get_property(bus_.get(), kDestination, object.c_str(), interface, name, nullptr,
                                  answer.out(), type),
                 "looking at a unit");
}

}  // namespace zkv::unlock
