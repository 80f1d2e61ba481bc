// Errors as values: what went wrong, of which kind, and what to do about it.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace zkv {

enum class ErrorKind {
  kInvalid,   ///< the caller's input is wrong
  kNotFound,  ///< the named thing is not there
  kExists,    ///< the named thing is there already
  kDenied,    ///< refused: by a person, a policy or the system
  kRefused,  ///< a remote party has nothing to do with us, or is not who it should be; no person decided that
  kPending,  ///< nobody has decided yet
  kUnavailable,  ///< a remote party did not answer, or not usably; trying again can help
  kCorrupt,      ///< bytes that fail their check
  kWrongKey,     ///< the key does not open what it was tried on
  kIo,           ///< the system refused an operation on a file, socket or process
  kConflict,     ///< somebody else changed the thing first
  kUnsupported,  ///< understood, but not possible here
  kInterrupted,  ///< stopped by a signal or a shutdown
  kInternal,     ///< a broken promise of our own
  kSuperseded,   ///< what was asked for is asked for anew by somebody who may, in the place of this
};

/// One failure. `message` names the thing and what was wrong with it; `remedy` says what to do, or is empty.
/// Neither ever holds key material.
class Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  static Error invalid(std::string message) { return {ErrorKind::kInvalid, std::move(message)}; }
  static Error not_found(std::string message) { return {ErrorKind::kNotFound, std::move(message)}; }
  static Error exists(std::string message) { return {ErrorKind::kExists, std::move(message)}; }
  static Error denied(std::string message) { return {ErrorKind::kDenied, std::move(message)}; }
  static Error refused(std::string message) { return {ErrorKind::kRefused, std::move(message)}; }
  static Error pending(std::string message) { return {ErrorKind::kPending, std::move(message)}; }
  static Error unavailable(std::string message) { return {ErrorKind::kUnavailable, std::move(message)}; }
  static Error corrupt(std::string message) { return {ErrorKind::kCorrupt, std::move(message)}; }
  static Error wrong_key(std::string message) { return {ErrorKind::kWrongKey, std::move(message)}; }
  static Error io(std::string message) { return {ErrorKind::kIo, std::move(message)}; }
  static Error conflict(std::string message) { return {ErrorKind::kConflict, std::move(message)}; }
  static Error unsupported(std::string message) { return {ErrorKind::kUnsupported, std::move(message)}; }
  static Error interrupted(std::string message) { return {ErrorKind::kInterrupted, std::move(message)}; }
  static Error internal(std::string message) { return {ErrorKind::kInternal, std::move(message)}; }

  /// An I/O error that appends the text of `error_number` (an errno value).
  static Error system(std::string message, int error_number);

  [[nodiscard]] Error remedy(std::string what_to_do) && {
    remedy_ = std::move(what_to_do);
    return std::move(*this);
  }
  /// Gives it a name by which programs tell it from others of its kind, as docs/protocol-v2.md lists them;
  /// `name` is a literal.
  [[nodiscard]] Error named(std::string_view name) && {
    name_ = name;
    return std::move(*this);
  }
  /// Puts `where` and a colon before the message.
  [[nodiscard]] Error context(std::string_view where) && {
    message_.insert(0, std::string(where) + ": ");
    return std::move(*this);
  }

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const std::string& remedy() const { return remedy_; }
  [[nodiscard]] std::string_view name() const { return name_; }

  /// Lets `return Error::invalid("…");` end a function that returns any Result.
  template <class T>
  operator tl::expected<T, Error>() && {  // NOLINT(google-explicit-constructor)
    return tl::unexpected<Error>(std::move(*this));
  }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string remedy_;
  std::string_view name_;
};

template <class T = void>
using Result = tl::expected<T, Error>;

}  // namespace zkv

#define ZKV_CONCAT_(a, b) a##b
#define ZKV_CONCAT(a, b) ZKV_CONCAT_(a, b)
#define ZKV_TRY_(declaration, expression, outcome, leave) \
  auto outcome = (expression);                            \
  if (!outcome) leave std::move(outcome).error();         \
  declaration = std::move(*outcome)
#define ZKV_CHECK_(expression, outcome, leave) \
  if (auto outcome = (expression); !outcome) leave std::move(outcome).error()

/// `ZKV_TRY(auto x, f());` gives x the value of f(), or returns f()'s error.
#define ZKV_TRY(declaration, expression) \
  ZKV_TRY_(declaration, expression, ZKV_CONCAT(outcome_, __LINE__), return )
/// `ZKV_CHECK(f());` returns f()'s error, if it has one.
#define ZKV_CHECK(expression) ZKV_CHECK_(expression, ZKV_CONCAT(outcome_, __LINE__), return )
/// The same two inside a coroutine.
#define ZKV_CO_TRY(declaration, expression) \
  ZKV_TRY_(declaration, expression, ZKV_CONCAT(outcome_, __LINE__), co_return )
#define ZKV_CO_CHECK(expression) ZKV_CHECK_(expression, ZKV_CONCAT(outcome_, __LINE__), co_return )
