// libsystemd's D-Bus client, loaded at first use, so that commands that need none do not pay for it.
#pragma once

#include <systemd/sd-bus.h>

#include <memory>

#include "base/result.h"

namespace zkv::unlock {

struct BusFunctions {
  decltype(&::sd_bus_new) make = nullptr;
  decltype(&::sd_bus_set_address) set_address = nullptr;
  decltype(&::sd_bus_start) start = nullptr;
  decltype(&::sd_bus_close_unref) close = nullptr;
  decltype(&::sd_bus_call) call = nullptr;
  decltype(&::sd_bus_process) process = nullptr;
  decltype(&::sd_bus_wait) wait = nullptr;
  decltype(&::sd_bus_get_property) get_property = nullptr;
  decltype(&::sd_bus_error_free) error_free = nullptr;
  decltype(&::sd_bus_message_new_method_call) new_call = nullptr;
  decltype(&::sd_bus_message_append) append = nullptr;
  decltype(&::sd_bus_message_append_strv) append_strings = nullptr;
  decltype(&::sd_bus_message_open_container) open = nullptr;
  decltype(&::sd_bus_message_close_container) shut = nullptr;
  decltype(&::sd_bus_message_enter_container) enter = nullptr;
  decltype(&::sd_bus_message_read) read = nullptr;
  decltype(&::sd_bus_message_skip) skip = nullptr;
  decltype(&::sd_bus_message_is_signal) is_signal = nullptr;
  decltype(&::sd_bus_message_unref) unref = nullptr;
};

/// They live as long as what is returned. Errors: kUnsupported (no libsystemd here).
Result<std::shared_ptr<const BusFunctions>> load_bus_functions();

}  // namespace zkv::unlock
