/**
 * When this controller listened to the proxies' reports, and what may be missing all the same. Proxies send each report
 * once: what was under way when a connection broke is gone, and nobody counts it. So a break is a gap from what was last
 * heard to the next word of that proxy. Bounded: one record for each hour, a number of gaps in each.
 */
import { after, type Instant, instant, type Milliseconds } from '../../model/instant.ts';
import type { TrafficCoverage, TrafficGap } from '../../model/traffic.ts';

/** How long a proxy may go on writing into a connection that is dead, until its keepalive (30 s, 10 s) says so. */
const UNNOTICED: Milliseconds = 45_000;
/** A record ends after this time, so that old ones can be forgotten. */
const RECORD_LENGTH: Milliseconds = 3_600_000;
/** Gaps that are told apart in one record. */
const MOST_GAPS = 100;
/** Requests of one proxy that were lost one after another are one gap. */
const SAME_GAP: Milliseconds = 10_000;

export class Listening {
  #from: Instant;
  #gaps: TrafficGap[] = [];
  /** Gaps of the records before, which their proxies may still make longer. */
  #ended: TrafficCoverage | undefined;

  constructor(now: Instant) {
    this.#from = now;
  }

  /** A proxy's connection ended; `heard` is when it last said something. */
  broke({ proxy, heard, now }: { proxy: string; heard: Instant; now: Instant }): void {
    const from = instant(Math.max(heard, now - UNNOTICED, this.#from));
    this.#add({ proxy, from, to: now, requests: 0, why: BROKEN });
  }

  /** A proxy's connection began: a gap of its own ends only here. */
  cameBack(proxy: string, now: Instant): void {
    const last = this.#gaps.findLastIndex((gap) => gap.proxy === proxy && gap.why === BROKEN);
    const gap = this.#gaps[last];
    if (gap !== undefined) this.#gaps[last] = { ...gap, to: now };
  }

  /** So many requests of a proxy are missing since `from`; 0: nobody can tell how many. */
  lost(loss: { proxy: string; requests: number; why: string; from?: Instant; now: Instant }): void {
    const { proxy, requests, why, now, from = now } = loss;
    const same = this.#gaps.findLastIndex((gap) => gap.proxy === proxy && gap.why === why);
    const last = this.#gaps[same];
    if (last !== undefined && from - last.to <= SAME_GAP) {
      const merged = {
        from: instant(Math.min(last.from, from)),
        to: now,
        requests: last.requests + requests,
      };
      this.#gaps[same] = { ...last, ...merged };
    } else {
      this.#add({ proxy, from, to: now, requests, why });
    }
  }

  /** What is to be saved now: a record that ended, where one did, and the present one. */
  records(now: Instant): readonly TrafficCoverage[] {
    if (now - this.#from < RECORD_LENGTH) return [...this.#endedRecord(), this.#record(now)];
    // A proxy that is away stays so in the new record: its gap may end there.
    const open = this.#gaps.filter(({ why, to }) => why === BROKEN && after(to, UNNOTICED) > now);
    this.#ended = this.#record(now);
    this.#from = now;
    this.#gaps = open.map((gap) => ({ ...gap, from: now, to: now }));
    return [...this.#endedRecord(), this.#record(now)];
  }

  /** What `records` gave has been saved. */
  saved(): void {
    this.#ended = undefined;
  }

  #endedRecord(): readonly TrafficCoverage[] {
    return this.#ended === undefined ? [] : [this.#ended];
  }

  #record(now: Instant): TrafficCoverage {
    return { from: this.#from, to: now, gaps: [...this.#gaps] };
  }

  #add(gap: TrafficGap): void {
    if (this.#gaps.length < MOST_GAPS) {
      this.#gaps.push(gap);
      return;
    }
    const last = this.#gaps.pop() ?? gap;
    this.#gaps.push({
      proxy: 'several proxies',
      from: instant(Math.min(last.from, gap.from)),
      to: instant(Math.max(last.to, gap.to)),
      requests: last.requests + gap.requests,
      why: 'there were too many gaps to tell them apart',
    });
  }
}

const BROKEN = 'its connection broke';
