// Inside this room only: libraries that are loaded at run time, and what is in them.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>

namespace zkv::unlock {

/// Stays loaded as long as what is returned; null where there is none of that name.
inline std::shared_ptr<void> load_library(const std::string& name) {
  return {::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* handle) {
            if (handle != nullptr) ::dlclose(handle);
          }};
}

/// Whether the library has it; `function` is null where it has not.
template <class Function>
bool find_in_library(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace zkv::unlock
