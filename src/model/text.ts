/**
 * Text that came from outside, made fit to be shown: of bounded length and without characters that move the cursor,
 * change colours or hide what is written. What a proxy sends must not forge a line of a table or of the log.
 */

/** Control characters, those that turn the direction of writing or have no width, halves of pairs, line separators. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const EACH_INVISIBLE = new RegExp(INVISIBLE, 'gu');

/** The text on one line, at most `limit` UTF-16 units and an ellipsis; what cannot be seen becomes `\uFFFD`. */
export function visible(text: string, limit: number = Number.POSITIVE_INFINITY): string {
  const kept = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return kept.replaceAll(/[\t\n\v\f\r]+/g, ' ').replaceAll(EACH_INVISIBLE, '\uFFFD');
}

/** A value for an error text: as JSON, cut at `limit`. */
export function excerpt(value: unknown, limit = 80): string {
  const text = typeof value === 'string' ? value.slice(0, limit + 1) : value;
  return visible(JSON.stringify(text) ?? 'undefined', limit);
}

/** Whether every character can be seen, and none at the ends is a space. */
export function isVisible(text: string): boolean {
  return !INVISIBLE.test(text) && text.trim() === text;
}
