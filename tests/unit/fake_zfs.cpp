// Copies the stand-ins into a directory of their own, and writes properties as files.
#include "fake_zfs.h"

#include <fstream>
#include <iterator>

namespace zkv::test {

namespace fs = std::filesystem;

namespace {

std::string folder_of(std::string name) {
  for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/'))
    name.replace(at, 1, "%2F");
  return "datasets/" + name;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

FakeZfs::FakeZfs() {
  fs::copy_file(FAKE_ZFS_PROGRAM, directory_ / "zfs");
  fs::copy_file(fs::path(FAKE_ZFS_PROGRAM).parent_path() / "zpool", directory_ / "zpool");
  fs::copy_file(FAKE_ZFS_CORE, directory_ / "libzfs_core.so.3");
  fs::create_directory(directory_ / "datasets");
}

void FakeZfs::add(const std::string& name, const Properties& properties) {
  fs::create_directory(directory_ / folder_of(name));
  const auto pool = name.substr(0, name.find('/'));
  if (!fs::exists(directory_ / folder_of(pool))) add(pool, {{"mountpoint", "none"}});
  const Properties ordinary{{"type", "filesystem"},   {"keyformat", "none"},      {"keystatus", "-"},
                            {"encryptionroot", "-"},  {"pbkdf2iters", "0"},       {"pbkdf2salt", "-"},
                            {"mounted", "no"},        {"mountpoint", "/" + name}, {"canmount", "on"},
                            {"keylocation", "prompt"}};
  for (const auto& [property, value] : ordinary) set(name, property, value);
  for (const auto& [property, value] : properties) set(name, property, value);
}

void FakeZfs::add_root(const std::string& name, const std::string& key, const Properties& properties) {
  add(name,
      {{"keyformat", "hex"}, {"keystatus", "unavailable"}, {"encryptionroot", name}, {"wrapping-key", key}});
  for (const auto& [property, value] : properties) set(name, property, value);
}

void FakeZfs::add_child(const std::string& name, const std::string& root, const Properties& properties) {
  add(name, {{"keyformat", "hex"}, {"keystatus", "unavailable"}, {"encryptionroot", root}});
  for (const auto& [property, value] : properties) set(name, property, value);
}

void FakeZfs::set(const std::string& name, const std::string& property, const std::string& value) {
  std::ofstream(directory_ / (folder_of(name) + "/" + property)) << value;
}

std::string FakeZfs::get(const std::string& name, const std::string& property) const {
  return text_of(directory_ / (folder_of(name) + "/" + property));
}

void FakeZfs::put(const std::string& file, const std::string& text) {
  std::ofstream(directory_ / file) << text;
}

void FakeZfs::export_pool(const std::string& pool, const std::string& refusal) {
  const auto away = directory_ / ("exported/" + pool);
  fs::create_directories(away);
  if (!refusal.empty()) std::ofstream(away / "refusal") << refusal;
  std::vector<fs::path> own;
  for (const auto& entry : fs::directory_iterator(directory_ / "datasets")) {
    const auto name = entry.path().filename().string();
    if (name == pool || name.starts_with(pool + "%2F")) own.push_back(entry.path());
  }
  for (const auto& path : own) fs::rename(path, away / path.filename());
}

unlock::ZfsOptions FakeZfs::options(unlock::Road road) const {
  return {.road = road,
          .libraries = {(directory_ / "libzfs_core.so.3").string()},
          .mount_libraries = {},
          .program = (directory_ / "zfs").string(),
          .pool_program = (directory_ / "zpool").string(),
          .limit = std::chrono::seconds(60)};
}

unlock::ZfsOptions FakeZfs::options_with_libzfs() const {
  auto with = options();
  with.mount_libraries = with.libraries;
  return with;
}

std::vector<std::string> FakeZfs::calls() const { return calls_of(""); }

std::vector<std::string> FakeZfs::calls_of(const std::string& beginning) const {
  std::ifstream file(directory_ / "calls");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(beginning)) lines.push_back(line);
  }
  return lines;
}

std::string FakeZfs::environments() const { return text_of(directory_ / "environments"); }

}  // namespace zkv::test
