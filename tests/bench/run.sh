#!/usr/bin/env bash
# Speed as ratios: hookhost and its peers side by side, in one run, on the same payload, the rounds interleaved. Builds in release, prints one
# table and, as the last line, the same as JSON. Nothing here is a test: figures depend on the machine, only the ratios are worth comparing.
#
#   tests/bench/run.sh [--rounds N] [--seconds N] [--events N] [--only PART]...
#
#   --rounds N     rounds over all peers (default 5)
#   --seconds N    of load for each peer in a round (default 3)
#   --events N     events in the log that is replayed and held as a backlog (default 1000000)
#   --only PART    ingest, backlog or deliveries (default: all three), or registrations: 100,000 endpoints, some minutes
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
here=$repository/tests/bench build=$repository/build/release plugins=$repository/build/release/tests/bench
rounds=5 seconds=3 events=1000000 parts=()
while [ $# -gt 0 ]; do
  case "$1" in
    --rounds) rounds=${2:?}; shift ;;
    --seconds) seconds=${2:?}; shift ;;
    --events) events=${2:?}; shift ;;
    --only)
      [ -f "$here/parts/${2:?}.sh" ] || { echo "run.sh: there is no part '$2'; see run.sh --help" >&2; exit 2; }
      parts+=("$2"); shift ;;
    -h|--help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option '$1'; see run.sh --help" >&2; exit 2 ;;
  esac
  shift
done
[ "${#parts[@]}" -gt 0 ] || parts=(ingest backlog deliveries)

tools=(wrk nginx-light webhook curl)
command -v node >/dev/null && command -v npm >/dev/null || tools+=(nodejs npm)
"$repository/conf/debian/install.sh" "${tools[@]}" >&2
cmake -S "$repository" --preset release -DHOOKHOST_BENCH=ON >/dev/null
cmake --build "$build" -- --quiet >&2

work=$(mktemp -d "${TMPDIR:-/tmp}/hookhost-bench-XXXXXX")
pids=()
source "$here/common.sh"
trap 'end_all; rm -rf "$work"' EXIT
export BENCH_SECRET=bench-secret BENCH_REQUESTS=$work/requests
for part in "${parts[@]}"; do source "$here/parts/$part.sh"; done
node "$here/report.mjs" "$work/results"
