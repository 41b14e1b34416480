/**
 * How sure the counts of a window are: from when a controller listened to the proxies and what is known to be missing.
 * What nobody heard is said with its times; silence is never taken for no requests. Pure.
 */
import { type Instant, instant, type Milliseconds } from '../model/instant.ts';
import type { Certainty } from '../model/report.ts';
import type { TrafficCoverage, TrafficGap } from '../model/traffic.ts';
import { counted, timeOfDay } from './words.ts';

export interface Window {
  readonly from: Instant;
  readonly to: Instant;
}

export interface Heard {
  readonly window: Window;
  /** All that is known, also from before the window; oldest first. */
  readonly coverage: readonly TrafficCoverage[];
  /** Whether a listener of the service reports requests. */
  readonly isReported: boolean;
  /** Requests that are served and that nobody reports, one sentence each; empty where there are none. */
  readonly blindSpots: readonly string[];
  readonly now: Instant;
}

/** Proxies report within a second; what they say needs no longer than this to arrive. */
const ARRIVAL: Milliseconds = 2_000;
/** Time in which a proxy finds a controller that is back: one attempt to connect, and its reports of a second. */
const COMING_BACK: Milliseconds = 6_000;
/** Reasons that are told; the rest are counted. */
const MOST_REASONS = 3;

/** How sure a count of all requests is. */
export function certaintyOf(heard: Heard): Certainty {
  const { window, isReported, blindSpots, now } = heard;
  if (!isReported) {
    return {
      kind: 'NotMeasurable',
      why: 'no listener of the service has accessLog: true, so no proxy reports its requests',
    };
  }
  if (!heard.coverage.some(({ from, to }) => from < window.to && to > window.from)) {
    return {
      kind: 'NotMeasurable',
      why: 'no controller listened to the reports of the proxies, or its counts are no longer kept',
    };
  }
  const reasons = [
    ...blindSpots,
    ...unheardTimes(heard).map(
      ({ from, to }) => `nobody counted ${betweenTimes(from, to)}, because no controller listened`,
    ),
    ...heard.coverage
      .flatMap(({ gaps }) => gaps)
      .filter(({ from, to }) => from <= window.to && to >= window.from)
      .map(gapText),
    ...(now < window.to + ARRIVAL ? ['reports of the last seconds are still on their way'] : []),
  ];
  return reasons.length === 0 ? { kind: 'Proved' } : { kind: 'Sampled', why: joined(reasons) };
}

/** The parts of the window in which nobody listened, or proxies were still coming back. */
function unheardTimes({ window, coverage }: Heard): readonly Window[] {
  const times: Window[] = [];
  // Before the first record no controller was there, or nobody knows any more.
  let listenedUntil: Instant | undefined;
  for (const { from, to } of coverage) {
    if (listenedUntil === undefined) times.push({ from: instant(0), to: from });
    else if (from > listenedUntil) {
      times.push({ from: instant(listenedUntil - ARRIVAL), to: instant(from + COMING_BACK) });
    }
    listenedUntil = instant(Math.max(listenedUntil ?? 0, to));
  }
  times.push({ from: listenedUntil ?? instant(0), to: instant(Number.MAX_SAFE_INTEGER) });
  return times
    .map(({ from, to }) => ({
      from: instant(Math.max(from, window.from)),
      to: instant(Math.min(to, window.to)),
    }))
    .filter(({ from, to }) => from < to);
}

function gapText({ proxy, from, to, requests, why }: TrafficGap): string {
  const what = requests === 0 ? 'reports of' : `${counted(requests, 'report')} of`;
  return `${what} ${proxy} ${requests === 0 ? 'may be' : 'are'} missing ${betweenTimes(from, to)}: ${why}`;
}

function betweenTimes(from: Instant, to: Instant): string {
  const [first, last] = [timeOfDay(from), timeOfDay(to)];
  return first === last ? `at ${first}` : `from ${first} to ${last}`;
}

function joined(reasons: readonly string[]): string {
  const told = reasons.slice(0, MOST_REASONS);
  const more = reasons.length - told.length;
  return [...told, ...(more === 0 ? [] : [`and ${more} more ${more === 1 ? 'reason' : 'reasons'}`])].join(
    '; ',
  );
}
