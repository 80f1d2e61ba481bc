// The answer as text, through the pipe of a bound child.
#include "unlock/worker_child.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

namespace zkv::unlock {

namespace {

constexpr std::size_t kLongestAnswer = 4096;  // PIPE_BUF: one write that no reader sees halved
constexpr char kDone = '+';

/// As text: '+' and the number, or a letter for the kind of error and then message and remedy with a zero
/// between them.
std::string answer_text(const Result<std::uint64_t>& result) {
  if (result) return kDone + std::to_string(*result);
  const Error& error = result.error();
  std::string text(1, static_cast<char>('A' + static_cast<int>(error.kind())));
  text += error.message() + '\0' + error.remedy();
  return text.substr(0, kLongestAnswer);
}

Result<std::uint64_t> read_answer(const std::string& text) {
  if (text.empty()) return Error::internal("the process that opened it died");
  if (text.front() == kDone) {
    std::uint64_t number = 0;
    std::from_chars(text.data() + 1, text.data() + text.size(), number);
    return number;
  }
  const auto end = text.find('\0');
  Error error(static_cast<ErrorKind>(text.front() - 'A'), text.substr(1, end - 1));
  if (end == std::string::npos || end + 1 == text.size()) return error;
  return std::move(error).remedy(text.substr(end + 1));
}

}  // namespace

WorkerChild::WorkerChild(BoundChild child)
    : child_(std::move(child)), begun_(std::chrono::steady_clock::now()) {}

Result<WorkerChild> WorkerChild::start(const Work& work, std::chrono::milliseconds limit) {
  const auto run = [&work](int answer) {
    const std::string text = answer_text(work.run());
    while (::write(answer, text.data(), text.size()) < 0 && errno == EINTR) {
    }
  };
  ZKV_TRY(auto child, BoundChild::start(run, limit));
  return WorkerChild(std::move(child));
}

bool WorkerChild::listen() {
  std::array<char, kLongestAnswer> chunk{};
  const ssize_t got = ::read(answer(), chunk.data(), chunk.size());
  if (got > 0) text_.append(chunk.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

Result<std::uint64_t> WorkerChild::result() const { return read_answer(text_); }

}  // namespace zkv::unlock
