/**
 * Measurements of open rollouts: what was measured, how each check stands, and the measuring that runs. At most one
 * runs for each check of a step; its outcome is stored before anybody sees it, and it is cancelled when the rollout has
 * gone on without it.
 */
import type { Check } from '../model/check.ts';
import type { Instance } from '../model/instance.ts';
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { Measurement, MeasurementKey } from '../model/measurement.ts';
import type { ServiceName } from '../model/names.ts';
import { isOpen, type RolloutId, type RolloutRecord, stepName } from '../model/rollout.ts';
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
  readonly rollout: RolloutId;
  readonly place: string;
  readonly cancel: AbortController;
}

export class Measurements {
  readonly #parts: Parts;
  readonly #made = new Map<RolloutId, readonly Measurement[]>();
  readonly #running = new Map<string, Running>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Reads what was measured for each service's rollout. */
  async load(records: Iterable<ServiceRecord>): Promise<void> {
    for (const { rollout } of records) {
      if (rollout === undefined) continue;
      this.#made.set(rollout.id, keptOf(rollout, await this.#parts.store.measurements(rollout.id)));
    }
  }

  /** The checks that guard the present step, and how each stands. */
  runs(rollout: RolloutRecord, now: Instant): readonly GuardRun[] {
    return guardRuns(rollout, this.#made.get(rollout.id) ?? [], now);
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
    this.#running.set(id, { rollout: rollout.id, place: placeOf(rollout), cancel });
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

  /** Cancels what a rollout no longer wants, and forgets what no view shows any more: the store has it. */
  tidy(records: ReadonlyMap<unknown, ServiceRecord>): void {
    const last = new Map(
      [...records.values()].flatMap(({ rollout }) =>
        rollout === undefined ? [] : [[rollout.id, rollout] as const],
      ),
    );
    for (const { rollout, place, cancel } of this.#running.values()) {
      const current = last.get(rollout);
      const isWanted = current !== undefined && isOpen(current.state) && placeOf(current) === place;
      if (!isWanted) cancel.abort(new Error('the rollout went on'));
    }
    for (const [id, made] of this.#made) {
      const rollout = last.get(id);
      if (rollout === undefined) this.#made.delete(id);
      else this.#made.set(id, keptOf(rollout, made));
    }
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
    const earlier = measurementsOf(rollout, check, this.#made.get(rollout.id) ?? []);
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
    const judgement = judge({ check, step, outcome, earlier, version, baseline });
    const at = this.#parts.clock.now();
    // An error covers nothing: the next look begins where this one did.
    const covered = outcome.kind === 'Error' ? { from: window.from, to: window.from } : window;
    const made = { ...key, service, version, baseline, at, window: covered, queries, outcome, judgement };
    await this.#parts.store.appendMeasurements([made]);
    this.#made.set(rollout.id, [...(this.#made.get(rollout.id) ?? []), made]);
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

function placeOf({ attempt, step }: RolloutRecord): string {
  return `${attempt} ${stepName(step)}`;
}

/** Of a rollout that ended only the step in which it did is shown. Measurements stand in the order of the steps. */
function keptOf(rollout: RolloutRecord, made: readonly Measurement[]): readonly Measurement[] {
  const place = placeOf(rollout);
  const isThere = ({ attempt, step }: Measurement): boolean => `${attempt} ${step}` === place;
  const [first] = made;
  if (isOpen(rollout.state) || first === undefined || isThere(first)) return made;
  return made.filter(isThere);
}
