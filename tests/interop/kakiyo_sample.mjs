// The check that Kakiyo publishes for JavaScript receivers (docs.kakiyo.com/webhooks), as it stands there but for the form of its import.
import crypto from 'node:crypto';

export function verifyWebhookSignature(payload, signature, secret) {
  const expectedSignature = crypto
    .createHmac('sha256', secret)
    .update(JSON.stringify(payload))
    .digest('hex');

  return signature === expectedSignature;
}
