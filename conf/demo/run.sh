#!/usr/bin/env bash
# Shows hookhost on this machine, in under a minute after the build: signed Kakiyo events come in while the host is killed with kill -9; then a
# plugin that is built outside this repository is enabled and gets everything that was received before it existed; then an HTTP receiver, which
# is a second hookhost, is killed too and misses nothing. Each number that it prints is checked; the first that is wrong ends it with status 1.
#
#   conf/demo/run.sh [--keep]      --keep leaves the hosts running and says where
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
declare -A host_pid=()  # by the name of its configuration
senders=()
cleanup() {
  local status=$?
  trap - EXIT INT TERM
  touch "$work/sent_enough"
  [ ${#senders[@]} -eq 0 ] || wait "${senders[@]}" 2>/dev/null || true
  [ -n "$keep" ] && [ "$status" = 0 ] && return
  for name in "${!host_pid[@]}"; do end "$name" TERM; done
  rm -rf "$work"
  exit "$status"
}
end() {  # a host's name, a signal: until it is gone
  kill -"$2" "${host_pid[$1]}" 2>/dev/null || true
  for _ in $(seq 200); do kill -0 "${host_pid[$1]}" 2>/dev/null || break; sleep 0.05; done
  kill -KILL "${host_pid[$1]}" 2>/dev/null || true
  unset "host_pid[$1]"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cmake --install "$repository/build/release" --prefix "$work/hookhost" >/dev/null
export PATH="$work/hookhost/bin:$PATH"
cd "$work"

# Four ports that nobody listens on.
port=18080
is_taken() { for p in $(seq "$port" $((port + 3))); do (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && return; done; return 1; }
while is_taken; do port=$((port + 4)); done
places() {  # of a host: its data directory, the first of its two ports
  cat <<YAML
data_dir: $1
listen: {address: "127.0.0.1:$2"}
admin: {address: "127.0.0.1:$(($2 + 1))"}
event_log: {disk_free_min: 64MiB}
YAML
}
places data "$port" > hookhost.yaml
cat >> hookhost.yaml <<YAML
sources:
  kakiyo: {scheme: kakiyo, secrets: ["\${KAKIYO_WEBHOOK_SECRET}"]}
endpoint_defaults: {allow_http: true, allowed_networks: ["127.0.0.1/32"]}
plugins:
  jsonl: {library: hookhost/lib/hookhost/plugins/jsonl_export.so, config: {path: events.jsonl}}
  crm: {library: hookhost/lib/hookhost/plugins/prospect_crm.so, config: {path: crm.db}}
YAML
places receiver $((port + 2)) > receiver.yaml
cat >> receiver.yaml <<YAML
sources:
  hooks: {scheme: standard-webhooks, type: /event, secrets: ["\${RECEIVER_SECRET}"]}
YAML
export KAKIYO_WEBHOOK_SECRET RECEIVER_SECRET
KAKIYO_WEBHOOK_SECRET=$(head -c 18 /dev/urandom | base64)
RECEIVER_SECRET=whsec_$(head -c 24 /dev/urandom | base64)

hh() { hookhost -c hookhost.yaml "$@"; }
# Asks every 50 ms, for at most 30 s, until a command is true.
eventually() {
  local end=$((SECONDS + 30))
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.05
  done
}
is_ready() { curl -sf "http://127.0.0.1:$1/readyz" >/dev/null; }
serve() {  # the name of a configuration, its admin port
  hookhost -c "$1.yaml" serve 2>>"$1.log" &
  host_pid[$1]=$!
  disown "$!"
  eventually is_ready "$2" || { tail -5 "$1.log" >&2; die "the host of $1.yaml did not become ready"; }
}
# A subscriber's number in its status, such as lag_events.
number() { hh status "$1" --json | grep -oE "\"$2\":[0-9]+" | head -1 | grep -oE '[0-9]+$'; }
has_caught_up() { [ "$(number "$1" lag_events)" = 0 ] && [ "$(number "$1" pending)" = 0 ]; }
caught_up() { for name in "$@"; do eventually has_caught_up "$name" || { hh status "$name" >&2; die "$name did not catch up"; }; done; }
ids() { grep -o '"id":"evt_[0-9A-Z]*"' "$@" | grep -o 'evt_[0-9A-Z]*'; }  # of lines of JSON, in their order
is_unique() { [ -z "$(sort "$1" | uniq -d)" ]; }
is_more() { [ "$("$1")" -gt "$2" ]; }  # what a command prints than a number
# Keeps sending messages of a chat until there is a file sent_enough, and notes the answers. What is not answered a provider would send again.
keep_sending() {
  local n=0
  until [ -e sent_enough ]; do
    hh send kakiyo linkedin.message.received --count "$2" --rate "$3" --json --set "data.chatId=$1" >"answers.$1.$((++n))" 2>/dev/null ||
      [ ! -s "answers.$1.$n" ] || echo "$1" >>cut_short
  done
}
answered() { cat answers.* | wc -l; }
cut_short() { wc -l <cut_short; }  # the commands that the host's end met between their answers
start_sending() { for chat in "${chats[@]}"; do keep_sending "$chat" "$1" "$2" & senders+=("$!"); done; }
stop_sending() {
  touch sent_enough
  wait "${senders[@]}"
  senders=()
  rm sent_enough
}
# The bodies of a chat, as JSON texts, in their order.
of_chat() { grep -F "\\\"chatId\\\":\\\"$1\\\"" | grep -o '"body":.*'; }
delivered() { hh endpoint list --json | grep -oE '"successes":[0-9]+' | grep -oE '[0-9]+'; }
failed() { hh endpoint list --json | grep -oE '"failures":[0-9]+' | grep -oE '[0-9]+'; }
chats=(chat_1 chat_2 chat_3)
: >answers.none
: >cut_short

say "1. Signed webhooks come in; the host is killed with kill -9 three times meanwhile"
serve hookhost "$((port + 1))"
start_sending 500 300/s
kills=3
for _ in $(seq $kills); do
  had=$(answered) cuts=$(cut_short)
  eventually is_more answered $((had + 300)) || die "the host does not answer 300 more events"
  end hookhost KILL
  eventually is_more cut_short "$cuts" || die "no sender was at work when the host was killed"
  serve hookhost "$((port + 1))"
done
stop_sending
hh send kakiyo linkedin.invitation.accepted --count 100 --json --set data.chatId=chat_4 >answers.chat_4 || die "events were refused"
caught_up jsonl crm

cat answers.* | ids >answered
hh events list --json >log.json
ids log.json >logged
lost=$(comm -23 <(sort answered) <(sort logged) | wc -l) unanswered=$(comm -13 <(sort answered) <(sort logged) | wc -l)
is_unique logged || die "an event is in the event log twice"
is_unique answered || die "two events were answered with one id"
[ "$lost" = 0 ] || die "$lost answered events are missing"
[ "$unanswered" -le $((kills * ${#chats[@]})) ] || die "$unanswered events of $kills kills were stored and not answered: a sender has one under way"
proved "$(wc -l <answered) events were answered 2xx, over $kills kills with senders at work; each is in the event log once, $unanswered more were cut from their answer"

ids events.jsonl >exported
cmp -s logged exported || die "jsonl_export's file differs from the event log"
proved "jsonl_export wrote the $(wc -l <exported) events, each exactly once and in order, over all kills"
sqlite3 crm.db 'SELECT event_offset FROM messages ORDER BY 1' >stored
cmp -s stored <(grep -F '"type":"linkedin.message.received"' log.json | grep -oE '^\{"offset":[0-9]+' | grep -oE '[0-9]+') || die "prospect_crm's messages are not those of the event log"
proved "prospect_crm's table holds the $(wc -l <stored) messages, each once"

say "2. A plugin of your own: written, built outside the repository, enabled with three lines of YAML"
hookhost plugin new counter
# As it comes it counts the messages of each chat; one more line notes which event was the nth of its chat.
sed -i 's|^    kv.put(key, .*|&\n    kv.put("nth:" + std::string(event.key()) + ":" + std::to_string(count), std::string(event.id()));|' counter/counter.cpp
grep -q 'kv.put("nth:' counter/counter.cpp || die "the plugin is not what this script expects"
cmake -S counter -B counter/build -DCMAKE_PREFIX_PATH="$work/hookhost" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build counter/build >/dev/null
cat >> hookhost.yaml <<'YAML'
  counter:
    library: counter/build/counter.so
    start_at: hold
YAML
hh reload
[ "$(number counter earlier_events)" = "$(wc -l <stored)" ] || die "the plugin is not offered all earlier messages"
[ "$(number counter ok) $(number counter ignored)" = "0 0" ] || die "the plugin was handed an event before it was asked for"
proved "it is loaded, was handed nothing, and waits with $(wc -l <stored) earlier messages"

say "3. Everything that was received before it existed is replayed into it, while new events arrive"
start_sending 100 50/s
before=$(wc -l < <(hh events list))
hh replay counter --from beginning --live wait --yes
meanwhile=$(($(wc -l < <(hh events list)) - before))
stop_sending
[ "$meanwhile" -gt 0 ] || die "no event arrived during the replay"
caught_up counter
hh events list --type 'linkedin.message.*' --json >log.json
handled=0
for chat in "${chats[@]}"; do
  sqlite3 data/delivery.db "SELECT CAST(value AS TEXT) FROM (SELECT CAST(key AS TEXT) AS name, value FROM kv WHERE subscriber = 'counter') WHERE name GLOB 'nth:$chat:*' ORDER BY CAST(substr(name, ${#chat} + 6) AS INTEGER)" >"handled.$chat"
  cmp -s "handled.$chat" <(grep -F "\"key\":\"$chat\"" log.json | ids) || die "what the plugin handled of $chat is not what the event log has, in its order"
  handled=$((handled + $(wc -l <"handled.$chat")))
done
[ "$handled" = "$(wc -l <log.json)" ] || die "the plugin handled $handled of $(wc -l <log.json) messages"
proved "it handled $handled messages, $meanwhile of which came during the replay: each once, in order per chat, no gap"

say "4. An HTTP receiver, here a second hookhost, is registered, gets signed POSTs, is killed and misses nothing"
serve receiver "$((port + 3))"
url=http://127.0.0.1:$((port + 2))/in/hooks
[ "$(curl -s -o forged -w '%{http_code}' -X POST -H 'webhook-id: evt_1' -H "webhook-timestamp: $(date +%s)" -H 'webhook-signature: v1,Zm9yZ2Vk' -d '{}' "$url")" = 401 ] ||
  die "the receiver takes a forged webhook"
endpoint=$(hh endpoint add "$url" --name crm --event 'linkedin.message.*' --signing standard-webhooks --secret-env RECEIVER_SECRET \
  --retry 200ms 500ms 1s 2s 5s 10s --since beginning --json | grep -oE '"id":"[^"]*"' | head -1 | cut -d '"' -f 4)
start_sending 100 100/s
eventually is_more delivered 500 || die "the receiver does not get 500 events"
end receiver KILL
eventually is_more failed 2 || die "no delivery failed while the receiver was down"
failures=$(failed)
serve receiver "$((port + 3))"
stop_sending
caught_up "$endpoint"
hh events list --type 'linkedin.message.*' --json >log.json
hookhost -c receiver.yaml events list --json >received.json
[ "$(grep -cF '"verified":true' received.json)" = "$(wc -l <log.json)" ] || die "the receiver has $(wc -l <received.json) of $(wc -l <log.json) messages"
for chat in "${chats[@]}"; do
  cmp -s <(of_chat "$chat" <log.json) <(of_chat "$chat" <received.json) || die "the bodies of $chat that the receiver has are not those that were sent, in order"
done
proved "$(wc -l <received.json) messages reached it, signed, byte for byte, each kept once and in order per chat, though $failures attempts failed while it was down"

if [ -z "$keep" ]; then
  say "Done in $((SECONDS - begun)) s after the build; nothing is left behind"
  exit 0
fi
say "Done in $((SECONDS - begun)) s after the build"
printf 'hosts: pids %s, in %s, admin at http://127.0.0.1:%s and :%s\n' "${host_pid[*]}" "$work" "$((port + 1))" "$((port + 3))"
