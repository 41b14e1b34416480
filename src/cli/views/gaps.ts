/** The times in which the routes and the Service for clients without a proxy led to different versions, as sentences. Pure. */
import { formatDuration } from '../duration.ts';

/** Times in milliseconds; `service` is empty or absent where the Service led nowhere, `until` absent where it goes on. */
export interface ShownGap {
  readonly name: string;
  readonly routes: string;
  readonly service?: string;
  readonly from: number;
  readonly until?: number;
}

/** `from 12:00:03.120 to 12:00:03.350 (230ms) the routes led to v2, Service manager to v1`. */
export function gapText({ name, routes, service = '', from, until }: ShownGap): string {
  const elsewhere = service === '' ? 'not' : `to ${service}`;
  const begun = new Date(from).toISOString();
  if (until === undefined)
    return `since ${clock(begun)} the routes lead to ${routes}, Service ${name} ${service === '' ? 'does ' : ''}${elsewhere}`;
  const ended = new Date(until).toISOString();
  const end = ended.slice(0, 10) === begun.slice(0, 10) ? clock(ended) : ended;
  return `from ${clock(begun)} to ${end} (${formatDuration(until - from)}) the routes led to ${routes}, Service ${name} ${service === '' ? 'did ' : ''}${elsewhere}`;
}

function clock(iso: string): string {
  return iso.slice(11, 23);
}
