-- GitHub-signed POSTs of about 700 bytes, of BENCH_KEYS repositories in turn; X-GitHub-Delivery differs from request to request, so that no peer
-- sees a duplicate. BENCH_REQUESTS holds a signature and a body a line, signed beforehand. Prints one JSON line at the end.
local path = os.getenv("BENCH_PATH")
local run = os.getenv("BENCH_RUN")
local keys = tonumber(os.getenv("BENCH_KEYS"))
local signed = {}
for line in io.lines(os.getenv("BENCH_REQUESTS")) do
  local signature, body = line:match("^(%S+) (.*)$")
  signed[#signed + 1] = { signature = signature, body = body }
  if #signed == keys then break end
end
local headers = { ["Content-Type"] = "application/json", ["X-GitHub-Event"] = "push" }
local count = 0
request = function()
  count = count + 1
  local one = signed[count % #signed + 1]
  headers["X-Hub-Signature-256"] = one.signature
  headers["X-GitHub-Delivery"] = run .. "-" .. count
  return wrk.format("POST", path, headers, one.body)
end

done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.3f,"per_second":%.0f,"p50_us":%d,"p90_us":%d,"p99_us":%d,"not_2xx":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6), latency:percentile(50),
    latency:percentile(90), latency:percentile(99), errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
