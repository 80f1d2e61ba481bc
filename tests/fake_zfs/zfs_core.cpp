// A stand-in for libzfs_core, and for mounting by libzfs, over the same directory of files as the stand-in
// for zfs(8), which it lies beside.
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace fs = std::filesystem;

namespace {

fs::path here() {
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&here), &info);
  return fs::path(info.dli_fname).parent_path();
}

fs::path folder(std::string name) {
  for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/'))
    name.replace(at, 1, "%2F");
  return here() / "datasets" / name;
}

std::string value(const std::string& name, const std::string& property) {
  std::ifstream file(folder(name) / property);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void put(const std::string& name, const std::string& property, const std::string& text) {
  std::ofstream(folder(name) / property) << text;
}

void log(const std::string& line) { std::ofstream(here() / "calls", std::ios::app) << line << "\n"; }

std::string hex(const std::uint8_t* bytes, unsigned size) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += {kDigits[bytes[i] >> 4], kDigits[bytes[i] & 15]};
  return text;
}

}  // namespace

extern "C" {

int libzfs_core_init() { return fs::exists(here() / "no-dev-zfs") ? ENOENT : 0; }

int lzc_load_key(const char* name, int only_check, std::uint8_t* key, unsigned size) {
  log(std::string("lzc_load_key ") + name + (only_check != 0 ? " only-check" : ""));
  if (!fs::exists(folder(name))) return ENOENT;
  if (fs::exists(folder(name) / "hang")) ::pause();
  if (fs::exists(folder(name) / "key-gate"))
    static_cast<void>(value(name, "key-gate"));  // until its writer ends
  if (fs::exists(folder(name) / "error-number")) return std::stoi(value(name, "error-number"));
  if (value(name, "encryptionroot") != name) return EINVAL;
  if (value(name, "keystatus") == "available" && only_check == 0) return EEXIST;
  if (value(name, "wrapping-key") != hex(key, size)) return EACCES;
  if (only_check == 0) put(name, "keystatus", "available");
  return 0;
}

int lzc_unload_key(const char* name) {
  log(std::string("lzc_unload_key ") + name);
  if (!fs::exists(folder(name))) return ENOENT;
  for (const auto& entry : fs::directory_iterator(here() / "datasets")) {
    std::string other = entry.path().filename().string();
    for (std::size_t at = other.find("%2F"); at != std::string::npos; at = other.find("%2F"))
      other.replace(at, 3, "/");
    const bool is_in_use = value(other, "mounted") == "yes" || value(other, "in-use") == "yes";
    if (value(other, "encryptionroot") == name && is_in_use) return EBUSY;
  }
  if (value(name, "keystatus") != "available") return EACCES;
  put(name, "keystatus", "unavailable");
  return 0;
}

void* libzfs_init() {
  static int library = 0;
  return fs::exists(here() / "no-dev-zfs") ? nullptr : &library;
}

void* zfs_open(void* /*library*/, const char* name, int types) {
  log(std::string("zfs_open ") + name + " " + std::to_string(types));
  return fs::exists(folder(name)) ? new std::string(name) : nullptr;  // the child that called ends soon
}

int zfs_is_mounted(void* filesystem, char** /*where*/) {
  return value(*static_cast<std::string*>(filesystem), "mounted") == "yes" ? 1 : 0;
}

int zfs_mount(void* filesystem, const char* /*options*/, int /*flags*/) {
  const std::string& name = *static_cast<std::string*>(filesystem);
  log("zfs_mount " + name);
  if (fs::exists(folder(name) / "hang")) ::pause();
  if (fs::exists(folder(name) / "mount-error")) return -1;
  if (fs::exists(folder(name) / "not-mountable")) return 0;  // as for a redacted dataset
  put(name, "mounted", "yes");
  return 0;
}
}
