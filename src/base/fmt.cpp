// The formatting library's own code, compiled here once for all rooms. Debian has it in a shared library
// only, which every start of a program would have to load.
#include <fmt/format-inl.h>

namespace fmt::detail {

template thousands_sep_result<char> thousands_sep_impl<char>(locale_ref);
template char decimal_point_impl<char>(locale_ref);
template thousands_sep_result<wchar_t> thousands_sep_impl<wchar_t>(locale_ref);
template wchar_t decimal_point_impl<wchar_t>(locale_ref);

}  // namespace fmt::detail
