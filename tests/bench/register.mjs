// register.mjs PORT COUNT TEAMS: registers COUNT endpoints through /v1, 16 at once, the teams in turn. Ends with 1 at the first refusal.
import { Agent, request } from "node:http";

const [port, count, teams] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const key = (team) => `key-${String(team).padStart(4, "0")}-0123456789-0123456789-0123456789`;

const register = (n) => new Promise((resolve, reject) => {
  const body = JSON.stringify({ name: `endpoint ${n}`, url: `http://127.0.0.1:9/${n}`, events: ["linkedin.message.received"] });
  const headers = { authorization: `Bearer ${key(n % teams)}`, "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  request({ port, host: "127.0.0.1", path: "/v1/webhooks", method: "POST", agent, headers }, (answer) => {
    answer.resume().on("end", () => (answer.statusCode === 201 ? resolve() : reject(new Error(`status ${answer.statusCode}`))));
  }).on("error", reject).end(body);
});

let next = 0;
const worker = async () => { while (next < count) await register(next++); };
await Promise.all(Array.from({ length: 16 }, worker));
process.exit(0);
