#!/usr/bin/env bash
# Speed as ratios: hookhost and its peers side by side, in one run, on the same payload, the rounds interleaved. Builds in release, prints one
# table and, as the last line, the same as JSON. Nothing here is a test: figures depend on the machine, only the ratios are worth comparing.
#
#   tests/bench/run.sh [--rounds N] [--seconds N] [--events N]
#
#   --rounds N     rounds over all peers (default 5)
#   --seconds N    of load for each peer in a round (default 3)
#   --events N     events in the log that is replayed and held as a backlog (default 1000000)
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
here=$repository/tests/bench build=$repository/build/release
rounds=5 seconds=3 events=1000000
while [ $# -gt 0 ]; do
  case "$1" in
    --rounds) rounds=${2:?}; shift ;;
    --seconds) seconds=${2:?}; shift ;;
    --events) events=${2:?}; shift ;;
    -h|--help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option '$1'; see run.sh --help" >&2; exit 2 ;;
  esac
  shift
done

tools=(wrk nginx-light webhook curl)
command -v node >/dev/null && command -v npm >/dev/null || tools+=(nodejs npm)
"$repository/conf/debian/install.sh" "${tools[@]}" >&2
cmake -S "$repository" --preset release -DHOOKHOST_BENCH=ON >/dev/null
cmake --build "$build" -- --quiet >&2
mkdir -p "$build/peers"
cp "$here/peers/package.json" "$here/peers/octokit.mjs" "$build/peers/"
(cd "$build/peers" && npm install --no-audit --no-fund --silent >&2) || echo "run.sh: @octokit/webhooks cannot be installed: left out" >&2

work=$(mktemp -d "${TMPDIR:-/tmp}/hookhost-bench-XXXXXX")
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
free_port() { local port=$((20000 + RANDOM % 10000)); while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done; echo "$port"; }
listens() { for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; echo "run.sh: nothing listens on port $1" >&2; exit 1; }
note() { printf '%s\n' "$1" >>"$work/results"; }

# The same bodies of 700 bytes for everyone, of 1,000 repositories (the key), signed as GitHub signs.
export BENCH_SECRET=bench-secret BENCH_REQUESTS=$work/requests
"$build/tests/bench/bench_events" requests 1000 "$BENCH_SECRET" >"$BENCH_REQUESTS"
plugins=$build/tests/bench

# host NAME YAML...: a host of its own directory on fresh ports; sets public, admin, host_pid.
host() {
  local name=$1
  public=$(free_port) admin=$(free_port)
  mkdir -p "$work/$name"
  { printf 'data_dir: data\nlisten: {address: "127.0.0.1:%s", threads: 2}\nadmin: {address: "127.0.0.1:%s"}\n' "$public" "$admin"
    printf 'diagnostics: {level: warn}\n'; cat; } >"$work/$name/hookhost.yaml"
  BENCH_STAMPS=$work/stamps "$build/host/app/hookhost" -c "$work/$name/hookhost.yaml" serve >"$work/$name/log" 2>&1 &
  host_pid=$!
  pids+=("$host_pid")
  for _ in $(seq 600); do curl -sf "http://127.0.0.1:$admin/readyz" >/dev/null && return; sleep 0.1; done
  cat "$work/$name/log" >&2
  exit 1
}
hookhost() { "$build/host/app/hookhost" "$@"; }

# ---- ingest ----
truncate -s 1M "$work/stamps"
host ingest <<YAML
sources:
  github: {scheme: github, secrets: ["$BENCH_SECRET"]}
  kakiyo: {scheme: kakiyo, secrets: ["$BENCH_SECRET"]}
plugins:
  noop: {library: $plugins/bench_noop.so, events: ["github:*"]}
  stamp: {library: $plugins/bench_stamp.so, events: ["kakiyo:*"]}
YAML
ingest_port=$public
declare -A port path
port[hookhost]=$ingest_port path[hookhost]=/in/github
port[pistache]=$(free_port) path[pistache]=/in/github
"$build/tests/bench/pistache_bare" "${port[pistache]}" >/dev/null 2>&1 & pids+=($!)
# Whoever may still work behind its round is halted meanwhile, so that it does not slow the next one: hookhost with what its plugin has not handled
# yet, adnanh/webhook with the commands it has answered for and not yet run.
declare -A busy=([hookhost]=$host_pid [pistache]=$!)
port[nginx]=$(free_port) path[nginx]=/in/github
sed "s|@DIR@|$work|g; s|@PORT@|${port[nginx]}|g" "$here/peers/nginx.conf.in" >"$work/nginx.conf"
nginx -c "$work/nginx.conf" -e "$work/nginx.log" & pids+=($!)
peers=(hookhost pistache nginx)
if [ -d "$build/peers/node_modules/@octokit/webhooks" ]; then
  port[octokit]=$(free_port) path[octokit]=/in/github
  (cd "$build/peers" && exec node octokit.mjs "${port[octokit]}") >/dev/null 2>&1 & pids+=($!)
  peers+=(octokit)
fi
port[adnanh]=$(free_port) path[adnanh]=/hooks/github
sed "s|@SECRET@|$BENCH_SECRET|" "$here/peers/adnanh.json.in" >"$work/adnanh.json"
webhook -hooks "$work/adnanh.json" -ip 127.0.0.1 -port "${port[adnanh]}" >/dev/null 2>&1 & pids+=($!)
busy[adnanh]=$!
peers+=(adnanh)
for peer in "${peers[@]}"; do listens "${port[$peer]}"; done

# load NAME PEER KEYS
load() {
  local result
  for other in "${!busy[@]}"; do [ "$other" = "$2" ] && kill -CONT "${busy[$other]}" || kill -STOP "${busy[$other]}"; done
  result=$(BENCH_PATH=${path[$2]} BENCH_RUN="$$-$round-$1" BENCH_KEYS=$3 wrk -t1 -c64 "-d${seconds}s" -s "$here/load.lua" "http://127.0.0.1:${port[$2]}" | sed -n 's/^RESULT {/{/p')
  note "{\"what\":\"$1\",${result#\{}"
  echo "round $round: $1 ${result}" >&2
}
for round in $(seq "$rounds"); do
  for peer in "${peers[@]}"; do load "$peer" "$peer" 1000; done
  load one_key hookhost 1
done

# ---- one by one ----
kill -CONT "${busy[hookhost]}"
for _ in $(seq 300); do hookhost -c "$work/ingest/hookhost.yaml" status noop --json | grep -q '"lag_events":0,' && break; sleep 0.2; done
trip=$("$build/tests/bench/bench_round_trip" "$ingest_port" "$work/stamps" "$work/synced" 2000)
note "{\"what\":\"round_trip\",${trip#\{}"
for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null || true; done
wait 2>/dev/null || true
pids=()

# ---- replay, and memory with a backlog ----
rss_kib() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }
mkdir -p "$work/backlog/data"
quiet="sources: {github: {scheme: github, secrets: [\"$BENCH_SECRET\"]}}"
held="plugins: {noop: {library: $plugins/bench_noop.so, start_at: hold}}"
host empty <<<"$quiet"$'\n'"$held"
sleep 2
empty_kib=$(rss_kib "$host_pid")
kill "$host_pid"; wait "$host_pid" 2>/dev/null || true
mkdir -p "$work/backlog/data/events" && cp "$work/empty/data/registry.db" "$work/backlog/data/"
echo "filling an event log with $events events" >&2
"$build/tests/bench/bench_events" fill "$work/backlog/data/events" "$events"
"$build/tests/bench/bench_events" scan "$work/backlog/data/events" >/dev/null  # warm
host backlog <<<"$quiet"$'\n'"$held"
sleep 2
held_kib=$(rss_kib "$host_pid")
for _ in 1 2 3; do
  scan=$("$build/tests/bench/bench_events" scan "$work/backlog/data/events")
  note "{\"what\":\"scan\",${scan#\{}"
  replay=$(hookhost -c "$work/backlog/hookhost.yaml" replay noop --from beginning --live wait --reset --yes --json | tail -n 1)
  note "$(node -e 'const r = JSON.parse(process.argv[1]); console.log(JSON.stringify({what: "replay", handled: r.handled, seconds: (new Date(r.finished_at) - new Date(r.created_at)) / 1000}))' "$replay")"
done
note "{\"what\":\"memory\",\"events\":$events,\"empty_kib\":$empty_kib,\"held_kib\":$held_kib,\"backlog_kib\":$(rss_kib "$host_pid")}"
node "$here/report.mjs" "$work/results"
