// node sign.mjs JOBS.json: prints one signed request a line, {name, headers: [[name, value]...], body}.
// A job: {scheme, secret, id, body, event (github), age_seconds (the others)}, or {scheme: "github-examples", secret} for every payload of @octokit/webhooks-examples.
// Every signature is made by the provider's own library.
import { readFileSync, readdirSync } from 'node:fs';
import { sign as signGithub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';

function print(name, body, headers) {
  process.stdout.write(JSON.stringify({ name, body, headers: [['Content-Type', 'application/json'], ...headers] }) + '\n');
}

async function github({ secret, id, body }, event) {
  print(event, body, [
    ['X-GitHub-Event', event],
    ['X-GitHub-Delivery', id],
    ['X-Hub-Signature-256', await signGithub(secret, body)],
  ]);
}

// Each payload once as GitHub sends it and in the other spellings of the same JSON, which a host that parses and prints would not keep.
async function githubExamples({ secret }) {
  const folder = new URL('./node_modules/@octokit/webhooks-examples/', import.meta.url);
  const sets = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  let n = 0;
  for (const set of sets.map((entry) => entry.name).sort()) {
    for (const { name, examples } of JSON.parse(readFileSync(new URL(`${set}/index.json`, folder)))) {
      for (const example of examples) {
        const body = JSON.stringify(example, null, n % 3 === 1 ? 2 : n % 3 === 2 ? '\t' : 0);
        await github({ secret, body, id: `${set}-${n++}` }, name);
      }
    }
  }
}

function standardWebhooks({ secret, id, body, age_seconds: age = 0 }) {
  const time = new Date(Date.now() - age * 1000);
  print(id, body, [
    ['webhook-id', id],
    ['webhook-timestamp', String(Math.floor(time.getTime() / 1000))],
    ['webhook-signature', new Webhook(secret).sign(id, time, body)],
  ]);
}

function stripe({ secret, id, body, age_seconds: age = 0 }) {
  const timestamp = Math.floor(Date.now() / 1000) - age;
  print(id, body, [['Stripe-Signature', Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp })]]);
}

for (const job of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  if (job.scheme === 'github-examples') await githubExamples(job);
  else if (job.scheme === 'github') await github(job, job.event);
  else if (job.scheme === 'standard-webhooks') standardWebhooks(job);
  else if (job.scheme === 'stripe') stripe(job);
  else throw new Error(`no scheme ${job.scheme}`);
}
