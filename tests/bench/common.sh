# What all parts of run.sh use: ports, a host, notes.
free_port() { local port=$((20000 + RANDOM % 10000)); while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done; echo "$port"; }
listens() { for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; echo "run.sh: nothing listens on port $1" >&2; exit 1; }
note() { printf '%s\n' "$1" >>"$work/results"; }
# Ends what was started: nothing of one part runs beside the next.
end_all() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  pids=()
}
# static_nginx NAME: answers 202 to everything; sets nginx_port, and its process is the last of pids.
static_nginx() {
  nginx_port=$(free_port)
  mkdir -p "$work/$1"
  sed "s|@DIR@|$work/$1|g; s|@PORT@|$nginx_port|g" "$here/peers/nginx.conf.in" >"$work/$1/nginx.conf"
  nginx -c "$work/$1/nginx.conf" -e "$work/$1/nginx.log" & pids+=($!)
  listens "$nginx_port"
}
rss_kib() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }

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
