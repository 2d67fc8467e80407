// node receive.mjs SCHEME: listens on a free port of 127.0.0.1 and prints it; answers each webhook with what the provider's own library says
// about its signature, {valid, why, github_event, body}. The secret is in the environment variable RECEIVER_SECRET.
import { createServer } from 'node:http';
import { verify as verifyGithub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';

const secret = process.env.RECEIVER_SECRET;

// Throws when the signature is wrong.
const verifiers = {
  github: async (headers, body) => {
    if (!(await verifyGithub(secret, body, headers['x-hub-signature-256'] ?? ''))) throw new Error('@octokit/webhooks-methods says no');
  },
  'standard-webhooks': async (headers, body) => new Webhook(secret).verify(body, headers),
  stripe: async (headers, body) => Stripe.webhooks.constructEvent(body, headers['stripe-signature'], secret),
};
const verify = verifiers[process.argv[2]];

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const verdict = { valid: true, why: '', github_event: request.headers['x-github-event'] ?? null, body };
  try {
    await verify(request.headers, body);
  } catch (error) {
    verdict.valid = false;
    verdict.why = String(error.message);
  }
  response.writeHead(verdict.valid ? 200 : 401, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(verdict));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
