// node receive.mjs SCHEME: listens on a free port of 127.0.0.1 and prints it; answers each webhook with what the provider's own library says
// about its signature, 200 or 401 and {valid, why, other_byte, github_event, body}. other_byte: what it says when one byte of the body is another.
// The secret is in the environment variable RECEIVER_SECRET.
import { createServer } from 'node:http';
import { verify as verifyGithub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import { verifyWebhookSignature } from './kakiyo_sample.mjs';

const secret = process.env.RECEIVER_SECRET;
const format = secret.startsWith('whsec_') ? {} : { format: 'raw' };

const kakiyo = (name) => async (headers, body) => {
  if (!verifyWebhookSignature(JSON.parse(body), headers[name], secret)) throw new Error('Invalid signature');
};

// Throws when the signature is wrong.
const verifiers = {
  github: async (headers, body) => {
    if (!(await verifyGithub(secret, body, headers['x-hub-signature-256'] ?? ''))) throw new Error('@octokit/webhooks-methods says no');
  },
  'standard-webhooks': async (headers, body) => new Webhook(secret, format).verify(body, headers),
  svix: async (headers, body) => new SvixWebhook(secret, format).verify(body, headers),
  stripe: async (headers, body) => Stripe.webhooks.constructEvent(body, headers['stripe-signature'], secret),
  kakiyo: kakiyo('x-kakiyo-signature'),
  'kakiyo-previous': kakiyo('x-kakiyo-signature-previous'),
};
const verify = verifiers[process.argv[2]];

// Empty: it is valid.
const complaint = (headers, body) => verify(headers, body).then(() => '', (error) => String(error.message));

// The lowest bit of a letter or digit in the middle is another, so that JSON stays JSON.
function withAnotherByte(body) {
  const at = body.search(new RegExp(`(?<=^[^]{${Math.floor(body.length / 2)},})[A-Za-z0-9]`));
  return body.slice(0, at) + String.fromCharCode(body.charCodeAt(at) ^ 1) + body.slice(at + 1);
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const why = await complaint(request.headers, body);
  const other = (await complaint(request.headers, withAnotherByte(body))) === '';
  response.writeHead(why === '' ? 200 : 401, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ valid: why === '', why, other_byte: other, github_event: request.headers['x-github-event'] ?? null, body }));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
