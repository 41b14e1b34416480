/** A time of the day as users write it, `22:00`, and as minutes after midnight. */
import type { TextFormat } from './text-formats.ts';

const PATTERN = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** `00:00` to `23:59`. */
export const timeOfDay: TextFormat = (text) =>
  PATTERN.test(text) ? undefined : 'must be hours and minutes in UTC from 00:00 to 23:59, such as "22:00"';

/** Minutes after midnight. Throws where `text` breaks the format. */
export function minuteOfDay(text: string): number {
  const [, hours, minutes] = PATTERN.exec(text) ?? [];
  if (hours === undefined) throw new Error(`${text} is no time of the day`);
  return Number(hours) * 60 + Number(minutes);
}

/** The reverse of minuteOfDay. */
export function formatMinuteOfDay(minute: number): string {
  const two = (part: number) => String(part).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
