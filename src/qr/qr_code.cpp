// A copy of libqrencode's modules, and runs of dark ones as a path.
#include "qr/qr_code.h"

#include <dlfcn.h>
#include <qrencode.h>
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero

#include <span>
#include <string>

namespace zkv {

namespace {

constexpr const char* kLibrary = "libqrencode.so.4";

struct LibraryCloser {
  void operator()(void* library) const { ::dlclose(library); }
};

struct CodeDeleter {
  decltype(&::QRcode_free) free = nullptr;
  void operator()(QRcode* code) const {
    ::explicit_bzero(code->data,
                     static_cast<std::size_t>(code->width) * static_cast<std::size_t>(code->width));
    free(code);
  }
};

template <class Function>
Function function_of(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

}  // namespace

QrCode::QrCode(std::string_view text) {
  const std::unique_ptr<void, LibraryCloser> library(::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL));
  if (!library) return;
  const auto encode = function_of<decltype(&::QRcode_encodeData)>(library.get(), "QRcode_encodeData");
  const CodeDeleter deleter{function_of<decltype(&::QRcode_free)>(library.get(), "QRcode_free")};
  if (encode == nullptr || deleter.free == nullptr) return;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::unique_ptr<QRcode, CodeDeleter> code(
      encode(static_cast<int>(text.size()), bytes, 0, QR_ECLEVEL_L), deleter);
  if (!code) return;
  width_ = code->width;
  modules_ = SecretBytes::copy_of(
      std::span(code->data, static_cast<std::size_t>(width_) * static_cast<std::size_t>(width_)));
}

bool QrCode::is_dark(int row, int column) const {
  if (row < 0 || column < 0 || row >= width_ || column >= width_) return false;
  return (modules_.data()[row * width_ + column] & 1U) != 0;
}

SecretBytes svg_path(const QrCode& code) {
  SecretBuilder path;
  for (int row = 0; row < code.width(); ++row) {
    for (int column = 0; column < code.width(); ++column) {
      const int begin = column;
      while (code.is_dark(row, column)) ++column;
      const int run = column - begin;
      if (run == 0) continue;
      path.append("M" + std::to_string(begin) + " " + std::to_string(row) + "h" + std::to_string(run) +
                  "v1h-" + std::to_string(run) + "z");
    }
  }
  return path.take();
}

}  // namespace zkv
