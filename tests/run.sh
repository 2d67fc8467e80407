#!/usr/bin/env bash
# Builds everything and runs every test. The last line is "N passed, N failed"; the exit status is 0 only when nothing failed.
#
#   tests/run.sh [--quick] [--only LABEL] [--sanitize address|thread]
#
#   --quick            fewer rounds of the random and kill -9 tests
#   --only LABEL       unit, abi, fault, system, fuzz or interop
#   --sanitize KIND    address: ASan and UBSan (default); thread: TSan
set -euo pipefail
cd "$(dirname "$0")/.."

preset=dev
select=()
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) export HOOKHOST_QUICK=1 ;;
    --only) select=(-L "^${2:?--only wants a label: unit, abi, fault, system, fuzz or interop}\$"); shift ;;
    --sanitize)
      case "${2:-}" in
        address) preset=dev ;;
        thread) preset=tsan ;;
        *) echo "tests/run.sh: --sanitize wants address or thread" >&2; exit 2 ;;
      esac
      shift ;;
    -h|--help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "tests/run.sh: unknown option '$1'; see tests/run.sh --help" >&2; exit 2 ;;
  esac
  shift
done

conf/debian/install.sh ccache mold clang
jobs=$(nproc)
cmake --preset "$preset" >"/tmp/hookhost-configure.$$" 2>&1 || { cat "/tmp/hookhost-configure.$$"; rm -f "/tmp/hookhost-configure.$$"; exit 1; }
rm -f "/tmp/hookhost-configure.$$"
echo "building (preset $preset)"
cmake --build "build/$preset" -j "$jobs" -- --quiet || { echo "the build failed"; echo "0 passed, 1 failed"; exit 1; }

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp"
report="build/$preset/ctest.txt"
ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure --no-tests=error "${select[@]}" 2>&1 | tee "$report" | grep -vE '^ +Start +[0-9]+:|Passed +[0-9.]+ sec$' || true

total=$(sed -nE 's/.*tests passed, [0-9]+ tests failed out of ([0-9]+).*/\1/p' "$report" | tail -n 1)
failed=$(sed -nE 's/.*tests passed, ([0-9]+) tests failed out of [0-9]+.*/\1/p' "$report" | tail -n 1)
if [ -z "${total:-}" ]; then echo "0 passed, 1 failed"; exit 1; fi
skipped=$(grep -cE '\*\*\*Skipped' "$report" || true)
[ "$skipped" -eq 0 ] || { echo "skipped ($skipped):"; grep -E '\*\*\*Skipped' "$report" || true; }
echo "$((total - failed - skipped)) passed, $failed failed"
[ "$failed" -eq 0 ]
