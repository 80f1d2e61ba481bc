// The links in /proc.
#include "unlock/busy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <system_error>

#include "base/plain_text.h"
#include "unlock/mount_table.h"
#include "unlock/order.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNamed = 5;

bool leads_into(const fs::path& link, const std::string& place) {
  std::error_code failed;
  const auto target = fs::read_symlink(link, failed);
  return !failed && lies_within(target.string(), place);
}

bool any_leads_into(const fs::path& folder, const std::string& place) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (leads_into(entry->path(), place)) return true;
  }
  return false;
}

bool uses(const fs::path& process, const std::string& place) {
  for (const auto* link : {"cwd", "root", "exe"}) {
    if (leads_into(process / link, place)) return true;
  }
  return any_leads_into(process / "fd", place) || any_leads_into(process / "map_files", place);
}

}  // namespace

std::vector<UsingProcess> processes_in(const std::string& place, const fs::path& processes) {
  const auto real = real_path(place);
  std::vector<UsingProcess> found;
  std::error_code failed;
  for (fs::directory_iterator entry(processes, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto number = entry->path().filename().string();
    UsingProcess process;
    const auto [rest, wrong] = std::from_chars(number.data(), number.data() + number.size(), process.id);
    if (wrong != std::errc() || rest != number.data() + number.size() || !uses(entry->path(), real)) continue;
    std::ifstream file(entry->path() / "comm");
    std::getline(file, process.name);
    found.push_back(std::move(process));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return found;
}

std::string first_few(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), kNamed); ++i) text += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > kNamed) text += " and " + std::to_string(words.size() - kNamed) + " more";
  return text;
}

std::string in_words(const std::vector<UsingProcess>& processes) {
  std::vector<std::string> words;
  words.reserve(processes.size());
  for (const auto& [id, name] : processes)
    words.push_back(plain_text(name) + " (" + std::to_string(id) + ")");
  return first_few(words);
}

}  // namespace zkv::unlock
