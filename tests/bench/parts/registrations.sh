# 100,000 endpoints of 1,000 teams in a real host: registered through /v1; then how long a start takes and what they cost idle.
registered=100000
{ printf 'sources: {github: {scheme: github, secrets: ["%s"], team: from_payload}}\napi: {rate_limits: off}\n' "$BENCH_SECRET"
  printf 'endpoint_defaults: {allow_http: true, allowed_networks: ["127.0.0.0/8"]}\nteams:\n'
  for team in $(seq 0 999); do printf '  team_%s: {api_keys: ["key-%04d-0123456789-0123456789-0123456789"]}\n' "$team" "$team"; done; } >"$work/teams.yaml"
seconds_of() { node -e 'console.log(((process.argv[2] - process.argv[1]) / 1000).toFixed(1))' "$1" "$2"; }
milliseconds() { date +%s%3N; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
host registrations <"$work/teams.yaml"
empty_kib=$(rss_kib "$host_pid") begun=$(milliseconds)
node "$here/register.mjs" "$public" "$registered" 1000
registered_s=$(seconds_of "$begun" "$(milliseconds)") begun=$(milliseconds)
kill "$host_pid"; wait "$host_pid"
stopped_s=$(seconds_of "$begun" "$(milliseconds)") begun=$(milliseconds)
host registrations <"$work/teams.yaml"
ready_s=$(seconds_of "$begun" "$(milliseconds)")
sleep 10  # until all are live
idle=$(ticks "$host_pid"); sleep 20; idle=$(($(ticks "$host_pid") - idle))
note "{\"what\":\"registrations\",\"endpoints\":$registered,\"registered_s\":$registered_s,\"stopped_s\":$stopped_s,\"ready_s\":$ready_s,\"empty_kib\":$empty_kib,\"kib\":$(rss_kib "$host_pid"),\"idle_cpu_percent\":$(node -e 'console.log((process.argv[1] * 100 / (process.argv[2] * 20)).toFixed(2))' "$idle" "$(getconf CLK_TCK)")}"
end_all
