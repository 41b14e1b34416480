/** JSON as it is kept: its text, within the port's limit. */
import type { Json } from '../../model/json.ts';
import { MAX_PAYLOAD_BYTES, PayloadTooLargeError } from '../../ports/workflow-store.ts';

/** The text to keep. Throws PayloadTooLargeError that calls it `what`. */
export function encoded(what: string, value: Json): string {
  const text = JSON.stringify(value);
  // A character has at most three bytes for each of its UTF-16 units.
  if (text.length * 3 <= MAX_PAYLOAD_BYTES) return text;
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(what, bytes);
  return text;
}

/** The same text for the same value, whatever the order of its names. */
export function canonical(value: Json): string {
  return JSON.stringify(value, (_, part: Json) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
