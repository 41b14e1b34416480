/**
 * What a store in memory keeps of the past: rollouts in the order in which they began, their measurements, and counts
 * of requests with the times in which they were counted. It is given copies, so that nobody else changes them.
 */
import type { Instant } from '../../model/instant.ts';
import type { Measurement } from '../../model/measurement.ts';
import type { ServiceName } from '../../model/names.ts';
import type { Roll, RollRecord } from '../../model/parity.ts';
import { isOpen, type RolloutId, type RolloutRecord } from '../../model/rollout.ts';
import type { TrafficCount, TrafficCoverage } from '../../model/traffic.ts';
import { KEPT_ROLLOUTS, type RolloutQuery, type Store, TRAFFIC_KEPT } from '../../ports/store.ts';
import { byTime, trafficKey } from '../history-rules.ts';

interface Past {
  rollout: RolloutRecord;
  roll?: Roll;
  readonly measurements: Measurement[];
}

/** Counts of one service: by span, and there by what they count. */
type Counts = Map<Instant, Map<string, TrafficCount>>;

export class MemoryHistory {
  readonly #measurementsKept: number;
  #measured = 0;
  /** Oldest first. */
  readonly #rollouts = new Map<RolloutId, Past>();
  readonly #traffic = new Map<ServiceName, Counts>();
  #newestSpan = 0;
  readonly #coverage = new Map<Instant, TrafficCoverage>();

  constructor({ measurementsKept }: { measurementsKept: number }) {
    this.#measurementsKept = measurementsKept;
  }

  /** A rollout was committed: it is kept, the oldest of too many go. */
  record(rollout: RolloutRecord): void {
    const known = this.#rollouts.get(rollout.id);
    if (known !== undefined) known.rollout = rollout;
    else this.#rollouts.set(rollout.id, { rollout, measurements: [] });
    const all = this.rollouts({ service: rollout.service, limit: Number.MAX_SAFE_INTEGER });
    for (const { id } of all.slice(KEPT_ROLLOUTS)) this.#remove(id);
  }

  /** The roll of a rollout that is kept was committed. */
  recordRoll({ rollout, roll }: RollRecord): void {
    const past = this.#rollouts.get(rollout);
    if (past !== undefined) past.roll = roll;
  }

  roll(rollout: RolloutId): Roll | undefined {
    return this.#rollouts.get(rollout)?.roll;
  }

  forget(service: ServiceName): void {
    for (const { id } of this.rollouts({ service, limit: Number.MAX_SAFE_INTEGER })) this.#remove(id);
    this.#traffic.delete(service);
  }

  rollouts({ service, id, limit }: RolloutQuery): readonly RolloutRecord[] {
    return [...this.#rollouts.values()]
      .map(({ rollout }) => rollout)
      .filter((rollout) => service === undefined || rollout.service === service)
      .filter((rollout) => id === undefined || rollout.id === id)
      .toReversed()
      .slice(0, limit);
  }

  append(measurements: readonly Measurement[]): void {
    for (const measurement of measurements) {
      const past = this.#rollouts.get(measurement.rollout);
      if (past === undefined) continue;
      past.measurements.push(measurement);
      this.#measured += 1;
    }
    for (const { rollout, measurements: kept } of this.#rollouts.values()) {
      if (this.#measured <= this.#measurementsKept) return;
      if (!isOpen(rollout.state)) this.#measured -= kept.splice(0).length;
    }
  }

  measurements(rollout: RolloutId): readonly Measurement[] {
    return this.#rollouts.get(rollout)?.measurements ?? [];
  }

  saveTraffic(counts: readonly TrafficCount[]): void {
    for (const count of counts) {
      const spans: Counts = this.#traffic.get(count.service) ?? new Map();
      const span = spans.get(count.from) ?? new Map<string, TrafficCount>();
      this.#traffic.set(count.service, spans.set(count.from, span.set(trafficKey(count), count)));
      this.#newestSpan = Math.max(this.#newestSpan, count.from);
    }
    for (const spans of this.#traffic.values()) {
      for (const from of spans.keys()) if (from < this.#newestSpan - TRAFFIC_KEPT) spans.delete(from);
    }
  }

  traffic({ service, from, to }: Parameters<Store['traffic']>[0]): readonly TrafficCount[] {
    return [...(this.#traffic.get(service) ?? [])]
      .filter(([span]) => span >= from && span < to)
      .flatMap(([, counts]) => [...counts.values()])
      .toSorted(byTime);
  }

  saveCoverage(coverage: TrafficCoverage): void {
    this.#coverage.set(coverage.from, coverage);
    const newest = Math.max(...[...this.#coverage.values()].map(({ to }) => to));
    for (const { from, to } of this.#coverage.values()) {
      if (to < newest - TRAFFIC_KEPT) this.#coverage.delete(from);
    }
  }

  coverage(query: Parameters<Store['coverage']>[0]): readonly TrafficCoverage[] {
    return [...this.#coverage.values()]
      .filter(({ from, to }) => from < query.to && to > query.from)
      .toSorted((one, other) => one.from - other.from);
  }

  #remove(rollout: RolloutId): void {
    this.#measured -= this.#rollouts.get(rollout)?.measurements.length ?? 0;
    this.#rollouts.delete(rollout);
  }
}
