// Members over Boost.JSON, which takes the last of two members of one name by itself.
#include "protocol/json_members.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <set>

#include "protocol/envelope.h"

namespace zkv::protocol {

namespace json = boost::json;

namespace {

/// Hears the names of members, and stops at one that its object has already.
class NameWatch {
 public:
  // NOLINTBEGIN(readability-identifier-naming): what Boost.JSON asks of a handler
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  // NOLINTEND(readability-identifier-naming)

  bool on_object_begin(json::error_code&) {
    names_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, json::error_code&) {
    names_.pop_back();
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    name_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    name_.append(part.data(), part.size());
    const bool is_new = names_.back().insert(std::exchange(name_, {})).second;
    if (!is_new) error = json::error::syntax;
    return is_new;
  }
  static bool on_document_begin(json::error_code&) { return true; }
  static bool on_document_end(json::error_code&) { return true; }
  static bool on_array_begin(json::error_code&) { return true; }
  static bool on_array_end(std::size_t, json::error_code&) { return true; }
  static bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  static bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  static bool on_number_part(json::string_view, json::error_code&) { return true; }
  static bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  static bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  static bool on_double(double, json::string_view, json::error_code&) { return true; }
  static bool on_bool(bool, json::error_code&) { return true; }
  static bool on_null(json::error_code&) { return true; }
  static bool on_comment_part(json::string_view, json::error_code&) { return true; }
  static bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  std::vector<std::set<std::string, std::less<>>> names_;  ///< of the objects that are open
  std::string name_;                                       ///< what came of it
};

/// Of a text that is JSON: readers disagree on which of two counts, and so on what was signed.
bool has_a_name_twice(std::string_view text) {
  json::basic_parser<NameWatch> parser{json::parse_options()};
  json::error_code error;
  parser.write_some(false, text.data(), text.size(), error);
  return error.failed();
}

}  // namespace

Error Members::wrong(std::string_view name, std::string_view how) {
  return Error::invalid("the message is misshapen: '" + std::string(name) + "' " + std::string(how));
}

Result<std::string> Members::text(std::string_view name, std::size_t longest) const {
  const json::value* member = object_.if_contains(name);
  if (member == nullptr || !member->is_string()) return wrong(name, "is missing, or no text");
  const auto& found = member->get_string();
  if (found.size() > longest) return wrong(name, "is longer than " + std::to_string(longest) + " bytes");
  return std::string(found.data(), found.size());
}

Result<Bytes> Members::base64(std::string_view name, std::size_t longest) const {
  ZKV_TRY(const auto digits, text(name, longest * 4 / 3 + 4));
  auto bytes = from_base64(digits, Base64::kUrlNoPadding);
  if (!bytes) return wrong(name, "is not base64");
  if (bytes->size() > longest) return wrong(name, "is longer than " + std::to_string(longest) + " bytes");
  return bytes;
}

Result<std::uint64_t> Members::number(std::string_view name, std::uint64_t most) const {
  const json::value* member = object_.if_contains(name);
  json::error_code error;
  const auto found = member == nullptr || !member->is_number() ? 0 : member->to_number<std::uint64_t>(error);
  if (member == nullptr || !member->is_number() || error || found > most) {
    return wrong(name, "is no whole number from 0 to " + std::to_string(most));
  }
  return found;
}

Result<bool> Members::boolean(std::string_view name) const {
  const json::value* member = object_.if_contains(name);
  if (member == nullptr || !member->is_bool()) return wrong(name, "is neither true nor false");
  return member->get_bool();
}

Result<Time> Members::time(std::string_view name) const {
  ZKV_TRY(const auto milliseconds, number(name, kLatestTime));
  return Time(std::chrono::milliseconds(milliseconds));
}

Result<Members> Members::object(std::string_view name) const {
  const json::value* member = object_.if_contains(name);
  if (member == nullptr || !member->is_object()) return wrong(name, "is missing, or no object");
  return Members(member->get_object());
}

Result<std::vector<std::string>> Members::texts(std::string_view name, std::size_t most,
                                                std::size_t longest) const {
  const json::value* member = object_.if_contains(name);
  if (member == nullptr || !member->is_array()) return wrong(name, "is missing, or no list");
  if (member->get_array().size() > most)
    return wrong(name, "has more than " + std::to_string(most) + " entries");
  std::vector<std::string> out;
  for (const auto& entry : member->get_array()) {
    if (!entry.is_string() || entry.get_string().size() > longest) {
      return wrong(name,
                   "has an entry that is no text, or longer than " + std::to_string(longest) + " bytes");
    }
    out.emplace_back(entry.get_string().data(), entry.get_string().size());
  }
  return out;
}

Result<json::object> parse_object(std::string_view text, std::size_t longest) {
  if (text.size() > longest) {
    return Error::invalid("the message is longer than " + std::to_string(longest) + " bytes");
  }
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return Error::invalid("the message is not a JSON object");
  if (has_a_name_twice(text)) return Error::invalid("the message has two members of one name");
  return std::move(value.get_object());
}

Result<json::object> object_of(std::span<const std::uint8_t> body) {
  return parse_object({reinterpret_cast<const char*>(body.data()), body.size()}, kLargestEnvelope);
}

}  // namespace zkv::protocol
