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

/**
 * The instant for a sentence: `2026-11-23T18:05:09Z`, whole seconds, UTC. The date is counted from the days since 1970
 * in eras of 400 years, each 146,097 days, with years that begin in March so that the leap day is the last.
 */
export function isoTime(at: Instant): string {
  const seconds = Math.floor(at / 1_000);
  const days = Math.floor(seconds / 86_400) + 719_468;
  const era = Math.floor(days / 146_097);
  const day = days - era * 146_097;
  const year = Math.floor(
    (day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  );
  const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const date = [
    padded(year + era * 400 + (month <= 2 ? 1 : 0), 4),
    padded(month, 2),
    padded(dayOfYear - Math.floor((153 * march + 2) / 5) + 1, 2),
  ];
  const clock = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `${date.join('-')}T${clock.map((part) => padded(part, 2)).join(':')}Z`;
}

function padded(value: number, length: number): string {
  return String(value).padStart(length, '0');
}
