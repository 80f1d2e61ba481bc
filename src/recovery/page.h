// What stands on the page of one part, for people who have nothing else; and the page as text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret_bytes.h"
#include "recovery/kit.h"

namespace zkv::recovery {

/// With the kit's number after it, the first line of a page.
inline constexpr std::string_view kPageTitle = "zfs-keyvault recovery kit ";

/// ASCII in lines of at most 78 characters.
struct Page {
  std::string title;
  std::vector<std::string> purpose;
  std::vector<std::pair<std::string, std::string>> facts;
  SecretBytes words;  ///< with one blank between them
  std::vector<std::string> steps;
};

/// Of `kit.parts[number]`.
Page page_of(const Kit& kit, std::size_t number);

/// The facts, a line each, their values below one another.
std::vector<std::string> fact_lines(const Page& page);
/// The words in rows, each with the number of its first word before it.
std::vector<SecretBytes> rows_of(const SecretBytes& words);

SecretBytes to_text(const Page& page);
/// Whether libqrencode is installed.
bool can_draw_codes();

/// A PDF of these pages, A4, each with a QR code of its words if can_draw_codes(). Source: ISO 32000-1; fonts
/// that every reader has.
SecretBytes to_pdf(const std::vector<Page>& pages);

}  // namespace zkv::recovery
