/**
 * Measurements of open rollouts: what was measured, how each check stands, and the measuring that runs. At most one
 * runs for each check of a step; its outcome is stored before anybody sees it, and it is cancelled when the rollout has
 * gone on without it.
 */
import type { Check } from '../model/check.ts';
import type { Instance } from '../model/instance.ts';
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { Judgement, Measurement, MeasurementKey } from '../model/measurement.ts';
import type { ServiceName } from '../model/names.ts';
import { isOpen, type RolloutRecord, stepName } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetricSource } from '../ports/metric-source.ts';
import type { Prober } from '../ports/prober.ts';
import type { Store } from '../ports/store.ts';
import { checkedStepOf } from '../rollout/steps.ts';
import { judge } from '../verification/judge.ts';
import { type GuardRun, guardRuns, guardsOf, measurementsOf, windowOf } from './guards.ts';
import type { LoopLog } from './loop.ts';
import { measure } from './measure.ts';

/** The longest that one measurement may take, beside the timeouts of its parts. */
const TIMEOUT: Milliseconds = 120_000;

interface Parts {
  readonly store: Store;
  readonly metricSource: MetricSource;
  readonly prober: Prober;
  readonly clock: Clock;
  readonly log: LoopLog;
  readonly wake: (service: ServiceName) => void;
}

interface Running {
  readonly service: ServiceName;
  readonly place: string;
  readonly cancel: AbortController;
}

export class Measurements {
  readonly #parts: Parts;
  readonly #made = new Map<ServiceName, readonly Measurement[]>();
  readonly #running = new Map<string, Running>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Reads what was measured for each service's rollout. */
  async load(records: Iterable<ServiceRecord>): Promise<void> {
    for (const { rollout } of records) {
      if (rollout === undefined) continue;
      this.#made.set(rollout.service, keptOf(rollout, await this.#parts.store.measurements(rollout.id)));
    }
  }

  /** The checks that guard the present step, and how each stands. */
  runs(rollout: RolloutRecord, now: Instant): readonly GuardRun[] {
    return guardRuns(rollout, this.#made.get(rollout.service) ?? [], now);
  }

  /** Measures a check once, unless that is under way. Returns at once. */
  start(record: ServiceRecord, name: string, instances: readonly Instance[]): void {
    const { rollout } = record;
    const check = rollout === undefined ? undefined : guardsOf(rollout).find((one) => one.name === name);
    if (rollout === undefined || check === undefined) return;
    const key = keyOf(rollout, check);
    const id = JSON.stringify(key);
    if (this.#running.has(id)) return;
    const cancel = new AbortController();
    this.#running.set(id, { service: record.name, place: placeOf(rollout), cancel });
    this.#measure({ record, rollout, check, key, instances, cancel })
      .catch((error: unknown) => {
        this.#parts.log.warn(
          { ...key, error: String(error) },
          'a measurement was lost; it will be made again',
        );
      })
      .finally(() => {
        this.#running.delete(id);
        if (!cancel.signal.aborted) this.#parts.wake(record.name);
      });
  }

  /**
   * Cancels what a service's rollout no longer wants, and forgets what no view shows any more: the store has it. The
   * record is absent where the service was deleted.
   */
  tidy(service: ServiceName, record: ServiceRecord | undefined): void {
    const rollout = record?.rollout;
    const place = rollout !== undefined && isOpen(rollout.state) ? placeOf(rollout) : undefined;
    for (const running of this.#running.values()) {
      if (running.service !== service || running.place === place) continue;
      running.cancel.abort(new Error('the rollout went on'));
    }
    const made = this.#made.get(service) ?? [];
    const kept = rollout === undefined ? [] : keptOf(rollout, made);
    if (kept.length === 0) this.#made.delete(service);
    else if (kept.length < made.length) this.#made.set(service, kept);
  }

  /** Cancels everything. */
  stop(): void {
    for (const { cancel } of this.#running.values()) cancel.abort(new Error('the controller stops'));
  }

  async #measure(task: {
    readonly record: ServiceRecord;
    readonly rollout: RolloutRecord;
    readonly check: Check;
    readonly key: MeasurementKey;
    readonly instances: readonly Instance[];
    readonly cancel: AbortController;
  }): Promise<void> {
    const { record, rollout, check, key, instances, cancel } = task;
    const earlier = measurementsOf(rollout, check, this.#made.get(rollout.service) ?? []);
    const window = {
      from: earlier.at(-1)?.window.to ?? windowOf(rollout, check).windowFrom ?? rollout.stepSince,
      to: this.#parts.clock.now(),
    };
    const { queries, outcome } = await measure({
      check,
      record,
      rollout,
      window,
      instances,
      metricSource: this.#parts.metricSource,
      prober: this.#parts.prober,
      signal: AbortSignal.any([cancel.signal, AbortSignal.timeout(TIMEOUT)]),
    });
    if (cancel.signal.aborted) return;
    const { version, baseline, service } = rollout;
    const step = checkedStepOf(rollout.step) ?? 'Verify';
    const judgement = finite(judge({ check, step, outcome, earlier, version, baseline }));
    const at = this.#parts.clock.now();
    // An error covers nothing: the next look begins where this one did.
    const covered = outcome.kind === 'Error' ? { from: window.from, to: window.from } : window;
    const made = { ...key, service, version, baseline, at, window: covered, queries, outcome, judgement };
    await this.#parts.store.appendMeasurements([made]);
    this.#made.set(service, [...(this.#made.get(rollout.service) ?? []), made]);
  }
}

function keyOf(rollout: RolloutRecord, check: Check): MeasurementKey {
  return {
    rollout: rollout.id,
    attempt: rollout.attempt,
    step: stepName(rollout.step),
    check: check.name,
  };
}

function placeOf({ id, attempt, step }: RolloutRecord): string {
  return `${id} ${attempt} ${stepName(step)}`;
}

/** Those of the rollout; where it has ended, of the step in which it did, which is what views show. */
function keptOf(rollout: RolloutRecord, made: readonly Measurement[]): readonly Measurement[] {
  const place = placeOf(rollout);
  const isKept = ({ rollout: id, attempt, step }: Measurement): boolean =>
    isOpen(rollout.state) ? id === rollout.id : `${id} ${attempt} ${step}` === place;
  return made.every(isKept) ? made : made.filter(isKept);
}

/** A bound that is infinite is no bound: what is not a number a store cannot keep. */
function finite(judgement: Judgement): Judgement {
  const { interval, value, baseline, smallestEffect, ...rest } = judgement;
  const isBounded = interval !== undefined && isNumber(interval.low) && isNumber(interval.high);
  return {
    ...rest,
    ...(isNumber(value) ? { value } : {}),
    ...(isNumber(baseline) ? { baseline } : {}),
    ...(isBounded ? { interval } : {}),
    ...(isNumber(smallestEffect) ? { smallestEffect } : {}),
  };
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
