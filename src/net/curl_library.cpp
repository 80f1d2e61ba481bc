// Loads libcurl.so.4 by dlopen, and gives it an allocator that wipes.
#include "net/curl_library.h"

#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace zkv::net {

namespace {

// NOLINTBEGIN(cppcoreguidelines-no-malloc): what libcurl wants is exactly a malloc family.
void wipe_and_free(void* memory) {
  if (memory == nullptr) return;
  explicit_bzero(memory, malloc_usable_size(memory));
  std::free(memory);
}

void* allocate(std::size_t size) { return std::malloc(size); }

void* allocate_zeroed(std::size_t count, std::size_t size) { return std::calloc(count, size); }

void* reallocate(void* old, std::size_t size) {
  void* fresh = std::malloc(size);
  if (fresh == nullptr || old == nullptr) return fresh;
  std::memcpy(fresh, old, std::min(size, malloc_usable_size(old)));
  wipe_and_free(old);
  return fresh;
}

char* duplicate(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  void* copy = std::malloc(size);
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, text, size));
}
// NOLINTEND(cppcoreguidelines-no-malloc)

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, CurlLibrary& curl) {
  find(library, "SSL_CTX_set_options", curl.tls_set_options);
  return find(library, "curl_global_init_mem", curl.global_init_mem) &&
         find(library, "curl_easy_init", curl.easy_init) &&
         find(library, "curl_easy_setopt", curl.easy_setopt) &&
         find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
         find(library, "curl_easy_strerror", curl.easy_strerror) &&
         find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
         find(library, "curl_multi_init", curl.multi_init) &&
         find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
         find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
         find(library, "curl_multi_perform", curl.multi_perform) &&
         find(library, "curl_multi_poll", curl.multi_poll) &&
         find(library, "curl_multi_wakeup", curl.multi_wakeup) &&
         find(library, "curl_multi_info_read", curl.multi_info_read) &&
         find(library, "curl_multi_strerror", curl.multi_strerror) &&
         find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
         find(library, "curl_slist_append", curl.slist_append) &&
         find(library, "curl_slist_free_all", curl.slist_free_all) && find(library, "curl_url", curl.url) &&
         find(library, "curl_url_set", curl.url_set) && find(library, "curl_url_get", curl.url_get) &&
         find(library, "curl_url_strerror", curl.url_strerror) &&
         find(library, "curl_url_cleanup", curl.url_cleanup) && find(library, "curl_free", curl.free) &&
         find(library, "curl_getdate", curl.getdate);
}

Result<CurlLibrary> load() {
  // libcurl would write the secrets of every connection to the file that this names.
  ::unsetenv("SSLKEYLOGFILE");
  void* library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error::unsupported("libcurl.so.4 cannot be loaded").remedy("install the package libcurl4");
  }
  CurlLibrary curl;
  if (!find_all(library, curl) || curl.global_init_mem(CURL_GLOBAL_DEFAULT, allocate, wipe_and_free,
                                                       reallocate, duplicate, allocate_zeroed) != CURLE_OK) {
    return Error::unsupported("the installed libcurl.so.4 is not usable")
        .remedy("install libcurl4 of version 7.85 or newer");
  }
  return curl;
}

}  // namespace

Result<const CurlLibrary*> curl_library() {
  static const Result<CurlLibrary> library = load();
  if (!library) return Error(library.error());
  return &*library;
}

}  // namespace zkv::net
