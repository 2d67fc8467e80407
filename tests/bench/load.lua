-- One GitHub-signed POST of about 700 bytes; only X-GitHub-Delivery differs from request to request, so that no peer sees a duplicate and
-- none pays for signing. BENCH_SIGNATURE and BENCH_PATH come from run.sh. Prints one JSON line at the end.
local path = os.getenv("BENCH_PATH")
local file = io.open(os.getenv("BENCH_BODY"), "rb")
local body = file:read("*a")
file:close()
local run = os.getenv("BENCH_RUN")
local headers = {
  ["Content-Type"] = "application/json",
  ["X-GitHub-Event"] = "push",
  ["X-Hub-Signature-256"] = os.getenv("BENCH_SIGNATURE"),
}
local count = 0
request = function()
  count = count + 1
  headers["X-GitHub-Delivery"] = run .. "-" .. count
  return wrk.format("POST", path, headers, body)
end

done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.3f,"per_second":%.0f,"p50_us":%d,"p90_us":%d,"p99_us":%d,"not_2xx":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6), latency:percentile(50),
    latency:percentile(90), latency:percentile(99), errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
