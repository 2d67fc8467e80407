# Ingest: load from wrk on everyone in turn, then requests one by one.
mkdir -p "$build/peers"
cp "$here/peers/package.json" "$here/peers/octokit.mjs" "$build/peers/"
(cd "$build/peers" && npm install --no-audit --no-fund --silent >&2) || echo "run.sh: @octokit/webhooks cannot be installed: left out" >&2

# The same bodies of 700 bytes for everyone, of 1,000 repositories (the key), signed as GitHub signs.
"$build/tests/bench/bench_events" requests 1000 "$BENCH_SECRET" >"$BENCH_REQUESTS"

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
static_nginx ingest
port[nginx]=$nginx_port path[nginx]=/in/github
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
end_all
