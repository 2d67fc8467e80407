// Reads the measurements of one run (JSON lines) and prints the table: each ratio beside what it is to reach. The last line is JSON.
import { readFileSync } from "node:fs";

const lines = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => JSON.parse(line));
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
const of = (what, field) => lines.filter((line) => line.what === what && line[field] !== undefined).map((line) => line[field]);
const rows = [];
const row = (what, against, ratio, reach, goal, smaller = false) => {
  const met = smaller ? ratio <= reach : ratio >= reach;
  rows.push({ what, against, ratio: Number(ratio.toFixed(3)), reach, goal, met });
};
// Rounds are interleaved: the ratio of a round compares neighbours in time, and the median of the rounds counts.
const rounds = (peer, us = "hookhost") => {
  const ours = lines.filter((line) => line.what === us), theirs = lines.filter((line) => line.what === peer);
  return median(theirs.map((line, i) => ours[i].per_second / line.per_second));
};
for (const [peer, title, reach, goal] of [["pistache", "bare Pistache Http::Endpoint", 0.75, 1.0], ["nginx", "nginx return 202", 0.4, 0.6],
                                          ["octokit", "@octokit/webhooks on Node", 2.5, 4], ["adnanh", "adnanh/webhook", 8, 12]]) {
  if (of(peer, "per_second").length) row("verified, deduplicated, fsynced ingest, 64 connections", title, rounds(peer), reach, goal);
}
if (of("round_trip", "handler_p50_us").length) {
  row("one connection, request to handler called (p50)", "one fdatasync of 4 KiB", median(of("round_trip", "handler_p50_us")) / median(of("round_trip", "fdatasync_p50_us")), 3, 2, true);
}
if (of("replay", "seconds").length) {
  row("replay into an in-host no-op plugin", "scanning and parsing the same records", median(of("scan", "seconds")) / median(of("replay", "seconds")), 0.5, 0.7);
}
if (of("memory", "backlog_kib").length) {
  const more = (median(of("memory", "backlog_kib")) - median(of("memory", "empty_kib"))) / 1024;
  const events = lines.find((line) => line.what === "memory").events;
  row(`memory, MiB more: ${events} events held`, "empty event log", (median(of("memory", "held_kib")) - median(of("memory", "empty_kib"))) / 1024, 128, 64, true);
  row(`memory, MiB more: the same, replayed three times`, "empty event log", more, 128, 64, true);
}
for (const count of of("to_1", "per_second").length ? [1, 10, 100] : []) {
  row(`deliveries to ${count} endpoint${count > 1 ? "s" : ""}, ${count > 1 ? "together " : ""}from the event log`, "a plain libcurl multi loop, 64 connections", rounds("curl", `to_${count}`), 0.8, 1.0);
  row("the same", "wrk, 64 connections", rounds("wrk", `to_${count}`), 0.5, 0.7);
}
if (of("among_10000", "per_second").length) row("deliveries to 1 endpoint among 10,000 registered", "1 registered", rounds("to_1", "among_10000"), 0.9, 1.0);
if (of("beside_hanging", "per_second").length) row("deliveries to 99 endpoints beside one that hangs", "99 alone", rounds("healthy", "beside_hanging"), 0.95, 1.0);
const cell = (text, width) => String(text).padEnd(width);
console.log(cell("what", 66) + cell("against", 40) + cell("ratio", 9) + cell("reach", 8) + cell("goal", 7) + "met");
for (const one of rows) console.log(cell(one.what, 66) + cell(one.against, 40) + cell(one.ratio, 9) + cell(one.reach, 8) + cell(one.goal, 7) + (one.met ? "yes" : "no"));
console.log("\nmedian of the rounds");
const peers = {};
const bad = (peer) => of(peer, "not_2xx").concat(of(peer, "socket_errors")).reduce((sum, value) => sum + value, 0);
for (const peer of ["hookhost", "one_key", "pistache", "nginx", "octokit", "adnanh"]) {
  if (!of(peer, "per_second").length) continue;
  peers[peer] = Object.fromEntries(["per_second", "p50_us", "p90_us", "p99_us", "not_2xx"].map((field) => [field, median(of(peer, field))]));
  const one = peers[peer];
  console.log(cell(peer, 12) + `${one.per_second}/s  p50 ${one.p50_us} us  p90 ${one.p90_us} us  p99 ${one.p99_us} us` + (bad(peer) ? `  ERRORS: ${bad(peer)}` : ""));
}
const sent = {};
for (const what of ["wrk", "curl", "to_1", "to_10", "to_100", "among_10000", "healthy", "beside_hanging"]) {
  if (!of(what, "per_second").length) continue;
  sent[what] = median(of(what, "per_second"));
  console.log(cell(what, 16) + `${sent[what]} deliveries/s`);
}
const latency = lines.find((line) => line.what === "latency");
if (latency) console.log(cell("latency", 16) + `from the append to its receiver, fsync included: p50 ${latency.p50_us} us, p99 ${latency.p99_us} us`);
const registered = lines.find((line) => line.what === "registrations");
if (registered) console.log(cell("registrations", 16) + JSON.stringify(registered));
const trip = lines.find((line) => line.what === "round_trip");
if (trip) console.log(cell("one by one", 12) + `handler p50 ${trip.handler_p50_us} us, p99 ${trip.handler_p99_us} us; answer p50 ${trip.answer_p50_us} us, p99 ${trip.answer_p99_us} us; fdatasync p50 ${trip.fdatasync_p50_us} us, p99 ${trip.fdatasync_p99_us} us`);
console.log(JSON.stringify({ rows, peers, sent, latency, registered, round_trip: trip, replay: lines.filter((line) => line.what === "replay"), scan: lines.filter((line) => line.what === "scan") }));
