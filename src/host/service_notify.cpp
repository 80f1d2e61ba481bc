// sd_notify of libsystemd, loaded at first use so that commands in a terminal do not pay for it.
#include "host/service_notify.h"

#include <dlfcn.h>

#include <cstdlib>
#include <memory>

namespace zkv::host {

void notify_status(const std::string& line) {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
  struct Close {
    void operator()(void* library) const { ::dlclose(library); }
  };
  const std::unique_ptr<void, Close> library(::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL));
  if (library == nullptr) return;
  const auto notify = reinterpret_cast<int (*)(int, const char*)>(::dlsym(library.get(), "sd_notify"));
  if (notify != nullptr) notify(0, ("STATUS=" + line).c_str());
}

}  // namespace zkv::host
