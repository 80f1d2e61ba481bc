// A PDF in a few dozen lines: text in one font, and squares. A library would keep the words in memory that is
// neither locked nor wiped.
#include <array>
#include <cstdio>
#include <string>

#include "qr/qr_code.h"
#include "recovery/page.h"

namespace zkv::recovery {

namespace {

constexpr int kLeft = 56;  // in points, of which A4 has 595 by 842
constexpr int kTop = 780;
constexpr int kCodeLeft = 350;
constexpr double kCodeSize = 180;

/// What a page shows, in PDF's own words.
class Drawing {
 public:
  /// One line at the pen, which then moves down.
  void line(std::string_view text, int size, bool is_bold = false) {
    content_.append("BT /" + std::string(is_bold ? "B " : "R ") + std::to_string(size) + " Tf " +
                    std::to_string(kLeft) + " " + std::to_string(pen_) + " Td (");
    for (const char c : text) {
      if (c == '(' || c == ')' || c == '\\') content_.append("\\");
      content_.append(std::string_view(&c, 1));
    }
    content_.append(") Tj ET\n");
    pen_ -= size + size / 3;
  }
  void gap(int points) { pen_ -= points; }

  /// A QR code to the right, its upper edge at the pen.
  void code(const SecretBytes& text) {
    const QrCode code(text.view());
    if (code.width() == 0) return;
    const double unit = kCodeSize / code.width();
    for (int row = 0; row < code.width(); ++row) {
      for (int column = 0; column < code.width(); ++column) {
        const int begin = column;
        while (code.is_dark(row, column)) ++column;
        if (column > begin) bar(begin * unit, (row + 1) * unit, (column - begin) * unit, unit);
      }
    }
    content_.append("f\n");
  }

  SecretBytes take() { return content_.take(); }

 private:
  /// A rectangle whose lower left corner is so far from where the code begins.
  void bar(double right, double down, double width, double height) {
    std::array<char, 80> words{};
    const int size = std::snprintf(words.data(), words.size(), "%.3f %.3f %.3f %.3f re\n", kCodeLeft + right,
                                   pen_ - down, width, height);
    content_.append(std::string_view(words.data(), static_cast<std::size_t>(size)));
  }

  SecretBuilder content_;
  int pen_ = kTop;
};

SecretBytes draw(const Page& page) {
  constexpr int kSmall = 9;
  constexpr int kLarge = 12;
  Drawing drawing;
  drawing.line(page.title, 16, true);
  drawing.gap(8);
  for (const auto& line : page.purpose) drawing.line(line, kSmall);
  drawing.gap(8);
  for (const auto& fact : fact_lines(page)) drawing.line(fact, kSmall);
  drawing.gap(16);
  drawing.code(page.words);
  drawing.gap(kLarge);
  for (const auto& row : rows_of(page.words)) drawing.line(row.view(), kLarge, true);
  drawing.gap(24);
  for (const auto& step : page.steps) drawing.line("- " + step, kSmall);
  return drawing.take();
}

/// Numbers the objects and remembers where each begins.
class Document {
 public:
  Document() { bytes_.append("%PDF-1.4\n"); }

  void object(std::string_view body) {
    begin();
    bytes_.append(body);
    bytes_.append("\nendobj\n");
  }
  void stream(const SecretBytes& content) {
    begin();
    bytes_.append("<< /Length " + std::to_string(content.size()) + " >>\nstream\n");
    bytes_.append(content.span());
    bytes_.append("endstream\nendobj\n");
  }
  SecretBytes take() {
    const std::size_t table = bytes_.size();
    const std::string size = std::to_string(offsets_.size() + 1);
    bytes_.append("xref\n0 " + size + "\n0000000000 65535 f \n");
    for (const std::size_t offset : offsets_) {
      const std::string digits = std::to_string(offset);
      bytes_.append(std::string(10 - digits.size(), '0') + digits + " 00000 n \n");
    }
    bytes_.append("trailer << /Size " + size + " /Root 1 0 R >>\nstartxref\n" + std::to_string(table) +
                  "\n%%EOF\n");
    return bytes_.take();
  }

 private:
  void begin() {
    offsets_.push_back(bytes_.size());
    bytes_.append(std::to_string(offsets_.size()) + " 0 obj\n");
  }
  SecretBuilder bytes_;
  std::vector<std::size_t> offsets_;
};

constexpr std::size_t kFirstPage = 5;  // after catalog, list of pages and two fonts; each page is two objects

std::string reference(std::size_t object) { return std::to_string(object) + " 0 R"; }

}  // namespace

bool can_draw_codes() { return QrCode("QR").width() > 0; }

SecretBytes to_pdf(const std::vector<Page>& pages) {
  Document document;
  std::string kids;
  for (std::size_t i = 0; i < pages.size(); ++i) kids += reference(kFirstPage + 2 * i) + " ";
  document.object("<< /Type /Catalog /Pages 2 0 R >>");
  document.object("<< /Type /Pages /Kids [ " + kids + "] /Count " + std::to_string(pages.size()) + " >>");
  document.object("<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>");
  document.object("<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold /Encoding /WinAnsiEncoding >>");
  for (std::size_t i = 0; i < pages.size(); ++i) {
    document.object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents " +
                    reference(kFirstPage + 2 * i + 1) + " /Resources << /Font << /R 3 0 R /B 4 0 R >> >> >>");
    document.stream(draw(pages[i]));
  }
  return document.take();
}

}  // namespace zkv::recovery
