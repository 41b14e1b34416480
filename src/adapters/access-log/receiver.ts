/**
 * The TrafficLog port over Envoy's access log stream. Reports of proxies enter; sums of requests leave, to the store
 * every few seconds and to views from memory. Each request is counted once, when it has ended.
 */
import type { HTTPAccessLogEntry } from '../../gen/envoy/data/accesslog/v3/accesslog_pb.js';
import { type Instant, instant, type Milliseconds } from '../../model/instant.ts';
import type { ServiceName } from '../../model/names.ts';
import type { TrafficCount, TrafficCoverage } from '../../model/traffic.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import type { TrafficLog } from '../../ports/traffic-log.ts';
import { readEntry } from '../../xds/translate/logged-request.ts';
import { Backlog } from './backlog.ts';
import { createBudget, type WorkBudget } from './budget.ts';
import { Listening } from './listening.ts';
import { countEntries, readMessage } from './messages.ts';
import { type AccessLogGrpcService, accessLogService, type LogStream } from './service.ts';
import { LATEST, TrafficTally } from './tally.ts';

export interface ReceiverOptions {
  readonly store: Pick<Store, 'traffic' | 'saveTraffic' | 'coverage' | 'saveCoverage'>;
  readonly clock: Clock;
  /** The services that are recorded when it is opened: their counts of the last minute are gone on with. */
  readonly services: readonly ServiceName[];
  /** Whether there is such a service now; requests of others are not kept. */
  readonly isKnown: (service: ServiceName) => boolean;
  /** Something could not be saved or read; it goes on. */
  readonly onFault: (fault: { readonly what: string; readonly error: unknown }) => void;
  readonly budget?: WorkBudget;
  /** Sums that are kept in memory. */
  readonly mostSums?: number;
}

/** What became of the entries that arrived, since the start. */
export interface EntryTotals {
  /** Requests that ended and were counted. */
  readonly counted: number;
  /** Entries of services that nobody knows, of no service, and of streams that go on. */
  readonly notOurs: number;
  /** Entries that could not be read or counted. */
  readonly lost: number;
}

const SAVE_EVERY: Milliseconds = 3_000;
const UNNAMED = 'a proxy without a node id';

interface Reporter {
  readonly since: Instant;
  streams: number;
  entriesLost: number;
}

export class AccessLogReceiver implements TrafficLog {
  /** For the server that proxies report to. */
  readonly service: AccessLogGrpcService;
  readonly #options: ReceiverOptions;
  readonly #tally: TrafficTally;
  readonly #listening: Listening;
  readonly #budget: WorkBudget;
  readonly #reporters = new Map<string, Reporter>();
  /** Ends what is noted of each stream that is open. */
  readonly #openStreams = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #saving: Promise<void>;
  #totals = { counted: 0, notOurs: 0, lost: 0 };

  private constructor(options: ReceiverOptions, tally: TrafficTally) {
    this.#options = options;
    this.#tally = tally;
    this.#listening = new Listening(options.clock.now());
    this.#budget = options.budget ?? createBudget(() => performance.now());
    this.service = accessLogService(() => this.openStream());
    this.#saving = this.#saveUntilStopped();
  }

  /** Goes on from what the store holds. Rejects where it cannot be read. */
  static async open(options: ReceiverOptions): Promise<AccessLogReceiver> {
    const tally = new TrafficTally(options.mostSums);
    const now = options.clock.now();
    for (const service of options.services) {
      const window = { from: instant(Math.max(0, now - 2 * LATEST)), to: instant(now + LATEST) };
      tally.load(await options.store.traffic({ service, ...window }));
    }
    return new AccessLogReceiver(options, tally);
  }

  async counts(query: {
    service: ServiceName;
    from: Instant;
    to: Instant;
  }): Promise<readonly TrafficCount[]> {
    const { service, from, to } = query;
    const inMemory = this.#tally.counts(service, from, to);
    const isInMemory = new Set(inMemory.map(nameOf));
    const stored = await this.#options.store.traffic(query);
    return [...stored.filter((count) => !isInMemory.has(nameOf(count))), ...inMemory].toSorted(
      (left, right) => left.from - right.from,
    );
  }

  recent(service: ServiceName): readonly TrafficCount[] {
    return this.#tally.counts(service);
  }

  async coverage(query: { from: Instant; to: Instant }): Promise<readonly TrafficCoverage[]> {
    const present = this.#listening.records(this.#options.clock.now());
    const begun = new Set(present.map(({ from }) => from));
    const stored = await this.#options.store.coverage(query);
    return [
      ...stored.filter(({ from }) => !begun.has(from)),
      ...present.filter(({ from, to }) => from < query.to && to > query.from),
    ].toSorted((left, right) => left.from - right.from);
  }

  reporters(): readonly { readonly proxy: string; readonly since: Instant; readonly entriesLost: number }[] {
    return [...this.#reporters]
      .map(([proxy, { since, entriesLost }]) => ({ proxy, since, entriesLost }))
      .toSorted((left, right) => (left.proxy < right.proxy ? -1 : 1));
  }

  /** What became of all entries, for metrics. */
  totals(): EntryTotals {
    return { ...this.#totals };
  }

  /** Saves what is left. Streams that are still open count as broken off: nobody hears what they say from now on. */
  async close(): Promise<void> {
    for (const end of this.#openStreams) end();
    this.#stop.abort();
    await this.#saving;
    await this.#save();
  }

  /** A proxy begins to report. */
  openStream(): LogStream {
    let proxy: string | undefined;
    let heard = this.#options.clock.now();
    const backlog = new Backlog();
    const ended = (): void => {
      if (this.#openStreams.delete(ended) && proxy !== undefined) this.#streamEnded(proxy, heard);
    };
    this.#openStreams.add(ended);
    return {
      message: (bytes) => {
        heard = this.#options.clock.now();
        // A stream says in its first message who it is; that one is always read.
        if (proxy !== undefined && !this.#budget.allows()) {
          backlog.passed({ bytes: bytes.length, now: heard });
          this.#lose(proxy, bytes, 'the controller had no time to read all of its reports');
          return;
        }
        this.#budget.spend(() => {
          try {
            const message = readMessage(bytes);
            if (proxy === undefined) {
              proxy = message.proxy === undefined || message.proxy === '' ? UNNAMED : message.proxy;
              this.#streamBegan(proxy, heard);
            }
            const newest = this.#count(proxy, message.entries, heard);
            const waited = backlog.arrived({ bytes: bytes.length, made: newest, now: heard });
            if (waited !== undefined) this.#doubt(proxy, waited, heard);
          } catch (error) {
            this.#options.onFault({ what: `a report of ${proxy ?? UNNAMED} cannot be read`, error });
            this.#lose(proxy ?? UNNAMED, bytes, 'a report of it could not be read');
          }
        });
      },
      ended,
    };
  }

  #streamBegan(proxy: string, now: Instant): void {
    this.#listening.cameBack(proxy, now);
    const reporter = this.#reporters.get(proxy);
    if (reporter === undefined) this.#reporters.set(proxy, { since: now, streams: 1, entriesLost: 0 });
    else reporter.streams += 1;
  }

  #streamEnded(proxy: string, heard: Instant): void {
    this.#listening.broke({ proxy, heard, now: this.#options.clock.now() });
    const reporter = this.#reporters.get(proxy);
    if (reporter === undefined) return;
    reporter.streams -= 1;
    if (reporter.streams === 0) this.#reporters.delete(proxy);
  }

  /** Counts what ended, and returns when the newest entry was made, by the proxy's clock. */
  #count(proxy: string, entries: readonly HTTPAccessLogEntry[], now: Instant): number {
    let uncounted = 0;
    let newest = Number.NEGATIVE_INFINITY;
    for (const entry of entries) {
      newest = Math.max(newest, madeAt(entry, now));
      const request = readEntry(entry);
      if (request?.kind !== 'Ended' || !this.#options.isKnown(request.service)) {
        this.#totals.notOurs += 1;
        continue;
      }
      const { service, version, route, result, retries, duration, copiedTo } = request;
      const endedAt = instant(Math.max(0, madeAt(entry, now)));
      const ended = { service, route, result, retries, duration, endedAt };
      const isCounted = this.#tally.add({ ...ended, ...(version === undefined ? {} : { version }) }, now);
      if (copiedTo !== undefined) {
        const copy = { service, version: copiedTo, route: 'Mirror', result: 'Unknown', retries: 0 } as const;
        this.#tally.add({ ...copy, endedAt }, now);
      }
      if (isCounted) this.#totals.counted += 1;
      else uncounted += 1;
    }
    if (uncounted > 0) this.#loseEntries(proxy, uncounted, 'there were too many different requests to count');
    return Number.isFinite(newest) ? newest : now;
  }

  #doubt(proxy: string, waited: Milliseconds, now: Instant): void {
    const why = 'it made reports faster than they could be sent, and may have dropped some';
    this.#listening.lost({ proxy, requests: 0, why, from: instant(now - waited), now });
  }

  #lose(proxy: string, bytes: Uint8Array, why: string): void {
    let entries = 1;
    try {
      entries = countEntries(bytes);
    } catch {
      // Not even the frame can be read: at least one is lost.
    }
    this.#loseEntries(proxy, entries, why);
  }

  #loseEntries(proxy: string, requests: number, why: string): void {
    this.#totals.lost += requests;
    const reporter = this.#reporters.get(proxy);
    if (reporter !== undefined) reporter.entriesLost += requests;
    this.#listening.lost({ proxy, requests, why, now: this.#options.clock.now() });
  }

  async #saveUntilStopped(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#save();
      await this.#options.clock.sleep(SAVE_EVERY, signal).catch(() => undefined);
    }
  }

  async #save(): Promise<void> {
    const { store, clock, onFault } = this.#options;
    // What arrives while this is written is neither in the counts nor in the time that is said to be covered.
    const records = this.#listening.records(clock.now());
    const unsaved = this.#tally.takeUnsaved();
    try {
      if (unsaved.counts.length > 0) await store.saveTraffic(unsaved.counts);
      for (const record of records) await store.saveCoverage(record);
      this.#listening.saved();
    } catch (error) {
      unsaved.keepUnsaved();
      onFault({ what: 'counts of requests cannot be saved', error });
    }
    this.#tally.forget(clock.now());
  }
}

/** When the proxy made the entry, by its own clock: when the request ended, or was reported on the way. */
function madeAt({ commonProperties }: HTTPAccessLogEntry, otherwise: Instant): number {
  const { startTime, duration } = commonProperties ?? {};
  if (startTime === undefined) return otherwise;
  const start = Number(startTime.seconds) * 1000 + startTime.nanos / 1_000_000;
  return start + Number(duration?.seconds ?? 0n) * 1000 + (duration?.nanos ?? 0) / 1_000_000;
}

function nameOf({ version, route, result, from }: TrafficCount): string {
  return [from, version ?? '', route, result].join('/');
}
