// dlopen and dlsym.
#include "unlock/bus_library.h"

#include "unlock/loaded_library.h"

namespace zkv::unlock {

namespace {

struct LoadedBus {
  std::shared_ptr<void> library;
  BusFunctions functions;
};

bool find_all(void* library, BusFunctions& f) {
  return find_in_library(library, "sd_bus_new", f.make) &&
         find_in_library(library, "sd_bus_set_address", f.set_address) &&
         find_in_library(library, "sd_bus_start", f.start) &&
         find_in_library(library, "sd_bus_close_unref", f.close) &&
         find_in_library(library, "sd_bus_call", f.call) &&
         find_in_library(library, "sd_bus_process", f.process) &&
         find_in_library(library, "sd_bus_wait", f.wait) &&
         find_in_library(library, "sd_bus_get_property", f.get_property) &&
         find_in_library(library, "sd_bus_error_free", f.error_free) &&
         find_in_library(library, "sd_bus_message_new_method_call", f.new_call) &&
         find_in_library(library, "sd_bus_message_append", f.append) &&
         find_in_library(library, "sd_bus_message_append_strv", f.append_strings) &&
         find_in_library(library, "sd_bus_message_open_container", f.open) &&
         find_in_library(library, "sd_bus_message_close_container", f.shut) &&
         find_in_library(library, "sd_bus_message_enter_container", f.enter) &&
         find_in_library(library, "sd_bus_message_read", f.read) &&
         find_in_library(library, "sd_bus_message_skip", f.skip) &&
         find_in_library(library, "sd_bus_message_is_signal", f.is_signal) &&
         find_in_library(library, "sd_bus_message_unref", f.unref);
}

}  // namespace

Result<std::shared_ptr<const BusFunctions>> load_bus_functions() {
  auto library = load_library("libsystemd.so.0");
  if (library == nullptr) return Error::unsupported("libsystemd cannot be loaded");
  auto loaded = std::make_shared<LoadedBus>();
  loaded->library = std::move(library);
  if (!find_all(loaded->library.get(), loaded->functions))
    return Error::unsupported("this libsystemd is too old");
  return std::shared_ptr<const BusFunctions>(loaded, &loaded->functions);
}

}  // namespace zkv::unlock
