// Widths first, then lines.
#include "table_output.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/plain_text.h"

namespace zkv::cli {

void TableOutput::print() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      line += fmt::format("{:<{}}  ", printable(row[i]), widths[i]);
    fmt::print("{}{}\n", line, printable(row.back()));
  }
}

std::string printable(const std::string& text) { return plain_text(text); }

void print_document(const boost::json::value& document) {
  fmt::print("{}\n", plain_json(boost::json::serialize(document)));
}

}  // namespace zkv::cli
