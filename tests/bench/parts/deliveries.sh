# Deliveries to endpoints: the rooms of a host in one process (bench_endpoints), nginx as the receiver; beside it wrk and a plain loop over libcurl's
# multi interface that post the same bytes to the same receiver.
static_nginx deliveries
receiver=http://127.0.0.1:$nginx_port
endpoints() { rm -rf "$work/log"; mkdir -p "$work/log"; "$build/tests/bench/bench_endpoints" "$@"; }
# sent WHAT LINE: keeps a measurement.
sent() {
  note "{\"what\":\"$1\",${2#\{}"
  echo "round $round: $1 $2" >&2
}
for round in $(seq "$rounds"); do
  sent wrk "$(wrk -t1 -c64 "-d${seconds}s" -s "$here/post.lua" "$receiver/0" | sed -n 's/^RESULT {/{/p')"
  sent curl "$(endpoints curl "$receiver/0" 64 $((seconds * 60000)) 700)"
  for count in 1 10 100; do sent "to_$count" "$(endpoints deliver "$work/log" "$receiver" "$count" $((seconds * 40000 / count)) 0)"; done
  sent among_10000 "$(endpoints deliver "$work/log" "$receiver" 1 $((seconds * 40000)) 9999)"
  sent healthy "$(endpoints hanging "$work/log" "$receiver" $((seconds * 400)) 0)"
  sent beside_hanging "$(endpoints hanging "$work/log" "$receiver" $((seconds * 400)) 1)"
done
round=last
sent latency "$(endpoints latency "$work/log" 2000)"
end_all
