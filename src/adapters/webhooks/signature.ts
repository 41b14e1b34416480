/**
 * The signature of what Switchyard posts to others: they can tell that it comes from us, was not changed, and is not an
 * old one sent again. The form is the one that Stripe made common: `t=SECONDS,v1=HEX`.
 */
import { createHmac } from 'node:crypto';
import type { Instant } from '../../model/instant.ts';

/** Where the signature stands. */
const SIGNATURE_HEADER = 'x-switchyard-signature';

/** HMAC-SHA256 over `t.body`, with the secret, and `t`: seconds since 1970. */
export function signatureOf({ secret, body, at }: { secret: string; body: string; at: Instant }): string {
  const seconds = Math.floor(at / 1000);
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${digest}`;
}

/** The headers of a JSON body, signed where there is a secret. */
export function signedHeaders(message: {
  secret?: string | undefined;
  body: string;
  at: Instant;
}): Readonly<Record<string, string>> {
  const { secret, body, at } = message;
  return {
    'content-type': 'application/json',
    'user-agent': 'switchyard',
    ...(secret !== undefined && { [SIGNATURE_HEADER]: signatureOf({ secret, body, at }) }),
  };
}
