// The peer "@octokit/webhooks on Node": verifies and parses with the library's own middleware, stores nothing.
import { createServer } from "node:http";
import { Webhooks, createNodeMiddleware } from "@octokit/webhooks";

const webhooks = new Webhooks({ secret: process.env.BENCH_SECRET });
webhooks.on("push", () => {});
createServer(createNodeMiddleware(webhooks, { path: "/in/github" })).listen(Number(process.argv[2]), "127.0.0.1");
