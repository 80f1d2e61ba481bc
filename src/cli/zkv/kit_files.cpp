// One file for each part in a folder, so that each goes its own way; or all in one file.
#include "kit_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/file.h"
#include "output.h"
#include "recovery/page.h"
#include "unlock/guarded_path.h"

namespace zkv::cli {

namespace fs = std::filesystem;

namespace {

struct KitFile {
  fs::path path;
  SecretBytes content;
};

bool is_folder(const fs::path& output) {
  std::error_code error;
  return fs::is_directory(output, error);
}

SecretBytes text_of(const std::vector<recovery::Page>& pages) {
  SecretBuilder text;
  for (const auto& page : pages) {
    if (text.size() != 0) text.append("\f");
    text.append(recovery::to_text(page).span());
  }
  return text.take();
}

std::vector<KitFile> all_in_one(const recovery::Kit& kit, const fs::path& output) {
  std::vector<recovery::Page> pages;
  for (std::size_t i = 0; i < kit.parts.size(); ++i) pages.push_back(recovery::page_of(kit, i));
  std::vector<KitFile> files;
  files.push_back({output, output.extension() == ".pdf" ? recovery::to_pdf(pages) : text_of(pages)});
  return files;
}

std::vector<KitFile> one_each(const recovery::Kit& kit, const fs::path& folder) {
  std::vector<KitFile> files;
  for (std::size_t i = 0; i < kit.parts.size(); ++i) {
    std::string name = "zkv-kit-" + std::to_string(kit.number);
    if (kit.parts.size() > 1)
      name += "-part-" + std::to_string(i + 1) + "-of-" + std::to_string(kit.parts.size());
    std::vector<recovery::Page> page;
    page.push_back(recovery::page_of(kit, i));
    files.push_back({folder / (name + ".txt"), recovery::to_text(page.front())});
    files.push_back({folder / (name + ".pdf"), recovery::to_pdf(page)});
  }
  return files;
}

}  // namespace

bool lies_in_memory(const fs::path& folder) {
  const FileDescriptor opened(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return opened.is_open() && unlock::is_in_memory(opened.get());
}

Result<> check_kit_place(const fs::path& output) {
  if (is_folder(output)) return {};
  std::error_code error;
  if (fs::exists(output, error)) {
    return Error::exists(output.string() + " is there already, and is left as it is")
        .remedy("name another file");
  }
  if (output.extension() == ".txt" || output.extension() == ".pdf") return {};
  return Error::invalid(output.string() + " is no folder, and ends neither with .txt nor with .pdf")
      .remedy("make the folder first, or name a file with one of these endings");
}

Result<std::vector<fs::path>> write_kit_files(const recovery::Kit& kit, const fs::path& output) {
  std::vector<fs::path> written;
  const auto files = is_folder(output) ? one_each(kit, output) : all_in_one(kit, output);
  for (const auto& file : files) {
    auto created = create_file(file.path, file.content.span());
    if (!created) {
      for (const auto& path : written) ::unlink(path.c_str());
      return std::move(created).error();
    }
    written.push_back(file.path);
  }
  return written;
}

Result<> tell_of_kit_files(const recovery::Kit& kit, const std::vector<fs::path>& files) {
  Output out;
  out << "Made recovery " << recovery::label_of(kit) << "; it opens slot " << std::to_string(kit.slot)
      << ":\n";
  for (const auto& file : files) out << "  " << file.string() << "\n";
  const bool has_pdf =
      std::ranges::any_of(files, [](const fs::path& file) { return file.extension() == ".pdf"; });
  if (has_pdf && !recovery::can_draw_codes())
    out << "There are no QR codes on them: libqrencode4 is not installed. The words are all that is "
           "needed.\n";
  out << "Print them now, then remove them (shred -u FILE): whoever reads "
      << (kit.parts.size() == 1 ? "one" : std::to_string(kit.scheme.threshold) + " parts")
      << " can open the repository.\nNext: see that 'zkv recovery test' takes what is on the paper.\n";
  return out.write();
}

}  // namespace zkv::cli
