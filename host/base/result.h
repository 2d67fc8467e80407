// Result<T>: a value or an Error, and the macros that pass an error on. The only header that includes Boost.Outcome.
//
//   Result<File> open(...);
//   HOOKHOST_TRY(auto file, open(path));     // returns the error to the caller, else declares `file`
//   HOOKHOST_CHECK(file.sync());             // the same for Result<void>
#pragma once

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/try.hpp>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/error.h"

namespace hookhost {
namespace detail {

// Reading the value of a failed result is a programmer's error: it ends the process, in release too.
struct AssertPolicy : boost::outcome_v2::policy::base {
  template <class Impl>
  static constexpr void wide_value_check(Impl&& self) {
    if (!base::_has_value(std::forward<Impl>(self))) fail("value() of a failed Result");
  }
  template <class Impl>
  static constexpr void wide_error_check(Impl&& self) {
    if (!base::_has_error(std::forward<Impl>(self))) fail("error() of a Result that holds a value");
  }
  template <class Impl>
  static constexpr void wide_exception_check(Impl&&) {}
  template <class Impl>
  static constexpr void narrow_value_check(Impl&& self) { wide_value_check(std::forward<Impl>(self)); }
  template <class Impl>
  static constexpr void narrow_error_check(Impl&& self) { wide_error_check(std::forward<Impl>(self)); }
  template <class Impl>
  static constexpr void narrow_exception_check(Impl&&) {}

 private:
  static void fail(const char* what) { assertion_failed(what, __FILE__, __LINE__); }
};

}  // namespace detail

template <class T = void>
using Result = boost::outcome_v2::basic_result<T, Error, detail::AssertPolicy>;

// A failed result of any type: `return fail(ErrorCode::io_error, "cannot write " + path);`
[[nodiscard]] inline auto fail(ErrorCode code, std::string message) {
  return boost::outcome_v2::failure(Error{code, std::move(message)});
}
[[nodiscard]] inline auto fail(Error error) { return boost::outcome_v2::failure(std::move(error)); }
[[nodiscard]] inline auto success() { return boost::outcome_v2::success(); }

}  // namespace hookhost

#define HOOKHOST_TRY(declaration, ...) BOOST_OUTCOME_TRY(declaration, __VA_ARGS__)
#define HOOKHOST_CHECK(...)                                                                                        \
  do {                                                                                                             \
    if (auto hookhost_checked = (__VA_ARGS__); !hookhost_checked) return ::hookhost::fail(hookhost_checked.error()); \
  } while (false)
