/**
 * Requests by span, service, version, route and result, for the last minutes. What proxies reported enters one by one;
 * sums leave, for the store (what changed since the last save) and for views. It keeps a bounded number of sums: names
 * come from outside, and nobody may fill the memory with them.
 */
import { type Instant, instant, type Milliseconds } from '../../model/instant.ts';
import type { ServiceName, VersionName } from '../../model/names.ts';
import {
  DURATION_BOUNDS,
  TRAFFIC_SPAN,
  type TrafficCount,
  type TrafficResult,
  type TrafficRoute,
} from '../../model/traffic.ts';

/** One request that ended. */
export interface EndedRequest {
  readonly service: ServiceName;
  readonly version?: VersionName;
  readonly route: TrafficRoute;
  readonly result: TrafficResult;
  readonly retries: number;
  /** Absent: nobody measured it. */
  readonly duration?: Milliseconds;
  readonly endedAt: Instant;
}

/** Requests that ended longer ago are counted as if they had ended then. */
export const LATEST: Milliseconds = 60_000;
/** How long sums stay in memory; longer than LATEST, because a span that was let go must never be begun again. */
const KEPT: Milliseconds = 2 * LATEST;
/** Sums in memory at once: 24 spans of 800 series. */
const MOST_SUMS = 20_000;

interface Sum {
  readonly key: Omit<TrafficCount, 'requests' | 'retries' | 'durations'>;
  requests: number;
  retries: number;
  readonly durations: number[];
}

export class TrafficTally {
  /** By the beginning of the span, then by what is counted. */
  readonly #spans = new Map<Instant, Map<string, Sum>>();
  readonly #unsaved = new Set<Sum>();
  readonly #mostSums: number;
  #sums = 0;

  constructor(mostSums: number = MOST_SUMS) {
    this.#mostSums = mostSums;
  }

  /** Goes on from what was saved before. */
  load(counts: readonly TrafficCount[]): void {
    for (const { requests, retries, durations, ...key } of counts) {
      const sum = this.#sum(key);
      if (sum === undefined) continue;
      sum.requests += requests;
      sum.retries += retries;
      for (const [bucket, count] of durations.entries()) {
        sum.durations[bucket] = (sum.durations[bucket] ?? 0) + count;
      }
    }
  }

  /** Counts one request. False where there is no room for one more sum, and it was not counted. */
  add(request: EndedRequest, now: Instant): boolean {
    const { service, version, route, result, retries, duration } = request;
    const endedAt = Math.min(now, Math.max(request.endedAt, now - LATEST));
    const sum = this.#sum({
      service,
      ...(version === undefined ? {} : { version }),
      route,
      result,
      from: spanOf(endedAt),
    });
    if (sum === undefined) return false;
    sum.requests += 1;
    sum.retries += retries;
    if (duration !== undefined) {
      const bucket = bucketOf(duration);
      sum.durations[bucket] = (sum.durations[bucket] ?? 0) + 1;
    }
    this.#unsaved.add(sum);
    return true;
  }

  /** What changed since the last call. Give it back with `keepUnsaved` where it could not be saved. */
  takeUnsaved(): { readonly counts: readonly TrafficCount[]; keepUnsaved(): void } {
    const sums = [...this.#unsaved];
    this.#unsaved.clear();
    return {
      counts: sums.map(countOf),
      keepUnsaved: () => {
        for (const sum of sums) this.#unsaved.add(sum);
      },
    };
  }

  /** The counts of a service that are in memory and whose span begins in [from, to), oldest first. */
  counts(
    service: ServiceName,
    from = Number.NEGATIVE_INFINITY,
    to = Number.POSITIVE_INFINITY,
  ): TrafficCount[] {
    return [...this.#spans]
      .filter(([span]) => span >= from && span < to)
      .toSorted(([left], [right]) => left - right)
      .flatMap(([, sums]) => [...sums.values()].filter(({ key }) => key.service === service).map(countOf));
  }

  /** Lets go of old spans that are saved. */
  forget(now: Instant): void {
    for (const [span, sums] of this.#spans) {
      if (span + TRAFFIC_SPAN > now - KEPT) continue;
      for (const [name, sum] of sums) {
        if (this.#unsaved.has(sum)) continue;
        sums.delete(name);
        this.#sums -= 1;
      }
      if (sums.size === 0) this.#spans.delete(span);
    }
  }

  #sum(key: Sum['key']): Sum | undefined {
    let sums = this.#spans.get(key.from);
    const name = [key.service, key.version ?? '', key.route, key.result].join('/');
    const known = sums?.get(name);
    if (known !== undefined) return known;
    if (this.#sums >= this.#mostSums) return undefined;
    if (sums === undefined) {
      sums = new Map();
      this.#spans.set(key.from, sums);
    }
    const sum: Sum = { key, requests: 0, retries: 0, durations: DURATION_BOUNDS.map(() => 0).concat(0) };
    sums.set(name, sum);
    this.#sums += 1;
    return sum;
  }
}

function countOf({ key, requests, retries, durations }: Sum): TrafficCount {
  return { ...key, requests, retries, durations: [...durations] };
}

/** The beginning of the span that an instant lies in. */
function spanOf(at: number): Instant {
  return instant(Math.floor(at / TRAFFIC_SPAN) * TRAFFIC_SPAN);
}

/** The first bucket whose bound is not below the duration; the last one has no bound. */
function bucketOf(duration: Milliseconds): number {
  const bucket = DURATION_BOUNDS.findIndex((bound) => duration <= bound);
  return bucket === -1 ? DURATION_BOUNDS.length : bucket;
}
