/**
 * Points in time and lengths of time. Pure code receives an Instant as a field; only an adapter of the Clock
 * port reads the machine's clock.
 */

declare const brand: unique symbol;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly [brand]: 'Instant' };
/** A length of time in milliseconds. */
export type Milliseconds = number;

/** Brands a number of milliseconds since 1970. Throws RangeError when it is not a finite, non-negative number. */
export function instant(milliseconds: number): Instant {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) {
    throw new RangeError(`an instant must be milliseconds since 1970, not ${milliseconds}`);
  }
  return milliseconds as Instant;
}

/** The instant that lies `length` after `start`. */
export function after(start: Instant, length: Milliseconds): Instant {
  return instant(start + length);
}
