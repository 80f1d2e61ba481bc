// fork, a pipe for each child's answer, and poll over all of them.
#include "unlock/workers.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "base/file.h"

namespace zkv::unlock {

namespace {

using WorkerClock = std::chrono::steady_clock;

constexpr std::size_t kLongestAnswer = 4096;  // PIPE_BUF: one write that no reader sees halved
constexpr char kDone = '+';

/// As text: '+', or a letter for the kind of error and then message and remedy with a zero between them.
std::string answer_text(const Result<>& result) {
  if (result) return {kDone};
  const Error& error = result.error();
  std::string text(1, static_cast<char>('A' + static_cast<int>(error.kind())));
  text += error.message() + '\0' + error.remedy();
  return text.substr(0, kLongestAnswer);
}

Result<> read_answer(const std::string& text) {
  if (text.empty()) return Error::internal("the process that opened it died");
  if (text.front() == kDone) return {};
  const auto end = text.find('\0');
  Error error(static_cast<ErrorKind>(text.front() - 'A'), text.substr(1, end - 1));
  if (end == std::string::npos || end + 1 == text.size()) return error;
  return std::move(error).remedy(text.substr(end + 1));
}

[[noreturn]] void be_child(int fd, const Work& work) {
  sigset_t ending;
  ::sigemptyset(&ending);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ending, signal);
  ::sigprocmask(SIG_SETMASK, &ending, nullptr);
  const std::string text = answer_text(work.run());
  while (::write(fd, text.data(), text.size()) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

struct Worker {
  std::size_t index = 0;  ///< of its work
  pid_t pid = 0;
  FileDescriptor answer;
  std::string text;
  WorkerClock::time_point begun;
};

Result<Worker> start_worker(std::size_t index, const Work& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::system("making a pipe", errno);
  FileDescriptor read_end(ends[0]);
  const FileDescriptor write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return Error::system("starting a child", errno);
  if (pid == 0) be_child(write_end.get(), work);
  return Worker{index, pid, std::move(read_end), {}, WorkerClock::now()};
}

void end_worker(const Worker& worker, bool kill_it) {
  if (kill_it) ::kill(worker.pid, SIGKILL);
  while (::waitpid(worker.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// All workers that live at one moment.
class Crew {
 public:
  Crew(const std::vector<Work>& works, const WorkerBounds& bounds, std::vector<Worked>& worked)
      : works_(works), bounds_(bounds), worked_(worked) {}

  [[nodiscard]] bool is_idle() const { return workers_.empty(); }

  [[nodiscard]] bool has_room_for(std::size_t index) const {
    if (workers_.empty()) return true;
    return workers_.size() < bounds_.workers && memory_ + works_[index].memory <= bounds_.memory;
  }

  void begin(std::size_t index) {
    auto worker = start_worker(index, works_[index]);
    if (!worker) {
      worked_[index].result = tl::unexpected(worker.error());
      return;
    }
    memory_ += works_[index].memory;
    workers_.push_back(std::move(*worker));
  }

  /// Waits until at least one has said something or used up its time, and takes what was said.
  void wait() {
    std::vector<pollfd> watched;
    for (const auto& worker : workers_) watched.push_back({worker.answer.get(), POLLIN, 0});
    if (::poll(watched.data(), watched.size(), milliseconds_left()) < 0) return;
    for (std::size_t i = workers_.size(); i-- > 0;) {
      if (watched[i].revents != 0) listen_to(i);
    }
    for (std::size_t i = workers_.size(); i-- > 0;) {
      if (WorkerClock::now() - workers_[i].begun >= bounds_.limit) give_up(i);
    }
  }

 private:
  [[nodiscard]] int milliseconds_left() const {
    const auto first = std::min_element(workers_.begin(), workers_.end(),
                                        [](const auto& a, const auto& b) { return a.begun < b.begun; });
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(first->begun + bounds_.limit - WorkerClock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
  }

  void listen_to(std::size_t place) {
    Worker& worker = workers_[place];
    std::array<char, kLongestAnswer> chunk{};
    const ssize_t got = ::read(worker.answer.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) return;
    if (got > 0) {
      worker.text.append(chunk.data(), static_cast<std::size_t>(got));
      return;
    }
    let_go(place, read_answer(worker.text), false);
  }

  void give_up(std::size_t place) { let_go(place, Error::unavailable("it did not open in time"), true); }

  void let_go(std::size_t place, Result<> result, bool kill_it) {
    const Worker& worker = workers_[place];
    end_worker(worker, kill_it);
    worked_[worker.index] = {
        std::move(result), std::chrono::round<std::chrono::milliseconds>(WorkerClock::now() - worker.begun)};
    memory_ -= works_[worker.index].memory;
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(place));
  }

  const std::vector<Work>& works_;
  const WorkerBounds& bounds_;
  std::vector<Worked>& worked_;
  std::vector<Worker> workers_;
  std::uint64_t memory_ = 0;
};

/// "MemAvailable" of proc(5), in KiB; 0 where the kernel does not say.
std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t number = 0;
    if (word == "MemAvailable:" && file >> number) return number;
  }
  return 0;
}

}  // namespace

WorkerBounds bounds_of_machine(std::chrono::milliseconds limit) {
  return {std::max(1U, std::thread::hardware_concurrency()), available_memory() / 4 * 3, limit};
}

std::vector<Worked> work_in_children(const std::vector<Work>& works, const WorkerBounds& bounds,
                                     const std::stop_token& stop) {
  const Error interrupted = Error::interrupted("not tried, since a stop was asked for");
  std::vector<Worked> worked(works.size(), {tl::unexpected(interrupted), {}});
  Crew crew(works, bounds, worked);
  std::size_t next = 0;
  while (true) {
    while (next < works.size() && !stop.stop_requested() && crew.has_room_for(next)) crew.begin(next++);
    if (!crew.is_idle()) {
      crew.wait();
    } else if (next == works.size() || stop.stop_requested()) {
      return worked;
    }
  }
}

}  // namespace zkv::unlock
