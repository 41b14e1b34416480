/**
 * Durations as users write them: `500ms`, `10s`, `2m`, `1m30s`, and the `1.5s` of canonical proto JSON. They become
 * whole milliseconds; text goes back in its shortest form, so equal durations are equal text.
 */
import type { Milliseconds } from '../model/instant.ts';

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** What a duration must look like, in words for error messages. */
export const DURATION_RULE = 'a duration such as 500ms, 10s, 2m or 1h30m';

const DURATION_PATTERN =
  /^(?=\d)(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,3})?)s)?(?:(\d{1,9})ms)?$/;

/** The duration in milliseconds, or undefined where `text` is none. Finer than a millisecond is refused. */
export function parseDuration(text: string): Milliseconds | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return undefined;
  const parts = UNITS.map(([, length], index) => Number(match[index + 1] ?? 0) * length);
  return Math.round(parts.reduce((sum, part) => sum + part, 0));
}

/** The shortest text for whole milliseconds: `90s` is `1m30s`, zero is `0s`. */
export function formatDuration(milliseconds: Milliseconds): string {
  if (milliseconds === 0) return '0s';
  let rest = milliseconds;
  let text = '';
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}
