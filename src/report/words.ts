/** Numbers, times and lengths of time as a report's sentences say them: the same on every machine. Pure. */
import type { Instant, Milliseconds } from '../model/instant.ts';

const DAY: Milliseconds = 24 * 3_600_000;
const UNITS: readonly (readonly [length: Milliseconds, name: string])[] = [
  [DAY, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** `12,345`. */
export function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** `1 request`, `2 requests`. */
export function counted(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Time of day in UTC: `12:00:03 UTC`. */
export function timeOfDay(at: Instant): string {
  const seconds = Math.floor((at % DAY) / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')} UTC`;
}

/** At most two units: `1 h 5 min`, `12 s`; below a second `300 ms`. */
export function lengthOfTime(length: Milliseconds): string {
  if (length < 1_000) return `${Math.round(length)} ms`;
  let rest = Math.round(length / 1_000) * 1_000;
  const parts: string[] = [];
  for (const [unit, name] of UNITS) {
    const whole = Math.floor(rest / unit);
    if (whole > 0) parts.push(`${whole} ${name}`);
    rest -= whole * unit;
  }
  return parts.slice(0, 2).join(' ');
}

/** Events among all, in percent: `1.4 %`; never 0 where there was one. */
export function percent(events: number, total: number): string {
  if (total === 0) return '0 %';
  const share = (100 * events) / total;
  if (events > 0 && share < 0.01) return 'below 0.01 %';
  return `${share.toLocaleString('en-US', { maximumFractionDigits: share < 1 ? 2 : 1 })} %`;
}
