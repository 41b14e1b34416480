/** Points in time as people read them. */
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { formatDuration } from './duration.ts';

/** How long ago, as a table shows it; `-` where it is not known. */
export function age(time: Timestamp | undefined, now: number): string {
  return time === undefined ? '-' : formatDuration(Math.max(0, now - timestampMs(time)));
}

/** The time in UTC to the second: `2026-11-23 15:04:05Z`. */
export function clockTime(time: Timestamp | undefined): string {
  if (time === undefined) return '-';
  return `${new Date(timestampMs(time)).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
