/** Times as the Kubernetes API writes them. */
import type { Instant } from '../../../model/instant.ts';

/** `MicroTime`, which a Lease and an Event want: six digits, or the server refuses the object. */
export function microTime(at: Instant): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
