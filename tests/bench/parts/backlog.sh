# Replay beside a plain scan of the same records, and memory with a backlog.
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
end_all
