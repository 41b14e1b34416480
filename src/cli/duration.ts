/** Lengths of time as people write and read them. */
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y;

/** Milliseconds of `500ms`, `10s`, `1m30s`, `24h`, `7d` or `0`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  PART.lastIndex = 0;
  let total = 0;
  let end = 0;
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    total += Number(part[1]) * UNITS[part[2] as keyof typeof UNITS];
    end = PART.lastIndex;
  }
  return end === text.length && end > 0 ? total : undefined;
}

/** A length of time in at most two units, for example `5m`, `3h12m`, `2d`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return two(minutes, 'm', seconds % 60, 's', minutes < 10);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return two(hours, 'h', minutes % 60, 'm', hours < 10);
  return `${Math.floor(hours / 24)}d`;
}

function two(first: number, unit: string, second: number, secondUnit: string, exact: boolean): string {
  return exact && second > 0 ? `${first}${unit}${second}${secondUnit}` : `${first}${unit}`;
}
