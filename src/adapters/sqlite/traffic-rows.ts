/**
 * Counts of requests as rows: a row holds a minute of a service, since eight days have millions of counts and the file
 * is checked and copied as a whole. Its body is the JSON of the counts, deflated: most buckets of a count are zero.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Instant } from '../../model/instant.ts';
import type { ServiceName } from '../../model/names.ts';
import type { TrafficCount } from '../../model/traffic.ts';
import { byTime, trafficKey } from '../history-rules.ts';

/** The time that a row covers, in milliseconds. */
export const ROW_SPAN = 60_000;

/** Where a row belongs. */
export interface TrafficRow {
  readonly service: ServiceName;
  /** A multiple of ROW_SPAN. */
  readonly start: number;
}

/** The beginning of the row that covers an instant. */
function rowStart(at: Instant): number {
  return Math.floor(at / ROW_SPAN) * ROW_SPAN;
}

/** Counts by the row that they belong to. */
export function byRow(
  counts: readonly TrafficCount[],
): readonly (TrafficRow & { readonly counts: readonly TrafficCount[] })[] {
  const groups = Map.groupBy(counts, ({ service, from }) => `${service} ${rowStart(from)}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : [{ service: first.service, start: rowStart(first.from), counts: group }];
  });
}

/** What a row holds after newer counts took the place of those that count the same. */
export function merged(
  stored: readonly TrafficCount[],
  newer: readonly TrafficCount[],
): readonly TrafficCount[] {
  const counts = new Map([...stored, ...newer].map((count) => [trafficKey(count), count]));
  return [...counts.values()].toSorted(byTime);
}

/** Counts as the body of a row. */
export function packed(counts: readonly TrafficCount[]): string {
  return deflateRawSync(JSON.stringify(counts)).toString('base64');
}

/** The JSON text that `packed` was given. Throws where the body is something else. */
export function unpacked(body: string): string {
  return inflateRawSync(Buffer.from(body, 'base64')).toString('utf8');
}
