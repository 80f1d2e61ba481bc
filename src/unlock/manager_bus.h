// A connection to the service manager over its own private socket, so that no bus daemon is needed.
// Source: org.freedesktop.systemd1(5).
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "unlock/bus_library.h"

namespace zkv::unlock {

using BusClock = std::chrono::steady_clock;

/// A message that is read or built. After a failed step of building the others do nothing.
class BusMessage {
 public:
  explicit BusMessage(const BusFunctions& bus) : bus_(bus) {}
  BusMessage(const BusMessage&) = delete;
  BusMessage& operator=(const BusMessage&) = delete;
  ~BusMessage() { bus_.unref(message_); }

  [[nodiscard]] sd_bus_message** out() { return &message_; }
  [[nodiscard]] sd_bus_message* get() const { return message_; }
  [[nodiscard]] int result() const { return result_; }

  template <class... Values>
  void append(const char* types, Values... values) {
    keep(bus_.append(message_, types, values...));
  }
  void open(char type, const char* contents) { keep(bus_.open(message_, type, contents)); }
  void shut() { keep(bus_.shut(message_)); }
  void append_words(std::vector<std::string> words);
  void append_property(const char* name, const std::vector<std::string>& words);

 private:
  void keep(int result) {
    if (result < 0 && result_ >= 0) result_ = result;
  }

  const BusFunctions& bus_;
  sd_bus_message* message_ = nullptr;
  int result_ = 0;
};

class ManagerBus {
 public:
  /// Errors: kUnsupported (no libsystemd), kIo.
  static Result<ManagerBus> connect(const std::filesystem::path& socket);

  [[nodiscard]] const BusFunctions& f() const { return *bus_.get_deleter().functions; }

  /// What libsystemd answered, as a value. Errors: kIo.
  [[nodiscard]] static Result<> checked(int result, const std::string& doing);

  Result<> begin_call(BusMessage& call, const char* method);
  /// As libsystemd answers: below 0 is an error.
  int ask(const BusMessage& call, sd_bus_message** answer);

  /// The job that the call began; none when the answer is the error of that name. Errors: kIo.
  Result<std::optional<std::string>> job_of(const BusMessage& call, std::string_view none);

  /// How that job ended, in systemd's word: "done", or what went wrong. Errors: kUnavailable (not within the
  /// time), kInterrupted, kIo.
  Result<std::string> end_of(const std::string& job, BusClock::time_point until,
                             const std::stop_token& stop = {});

  /// The object of a unit, which is loaded for that; `method` is GetUnit, of one that is loaded, or LoadUnit.
  Result<std::string> object_of(const std::string& unit, const char* method);

  /// "active", "activating", "failed", "inactive" and so on, of a unit that is loaded for that. Errors: kIo.
  Result<std::string> state_of(const std::string& unit);

  /// A property of an object, of the D-Bus type. Errors: kIo.
  Result<> property(const std::string& object, const char* interface, const char* name, const char* type,
                    BusMessage& answer);

 private:
  struct Close {
    std::shared_ptr<const BusFunctions> functions;
    void operator()(sd_bus* bus) const { functions->close(bus); }
  };

  ManagerBus(std::shared_ptr<const BusFunctions> functions, sd_bus* bus)
      : bus_(bus, Close{std::move(functions)}) {}

  std::unique_ptr<sd_bus, Close> bus_;
};

}  // namespace zkv::unlock
