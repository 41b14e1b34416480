/**
 * Counts what happens to rollouts and to the default traffic, by comparing the records before and after each commit:
 * whatever caused a change, a plan, an operator or an apply, is counted once.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServiceName } from '../model/names.ts';
import { isOpen, ROLLOUT_STATES, type RolloutRecord, type RolloutState } from '../model/rollout.ts';
import type { ServiceRecord, Traffic } from '../model/state.ts';
import { keepSeries, type ServiceSeries } from './service-series.ts';

/** The committed records, and who changes them; the controller's ledger is one. */
export interface RecordSource {
  records(): ReadonlyMap<ServiceName, ServiceRecord>;
  /** Calls back after each commit. Returns the way to stop that. */
  subscribe(listener: () => void): () => void;
}

export interface RolloutCounters extends ServiceSeries {
  /** Counts from now on. Returns the way to stop. */
  follow(source: RecordSource): () => void;
}

/** The states in which a rollout ends. */
const OUTCOMES = ROLLOUT_STATES.filter((state) => !isOpen(state));

/** `Shift` and `Return` change the candidate's weight; `Flip` makes it primary; `Rollback` is a flip to the previous. */
const TRAFFIC_CHANGES = ['Shift', 'Return', 'Flip', 'Rollback'] as const;
type TrafficChange = (typeof TRAFFIC_CHANGES)[number];

/** From seconds to days: checks take minutes, a soak may take a day. */
const DURATIONS = [10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400, 259_200];

/** Registers the metrics. */
export function rolloutCounters(registry: Registry): RolloutCounters {
  const registers = [registry];
  const started = new Counter({
    name: 'switchyard_rollouts_started_total',
    help: 'Rollouts that began, retries included.',
    labelNames: ['service'],
    registers,
  });
  const ended = new Counter({
    name: 'switchyard_rollouts_ended_total',
    help: 'Rollouts that ended, by outcome (Succeeded, Aborted, RolledBack, Failed).',
    labelNames: ['service', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'switchyard_rollout_duration_seconds',
    help: 'Time from the beginning of a rollout to its end, by outcome.',
    labelNames: ['outcome'],
    buckets: DURATIONS,
    registers,
  });
  const moved = new Counter({
    name: 'switchyard_traffic_changes_total',
    help: 'Changes of the default traffic (Shift: more for the candidate, Return: less, Flip, Rollback).',
    labelNames: ['service', 'change'],
    registers,
  });
  const lastAbort = new Gauge({
    name: 'switchyard_rollout_last_abort_info',
    help: '1, with why the last rollout that did not succeed ended so; 0 and None where there was none.',
    labelNames: ['service', 'version', 'outcome', 'reason'],
    registers,
  });
  for (const outcome of OUTCOMES) seconds.zero({ outcome });

  const aborts = new Map<ServiceName, { version: string; outcome: string; reason: string }>();
  function showAbort(service: ServiceName, rollout: RolloutRecord | undefined): void {
    const earlier = aborts.get(service);
    if (earlier !== undefined) lastAbort.remove({ service, ...earlier });
    const none = { version: 'None', outcome: 'None', reason: 'None' };
    const { version, state: outcome, stateReason: reason } = rollout ?? {};
    const shown = version === undefined ? none : { version, outcome: `${outcome}`, reason: `${reason}` };
    aborts.set(service, shown);
    lastAbort.set({ service, ...shown }, rollout === undefined ? 0 : 1);
  }

  function count(before: ServiceRecord | undefined, after: ServiceRecord): void {
    const service = after.name;
    const { rollout } = after;
    if (rollout !== undefined && hasBegun(before?.rollout, rollout)) started.inc({ service });
    if (rollout !== undefined && hasEnded(before?.rollout, rollout)) {
      ended.inc({ service, outcome: rollout.state });
      seconds.observe({ outcome: rollout.state }, secondsOf(rollout));
      if (rollout.state !== 'Succeeded') showAbort(service, rollout);
    }
    const change = trafficChange(before?.traffic ?? { kind: 'none' }, after.traffic);
    if (change !== undefined) moved.inc({ service, change });
  }

  return {
    follow(source) {
      let seen = source.records();
      for (const [service, { rollout }] of seen) {
        if (rollout !== undefined && isBadEnd(rollout.state)) showAbort(service, rollout);
      }
      return source.subscribe(() => {
        const now = source.records();
        for (const [service, record] of now) {
          const before = seen.get(service);
          if (before !== record) count(before, record);
        }
        seen = now;
      });
    },
    keep: keepSeries({
      begin(service) {
        started.inc({ service }, 0);
        for (const outcome of OUTCOMES) ended.inc({ service, outcome }, 0);
        for (const change of TRAFFIC_CHANGES) moved.inc({ service, change }, 0);
        if (!aborts.has(service)) showAbort(service, undefined);
      },
      end(service) {
        started.remove({ service });
        for (const outcome of OUTCOMES) ended.remove({ service, outcome });
        for (const change of TRAFFIC_CHANGES) moved.remove({ service, change });
        const shown = aborts.get(service);
        if (shown !== undefined) lastAbort.remove({ service, ...shown });
        aborts.delete(service);
      },
    }),
  };
}

function hasBegun(before: RolloutRecord | undefined, after: RolloutRecord): boolean {
  return before?.id !== after.id || before.attempt !== after.attempt;
}

function hasEnded(before: RolloutRecord | undefined, after: RolloutRecord): boolean {
  if (isOpen(after.state)) return false;
  return before === undefined || hasBegun(before, after) || before.state !== after.state;
}

function isBadEnd(state: RolloutState): boolean {
  return !isOpen(state) && state !== 'Succeeded';
}

function secondsOf({ startedAt, endedAt, since }: RolloutRecord): number {
  return Math.max(0, (endedAt ?? since) - startedAt) / 1000;
}

/** What became of the default traffic; absent where nothing did, or where it has its first primary. */
function trafficChange(before: Traffic, after: Traffic): TrafficChange | undefined {
  if (before.kind === 'none' || after.kind === 'none') return undefined;
  if (before.primary !== after.primary) return after.primary === before.previous ? 'Rollback' : 'Flip';
  const weight = (traffic: Traffic): number => (traffic.kind === 'shifting' ? traffic.weight : 0);
  if (weight(after) === weight(before)) return undefined;
  return weight(after) > weight(before) ? 'Shift' : 'Return';
}
