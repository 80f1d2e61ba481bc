// libcurl's functions, found by name at first use, so that a program that sends nothing never loads it.
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace zkv::net {

/// One pointer for each function of libcurl that this room calls.
struct CurlLibrary {
  decltype(&::curl_global_init_mem) global_init_mem = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_multi_init) multi_init = nullptr;
  decltype(&::curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&::curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&::curl_multi_perform) multi_perform = nullptr;
  decltype(&::curl_multi_poll) multi_poll = nullptr;
  decltype(&::curl_multi_wakeup) multi_wakeup = nullptr;
  decltype(&::curl_multi_info_read) multi_info_read = nullptr;
  decltype(&::curl_multi_strerror) multi_strerror = nullptr;
  decltype(&::curl_multi_cleanup) multi_cleanup = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
  decltype(&::curl_url) url = nullptr;
  decltype(&::curl_url_set) url_set = nullptr;
  decltype(&::curl_url_get) url_get = nullptr;
  decltype(&::curl_url_strerror) url_strerror = nullptr;
  decltype(&::curl_url_cleanup) url_cleanup = nullptr;
  decltype(&::curl_free) free = nullptr;
  decltype(&::curl_getdate) getdate = nullptr;
  /// OpenSSL's SSL_CTX_set_options, where libcurl was built with it; null otherwise.
  std::uint64_t (*tls_set_options)(void* context, std::uint64_t options) = nullptr;
};

/// The library, loaded and initialised by the first call of the process and kept to its end. It allocates
/// through functions that wipe what they free, so that headers, bodies and buffers leave nothing behind.
/// Errors: kUnsupported when libcurl.so.4 is not installed or too old (7.85 is needed).
Result<const CurlLibrary*> curl_library();

}  // namespace zkv::net
