// What commands print on stdout: columns for people to read, JSON for programs.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace zkv::cli {

class TableOutput {
 public:
  explicit TableOutput(std::vector<std::string> heads) { add(std::move(heads)); }
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// Every column as wide as its widest cell; the last as it is.
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// The text with characters that could steer a terminal shown as question marks.
std::string printable(const std::string& text);

/// On one line, with such characters as escapes.
void print_document(const boost::json::value& document);

}  // namespace zkv::cli
