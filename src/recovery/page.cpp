// The words around the words.
#include "recovery/page.h"

#include <algorithm>

#include "recovery/kit_reader.h"

namespace zkv::recovery {

namespace {

/// So that neither a terminal nor a page can be led astray by a name.
std::string plain(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string which(const Kit& kit, std::size_t number) {
  return "part " + std::to_string(number + 1) + " of " + std::to_string(kit.scheme.parts) + ", any " +
         std::to_string(kit.scheme.threshold) + " open";
}

std::vector<std::string> purpose_of(const Kit& kit) {
  const std::string needed = std::to_string(kit.scheme.threshold);
  std::vector<std::string> lines{
      "This opens the encrypted disks of this machine when nobody can approve it:",
      "without a gateway, without a network, by a person at its console.",
  };
  if (kit.scheme.parts == 1) {
    lines.emplace_back("Whoever has this page and the machine, or its disks, can read all that is on");
    lines.emplace_back("them. Keep it on paper, locked away, and not beside the machine.");
  } else {
    lines.emplace_back("This part alone says nothing. Whoever has " + needed + " of the " +
                       std::to_string(kit.scheme.parts) + " parts and the machine, or its");
    lines.emplace_back("disks, can read all that is on them. Keep each on paper, in another place.");
  }
  return lines;
}

std::vector<std::string> steps_of(const Kit& kit) {
  const bool is_whole = kit.scheme.parts == 1;
  return {
      "At the machine's console, as root, type:   zkv unlock --recovery",
      is_whole ? "Type the words as it asks for them, row by row; four letters are enough."
               : "Type the words of " + std::to_string(kit.scheme.threshold) +
                     " parts as it asks for them, row by row; four letters are enough.",
      "A word that is typed wrong is named at once, or when its part is complete.",
      "All volumes are then opened and mounted, and it says which. It changes none.",
      "It opens the repository's file, or a backup of it: keep one of those, too.",
      "Try it now and once a year, while all is well:   zkv recovery test",
      "If lost or seen: zkv recovery create, recovery test --replace, zkv rotate",
      "The words: a recovery key of zkv by SLIP-0039, one group, no passphrase.",
  };
}

}  // namespace

Page page_of(const Kit& kit, std::size_t number) {
  Page page;
  page.title = std::string(kPageTitle) + std::to_string(kit.number);
  page.purpose = purpose_of(kit);
  if (kit.scheme.parts > 1) page.facts.emplace_back("part", which(kit, number));
  page.facts.emplace_back("machine", plain(kit.machine));
  page.facts.emplace_back("repository", plain(kit.repository));
  page.facts.emplace_back("id", kit.repository_id);
  page.facts.emplace_back("slot", std::to_string(kit.slot));
  page.facts.emplace_back("made", zkv::to_text(kit.made));
  page.words = write_part(kit.parts[number]);
  page.steps = steps_of(kit);
  return page;
}

std::vector<std::string> fact_lines(const Page& page) {
  static constexpr std::size_t kNameWidth = 12;
  std::vector<std::string> lines;
  for (const auto& [name, value] : page.facts) {
    std::string text = name;
    text.resize(kNameWidth, ' ');
    text += value;
    lines.push_back(std::move(text));
  }
  return lines;
}

std::vector<SecretBytes> rows_of(const SecretBytes& words) {
  std::vector<SecretBytes> rows;
  std::string_view rest = words.view();
  for (std::size_t number = 1; !rest.empty(); number += kRowWords) {
    const std::string label = std::to_string(number);
    SecretBuilder row;
    row.append(std::string(3 - label.size(), ' ') + label);
    for (std::size_t i = 0; i < kRowWords && !rest.empty(); ++i) {
      const auto word = rest.substr(0, rest.find(' '));
      rest = rest.substr(std::min(word.size() + 1, rest.size()));
      row.append("  ");
      row.append(word);
      if (i + 1 < kRowWords) row.append(std::string_view("        ").substr(word.size()));
    }
    rows.push_back(row.take());
  }
  return rows;
}

SecretBytes to_text(const Page& page) {
  SecretBuilder text;
  const auto line = [&text](std::string_view words) {
    text.append(words);
    text.append("\n");
  };
  line(page.title);
  line(std::string(page.title.size(), '='));
  line("");
  for (const auto& words : page.purpose) line(words);
  line("");
  for (const auto& fact : fact_lines(page)) line("  " + fact);
  line("");
  for (const auto& row : rows_of(page.words)) line(row.view());
  line("");
  for (const auto& step : page.steps) line("- " + step);
  return text.take();
}

}  // namespace zkv::recovery
