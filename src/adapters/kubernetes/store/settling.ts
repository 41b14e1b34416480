/** An object is brought to what it should be, however often another hand is faster in between. */
import { NotLeaderError } from '../../../ports/store.ts';
import { ChangedByAnotherError } from './errors.ts';
import type { StoredObject } from './objects.ts';
import type { Write, Writer } from './writer.ts';

/** Somebody who changes an object faster than we look at it so often does it on purpose. */
const MOST_ATTEMPTS = 10;
/** Requests at once: an API server counts them. */
const AT_ONCE = 8;

/**
 * Writes until `wanted` asks for nothing more. `found` is the object as it was read, or nothing. Resolves with the object as
 * it is then. Rejects as Writer.write, with NotLeaderError where a later leader has written it, and with
 * ChangedByAnotherError.
 */
export async function brought<Item extends StoredObject>(
  writer: Writer,
  term: number,
  found: Item | undefined,
  wanted: (found: Item | undefined) => Write<Item> | undefined,
): Promise<Item | undefined> {
  let now = found;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    if (now !== undefined && now.spec.term > term) throw new NotLeaderError('');
    const write = wanted(now);
    if (write === undefined) return now;
    const outcome = await writer.write(write);
    if (outcome.kind === 'Written') return outcome.object;
    now = outcome.found;
  }
  const name = found?.metadata.name ?? now?.metadata.name ?? 'an object';
  throw new ChangedByAnotherError(`${name} is changed again and again by another hand; find out whose it is`);
}

/** Runs `act` for each, a few at a time. Rejects with the first error when those that began have ended. */
export async function inParallel<From, To>(
  all: readonly From[],
  act: (one: From) => Promise<To>,
): Promise<readonly To[]> {
  const results: To[] = [];
  for (let start = 0; start < all.length; start += AT_ONCE) {
    const settled = await Promise.allSettled(all.slice(start, start + AT_ONCE).map(act));
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason;
      results.push(one.value);
    }
  }
  return results;
}
