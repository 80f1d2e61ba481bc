// Boost.JSON over a monotonic resource in secret memory.
#include "gateway/vault/secret_json.h"

#include <boost/json/null_resource.hpp>
#include <boost/json/parser.hpp>
#include <exception>
#include <utility>

#include "base/stack_wiper.h"

namespace zkv::gateway {

namespace json = boost::json;

namespace {

[[gnu::noinline]] json::value parse_in(std::string_view text, const json::storage_ptr& memory) {
  json::parser parser(memory);
  parser.reset(memory);
  parser.write(text.data(), text.size());
  return parser.release();
}

/// Enough for the values of a document of that length and for the parser's own growing stack.
std::size_t memory_for(std::size_t text_size) { return (8U << 10U) + 64 * text_size; }

}  // namespace

SecretJson::Memory::Memory(std::size_t size)
    : bytes(size), resource(bytes.data(), bytes.size(), json::get_null_resource()), root(&resource) {}

Result<SecretJson> SecretJson::parse(std::span<const std::uint8_t> text) {
  const StackWiper wiper;  // the parser builds strings with escapes in a buffer on the stack
  auto memory = std::make_unique<Memory>(memory_for(text.size()));
  try {
    const std::string_view characters(reinterpret_cast<const char*>(text.data()), text.size());
    memory->root = parse_in(characters, &memory->resource);
  } catch (const std::exception&) {
    return Error::unavailable("the answer is not JSON");
  }
  return SecretJson(std::move(memory));
}

const json::value* SecretJson::find(std::string_view pointer) const {
  json::error_code error;
  return memory_->root.find_pointer(pointer, error);
}

std::optional<std::string_view> SecretJson::text(std::string_view pointer) const {
  const json::value* found = find(pointer);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string_view(found->get_string());
}

std::optional<std::int64_t> SecretJson::number(std::string_view pointer) const {
  const json::value* found = find(pointer);
  if (found == nullptr || !found->is_int64()) return std::nullopt;
  return found->get_int64();
}

std::optional<bool> SecretJson::boolean(std::string_view pointer) const {
  const json::value* found = find(pointer);
  if (found == nullptr || !found->is_bool()) return std::nullopt;
  return found->get_bool();
}

}  // namespace zkv::gateway
