-- The bytes of a delivery, as bench_endpoints sends them. Prints one JSON line at the end.
wrk.method = "POST"
wrk.body = string.rep("m", 700)
wrk.headers = {
  ["Content-Type"] = "application/json",
  ["User-Agent"] = "hookhost/bench",
  ["X-Kakiyo-Signature"] = string.rep("0", 64),
  ["webhook-id"] = "evt_01KAXXXXXXXXXXXXXXXXXXXXXX",
  ["webhook-timestamp"] = "1764000000",
  ["webhook-signature"] = "v1," .. string.rep("0", 44),
  ["Hookhost-Type"] = "linkedin.message.received",
  ["Hookhost-Source"] = "kakiyo",
  ["Hookhost-Attempt"] = "1",
}
done = function(summary, _, _)
  local seconds = summary.duration / 1e6
  io.write(string.format('RESULT {"deliveries":%d,"seconds":%.3f,"per_second":%.0f}\n', summary.requests, seconds, summary.requests / seconds))
end
