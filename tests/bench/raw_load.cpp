// The floor under opening ZFS filesystems: lzc_load_key() for each, one after the other, with keys that are
// ready. Reads lines "FILESYSTEM HEXADECIMAL-KEY" from stdin and prints the milliseconds that the calls took
// together.
#include <dlfcn.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using Key = std::vector<std::uint8_t>;

Key from_hex(const std::string& text) {
  Key key(text.size() / 2);
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, key[i], 16);
  }
  return key;
}

}  // namespace

int main() {
  void* library = ::dlopen("libzfs_core.so.3", RTLD_NOW);
  if (library == nullptr) return EXIT_FAILURE;
  const auto init = reinterpret_cast<int (*)()>(::dlsym(library, "libzfs_core_init"));
  const auto load =
      reinterpret_cast<int (*)(const char*, int, std::uint8_t*, unsigned)>(::dlsym(library, "lzc_load_key"));
  if (init == nullptr || load == nullptr || init() != 0) return EXIT_FAILURE;
  std::vector<std::pair<std::string, Key>> volumes;
  for (std::string name, key; std::cin >> name >> key;) volumes.emplace_back(name, from_hex(key));
  const auto begin = std::chrono::steady_clock::now();
  for (auto& [name, key] : volumes) {
    if (const int failed = load(name.c_str(), 0, key.data(), static_cast<unsigned>(key.size()));
        failed != 0) {
      std::fprintf(stderr, "%s: error %d\n", name.c_str(), failed);
      return EXIT_FAILURE;
    }
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f\n", took.count());
}
