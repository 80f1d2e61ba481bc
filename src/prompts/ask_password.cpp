// A question is a file ask.*; its answer a datagram to the socket that it names: "+" and the key, or "-".
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "base/file.h"
#include "base/secret_bytes.h"
#include "prompts/askers.h"

namespace zkv::prompts {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kOfCryptsetup = "cryptsetup:";
constexpr std::string_view kOfZfs = "Encrypted ZFS password for ";

struct Question {
  std::string id;
  std::string message;
  std::string socket;
};

/// The lines of one question; what is not known is passed over.
Question read_question(const fs::path& path) {
  Question question;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Id=")) question.id = line.substr(3);
    if (line.starts_with("Message=")) question.message = line.substr(8);
    if (line.starts_with("Socket=")) question.socket = line.substr(7);
  }
  return question;
}

/// systemd-cryptsetup escapes as C does; in paths of devices only backslashes occur, as in "\x2d".
std::string unescaped(std::string text) {
  for (auto at = text.find("\\\\"); at != std::string::npos; at = text.find("\\\\", at + 1))
    text.erase(at, 1);
  return text;
}

class AskPassword : public Asker {
 public:
  explicit AskPassword(const Places& places) : folder_(places.ask_password) {}

  [[nodiscard]] WatchedFolder folder() const override { return {folder_, /*also_opens=*/false}; }

  [[nodiscard]] std::vector<Prompt> prompts() const override {
    std::vector<Prompt> prompts;
    std::error_code failed;
    for (fs::directory_iterator entry(folder_, failed), end; !failed && entry != end;
         entry.increment(failed)) {
      if (!entry->path().filename().string().starts_with("ask.")) continue;
      const auto question = read_question(entry->path());
      Prompt prompt{.id = entry->path(), .reply = question.socket};
      if (question.id.starts_with(kOfCryptsetup)) {
        prompt.device = unescaped(question.id.substr(kOfCryptsetup.size()));
      } else if (question.message.starts_with(kOfZfs)) {
        prompt.wants = Wants::kOpened;
        prompt.volume = question.message.substr(kOfZfs.size());
        if (prompt.volume.ends_with(':')) prompt.volume.pop_back();
      } else {
        continue;
      }
      prompts.push_back(std::move(prompt));
    }
    return prompts;
  }

  [[nodiscard]] Result<> answer(const Prompt& prompt, std::span<const std::uint8_t> key) const override {
    // Answers are strings that zero bytes part from one another.
    if (std::find(key.begin(), key.end(), 0) != key.end())
      return Error::unsupported("the key has a zero byte, which systemd's prompt does not take")
          .remedy("give the volume a key of text in another key slot, and put that into the repository");
    SecretBuilder message;
    message.push_back(prompt.wants == Wants::kKey ? '+' : '-');
    message.append(key);
    return send(prompt.reply, message.take());
  }

 private:
  static Result<> send(const std::string& to, const SecretBytes& message) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (to.empty() || to.size() >= sizeof address.sun_path)
      return Error::io("a prompt names no socket that could be answered");
    std::copy(to.begin(), to.end(), address.sun_path);
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.is_open()) return Error::system("cannot make a socket", errno);
    if (::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
      return Error::unavailable("the prompt at " + to + " is gone");
    return {};
  }

  fs::path folder_;
};

}  // namespace

std::unique_ptr<Asker> ask_password(const Places& places) { return std::make_unique<AskPassword>(places); }

}  // namespace zkv::prompts
