// Files that others can change or read, and what lies about.
#include <fmt/format.h>

#include "doctor/looks.h"

namespace zkv::doctor {

namespace {

constexpr mode_t kOthersWrite = 0022;
constexpr mode_t kOthersAny = 0077;
constexpr mode_t kSticky = 01000;

bool is_of(const FileFacts& file, uid_t user) { return file.owner == 0 || file.owner == user; }

bool others_can_write(const FileFacts& file) {
  const bool is_kept = file.is_directory && (file.mode & kSticky) != 0;
  return (file.mode & kOthersWrite) != 0 && !is_kept;
}

/// Nothing for what is no key.
std::optional<std::string_view> key_words(Leftover::Kind kind) {
  switch (kind) {
    case Leftover::Kind::kKey:
      return "it looks like a repository's key: whoever reads it needs no approval";
    case Leftover::Kind::kWords:
      return "it holds words of a recovery kit: whoever reads it needs no approval";
    case Leftover::Kind::kSomeParts:
      return "it holds a part of a split recovery kit: whoever reads it and has as many others as the kit "
             "wants needs no approval";
    case Leftover::Kind::kRepository:
    case Leftover::Kind::kOtherRepository:
      break;
  }
  return std::nullopt;
}

}  // namespace

FoundList file_writable(const Facts& facts) {
  FoundList found;
  for (const auto& file : facts.files) {
    if (!is_of(file, facts.user)) {
      found.push_back(
          {file.path,
           fmt::format("{} belongs to user {}, who can put another in its place", file.what, file.owner),
           "chown root: " + file.path});
    } else if (others_can_write(file)) {
      found.push_back({file.path,
                       fmt::format("others can write {} (mode {:04o})", file.what, file.mode & 07777),
                       "chmod go-w " + file.path});
    }
  }
  return found;
}

FoundList file_readable(const Facts& facts) {
  FoundList found;
  for (const auto& file : facts.files) {
    if (!file.is_secret || (file.mode & kOthersAny) == 0 || others_can_write(file)) continue;
    found.push_back({file.path, fmt::format("others can read {} (mode {:04o})", file.what, file.mode & 07777),
                     "chmod go= " + file.path});
  }
  return found;
}

FoundList key_left_lying(const Facts& facts) {
  FoundList found;
  for (const auto& left : facts.leftovers) {
    const auto words = key_words(left.kind);
    if (!words) continue;
    found.push_back(
        {left.path, std::string(*words), "once it is on paper or elsewhere: shred -u " + left.path});
  }
  return found;
}

FoundList repository_copy(const Facts& facts) {
  FoundList found;
  for (const auto& left : facts.leftovers) {
    if (left.kind != Leftover::Kind::kRepository) continue;
    found.push_back({left.path,
                     "another copy of the repository: it opens by whatever opened it when it was made",
                     "rm " + left.path + ", if it is no backup that you mean to keep"});
  }
  return found;
}

FoundList repository_other(const Facts& facts) {
  FoundList found;
  for (const auto& left : facts.leftovers) {
    if (left.kind != Leftover::Kind::kOtherRepository) continue;
    found.push_back(
        {left.path,
         "another repository than " + facts.repository +
             ", which alone is opened at boot: keys in it may be nowhere else",
         "see which is the right one before you remove any: zkv --repository " + left.path + " volume list"});
  }
  return found;
}

FoundList swap_plain(const Facts& facts) {
  FoundList found;
  for (const auto& swap : facts.swaps) {
    if (swap.is_encrypted) continue;
    found.push_back({swap.path,
                     "memory is swapped out to it without encryption; zkv's own keys never are, but what "
                     "programs read from the volumes is",
                     "give it a new key at each boot: a line of /etc/crypttab with /dev/urandom and swap, "
                     "and /dev/mapper/NAME in /etc/fstab"});
  }
  return found;
}

}  // namespace zkv::doctor
