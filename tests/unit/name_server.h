// A name server on loopback that says what a test tells it to.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace zkv::test {

class NameServer {
 public:
  NameServer();
  ~NameServer();

  /// "127.0.0.1:PORT".
  [[nodiscard]] std::string address() const;
  /// From now on `name` (as asked, in lower case) of type PTR is answered by these labels' name.
  void point(const std::string& name, const std::string& to);
  /// The same of type A: 4 bytes, or of type AAAA: 16.
  void lead(const std::string& name, const std::vector<std::uint8_t>& to);
  /// It takes questions and never answers.
  void be_silent();
  /// How many questions came.
  [[nodiscard]] std::size_t questions();
  /// Waits for the first question.
  void await_question();

 private:
  void serve();
  std::vector<std::uint8_t> answer(const std::vector<std::uint8_t>& question);

  FileDescriptor socket_;
  FileDescriptor wake_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable asked_;
  std::map<std::string, std::string> names_;
  std::map<std::string, std::vector<std::uint8_t>> addresses_;
  bool is_silent_ = false;
  std::size_t questions_ = 0;
  std::jthread thread_;
};

}  // namespace zkv::test
