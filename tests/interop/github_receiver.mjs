// node github_receiver.mjs FILE: a receiver of GitHub's webhooks as the readme of @octokit/webhooks shows it, on a free port of 127.0.0.1, which it
// prints. Each event that it accepted is a line of FILE, {id, name, payload}. The secret is in the environment variable RECEIVER_SECRET.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Webhooks, createNodeMiddleware } from '@octokit/webhooks';

const webhooks = new Webhooks({ secret: process.env.RECEIVER_SECRET });
webhooks.onAny(({ id, name, payload }) => appendFileSync(process.argv[2], JSON.stringify({ id, name, payload }) + '\n'));

const server = createServer(createNodeMiddleware(webhooks, { path: '/github' }));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
