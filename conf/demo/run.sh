#!/usr/bin/env bash
# Shows hookhost on this machine, in under a minute after the build: signed Kakiyo events come in while the host is killed with kill -9; then a
# plugin that is built outside this repository is enabled and gets everything that was received before it existed.
#
#   conf/demo/run.sh [--keep]      --keep leaves the host running and says where
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
keep=; [ "${1:-}" = --keep ] && keep=1

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
proved() { printf '  proved: %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

"$repository/conf/debian/install.sh" ccache mold sqlite3 curl
echo "building (release)"
cmake -S "$repository" --preset release >/dev/null
cmake --build "$repository/build/release" -j "$(nproc)" -- --quiet

begun=$SECONDS
work=$(mktemp -d "${TMPDIR:-/tmp}/hookhost-demo-XXXXXX")
host_pid=
cleanup() {
  [ -n "$keep" ] && return
  [ -z "$host_pid" ] || { kill "$host_pid" 2>/dev/null && wait "$host_pid" 2>/dev/null; } || true
  rm -rf "$work"
}
trap cleanup EXIT

cmake --install "$repository/build/release" --prefix "$work/hookhost" >/dev/null
export PATH="$work/hookhost/bin:$PATH"
cd "$work"

# Two ports that nobody listens on.
port=18080; while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || (exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; do port=$((port + 2)); done
cat > hookhost.yaml <<YAML
data_dir: data
listen: {address: "127.0.0.1:$port"}
admin: {address: "127.0.0.1:$((port + 1))"}
event_log: {disk_free_min: 64MiB}
sources:
  kakiyo: {scheme: kakiyo, secrets: ["\${KAKIYO_WEBHOOK_SECRET}"]}
plugins:
  jsonl: {library: hookhost/lib/hookhost/plugins/jsonl_export.so, config: {path: events.jsonl}}
  crm: {library: hookhost/lib/hookhost/plugins/prospect_crm.so, config: {path: crm.db}}
YAML
export KAKIYO_WEBHOOK_SECRET=$(head -c 18 /dev/urandom | base64)

serve() {
  hookhost -c hookhost.yaml serve 2>>serve.log &
  host_pid=$!
  disown "$host_pid"
  for _ in $(seq 200); do curl -sf "http://127.0.0.1:$((port + 1))/readyz" >/dev/null && return; sleep 0.05; done
  tail -5 serve.log >&2
  die "the host did not become ready"
}
caught_up() {  # until every subscriber named has nothing left
  for _ in $(seq 400); do
    hookhost -c hookhost.yaml status --json >status.json
    [ "$(grep -cE '"lag_events":0,.*"pending":0,' status.json)" -ge "$1" ] && return
    sleep 0.05
  done
  cat status.json >&2
  die "a subscriber did not catch up"
}

say "1. Signed webhooks come in; the host is killed with kill -9 three times meanwhile"
serve
: >answers.txt
sender() {  # keeps sending; an event that is not answered is simply not counted, as a provider would send it again
  for n in $(seq 1 40); do
    hookhost -c hookhost.yaml send kakiyo linkedin.message.received --set "data.chatId=chat_$((n % 5))" --set "data.message=message $1-$n" 2>/dev/null >>"answers.$1" || true
  done
}
sender a & sender_a=$!
sender b & sender_b=$!
for _ in 1 2 3; do
  sleep 0.4
  kill -9 "$host_pid"
  serve
done
wait "$sender_a" "$sender_b"
hookhost -c hookhost.yaml send kakiyo linkedin.invitation.accepted --count 500 --set data.chatId=chat_500 | tail -1
caught_up 2

grep -ho 'evt_[0-9A-Z]*' answers.a answers.b | sort >answered.txt
hookhost -c hookhost.yaml events list --json | grep -o '"id":"evt_[0-9A-Z]*"' | grep -o 'evt_[0-9A-Z]*' | sort >logged.txt
[ -z "$(uniq -d logged.txt)" ] || die "an event is in the event log twice"
[ -z "$(comm -23 answered.txt logged.txt)" ] || die "an answered event is missing"
proved "3 kills; $(wc -l <answered.txt) events were answered 2xx under fire, all of them are in the event log, each once ($(wc -l <logged.txt) events in all)"

grep -o '"id":"evt_[0-9A-Z]*"' events.jsonl | grep -o 'evt_[0-9A-Z]*' | sort >exported.txt
cmp -s logged.txt exported.txt || die "jsonl_export's file differs from the event log"
proved "jsonl_export wrote each of the $(wc -l <exported.txt) events exactly once, over all kills"
messages=$(sqlite3 crm.db 'SELECT count(*) FROM messages')
[ "$messages" -eq "$(grep -c 'linkedin.message.received' events.jsonl)" ] || die "prospect_crm's table differs from the events"
proved "prospect_crm's tables hold $messages messages in $(sqlite3 crm.db 'SELECT count(*) FROM chats') chats, each once"

say "2. A plugin of your own: written, built outside the repository, enabled with three lines of YAML"
hookhost plugin new counter
cmake -S counter -B counter/build -DCMAKE_PREFIX_PATH="$work/hookhost" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build counter/build >/dev/null
cat >> hookhost.yaml <<'YAML'
  counter:
    library: counter/build/counter.so
    start_at: hold
YAML
hookhost -c hookhost.yaml reload
before=$(wc -l <logged.txt)
proved "it is loaded and was handed nothing yet: $(hookhost -c hookhost.yaml status counter | grep -E '^(state|earlier_events)' | tr '\n' ' ')"

say "3. Everything that was received before it existed is replayed into it, while new events arrive"
hookhost -c hookhost.yaml send kakiyo linkedin.message.sent --count 300 --set data.chatId=chat_1 >/dev/null & live=$!
hookhost -c hookhost.yaml replay counter --from beginning --live wait --yes
wait "$live"
caught_up 3
wanted=$(hookhost -c hookhost.yaml events list --type 'linkedin.message.*' --json | wc -l)
handled=$(hookhost -c hookhost.yaml status counter --json | grep -oE '"ok":[0-9]+' | grep -oE '[0-9]+')
[ "$wanted" -eq "$handled" ] || die "the plugin handled $handled of $wanted events"
proved "it handled $handled messages: all that came before it existed, then the live ones, each once, no gap"

if [ -z "$keep" ]; then
  say "Done in $((SECONDS - begun)) s after the build; nothing is left behind"
  exit 0
fi
say "Done in $((SECONDS - begun)) s after the build"
printf 'host: pid %s, in %s, admin at http://127.0.0.1:%s\n' "$host_pid" "$work" "$((port + 1))"
