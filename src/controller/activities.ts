/**
 * Long work that the plan asked for: fence and count, lift. At most one runs for each service, version and kind; its
 * outcome belongs to the version's state at that time and is forgotten with it. Nobody waits for it: the loop is
 * woken when it ends.
 */
import type { Instance } from '../model/instance.ts';
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import { findVersion, type ServiceRecord, type VersionRecord } from '../model/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { FenceOutcome, WorkCount, WorkSource } from '../ports/work-source.ts';
import { type DrainForecast, drainForecast, type OpenCount } from '../rollout/forecast.ts';
import type { WorkObservation } from '../rollout/observation.ts';
import type { Activity } from '../rollout/plan.ts';
import type { LoopLog } from './loop.ts';
import { whoAnswers } from './runtimes.ts';

/** The least time between two rounds of the same activity. */
const ROUND_INTERVAL: Milliseconds = 900;

/** Counts that a forecast looks back on: ten minutes of rounds. */
const MOST_COUNTS = 600;

interface Outcome {
  readonly stateSince: Instant;
  readonly observation: WorkObservation;
}

export class Activities {
  readonly #workSource: WorkSource;
  readonly #clock: Clock;
  readonly #log: LoopLog;
  readonly #timeout: Milliseconds;
  readonly #wake: () => void;
  readonly #running = new Map<string, { readonly cancel: AbortController; readonly done: Promise<void> }>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #lastEnded = new Map<string, Instant>();
  readonly #suspended = new Set<string>();
  readonly #counts = new Map<
    string,
    { readonly stateSince: Instant; readonly counts: readonly OpenCount[] }
  >();

  constructor(options: {
    workSource: WorkSource;
    clock: Clock;
    log: LoopLog;
    timeout: Milliseconds;
    wake: () => void;
  }) {
    this.#workSource = options.workSource;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#timeout = options.timeout;
    this.#wake = options.wake;
  }

  /** The last outcomes that still belong to the versions' present states. */
  observations(record: ServiceRecord): ReadonlyMap<VersionName, WorkObservation> {
    const observations = new Map<VersionName, WorkObservation>();
    for (const { name, since } of record.versions) {
      const outcome = this.#outcomes.get(`${record.name} ${name}`);
      if (outcome !== undefined && outcome.stateSince === since) observations.set(name, outcome.observation);
    }
    return observations;
  }

  /** When a draining version will probably be empty, from its counts in the present state. */
  forecast(record: ServiceRecord, version: VersionRecord): DrainForecast {
    const known = this.#counts.get(`${record.name} ${version.name}`);
    const counts = known?.stateSince === version.since ? known.counts : [];
    return drainForecast({ counts, now: this.#clock.now() });
  }

  /** Starts an activity unless it runs or has just ended. Returns at once. */
  start(record: ServiceRecord, activity: Activity, instances: readonly Instance[]): void {
    const version = findVersion(record, activity.version);
    const id = `${record.name} ${activity.version} ${activity.kind}`;
    // Planned for a state that it has left meanwhile: a primary must not be fenced.
    if (activity.kind === 'FenceAndCount' && version?.state !== 'Draining' && version?.state !== 'Drained')
      return;
    if (version === undefined || this.#suspended.has(`${record.name} ${activity.version}`)) return;
    if (this.#running.has(id) || this.#endedJustNow(id, version.since)) return;
    const cancel = new AbortController();
    const request = {
      source: record.spec.drain.source,
      service: record.name,
      version: activity.version,
      ...(version.fenced ? { fencedSince: version.since } : {}),
      ...whoAnswers(instances, activity.version),
      signal: AbortSignal.any([cancel.signal, AbortSignal.timeout(this.#timeout)]),
    };
    const done = this.#perform(activity, request)
      .then((observation) =>
        this.#note(`${record.name} ${activity.version}`, { stateSince: version.since, observation }),
      )
      .finally(() => {
        this.#running.delete(id);
        this.#lastEnded.set(id, this.#clock.now());
        if (!cancel.signal.aborted) this.#wake();
      });
    this.#running.set(id, { cancel, done });
  }

  /**
   * Cancels what runs for a version and starts nothing for it until the returned function is called: an operator is
   * about to tell its instances the opposite. Resolves when nothing runs.
   */
  async suspend(service: ServiceName, version: VersionName): Promise<() => void> {
    const key = `${service} ${version}`;
    this.#suspended.add(key);
    const running = [...this.#running]
      .filter(([id]) => id.startsWith(`${key} `))
      .map(([, activity]) => activity);
    for (const { cancel } of running) cancel.abort(new Error('an operator asked for something else'));
    await Promise.all(running.map(({ done }) => done));
    return () => this.#suspended.delete(key);
  }

  /** Cancels what runs. */
  stop(): void {
    for (const { cancel } of this.#running.values()) cancel.abort(new Error('the controller stops'));
  }

  /** A new problem is told once, not in every round. */
  #note(key: string, outcome: Outcome): void {
    const { problem } = outcome.observation;
    const [service, version] = key.split(' ');
    if (problem !== '' && problem !== this.#outcomes.get(key)?.observation.problem) {
      this.#log.warn({ service, version, problem }, 'the open work is not known, or a fence not confirmed');
    }
    this.#outcomes.set(key, outcome);
    this.#count(key, outcome);
  }

  #count(key: string, { stateSince, observation: { open } }: Outcome): void {
    if (open === undefined) return;
    const known = this.#counts.get(key);
    const before = known?.stateSince === stateSince ? known.counts : [];
    const counts = [...before, { at: this.#clock.now(), open }].slice(-MOST_COUNTS);
    this.#counts.set(key, { stateSince, counts });
  }

  /** Rounds are a second apart, but a new state is looked at once without delay. */
  #endedJustNow(id: string, stateSince: Instant): boolean {
    const ended = this.#lastEnded.get(id);
    return ended !== undefined && ended > stateSince && after(ended, ROUND_INTERVAL) > this.#clock.now();
  }

  async #perform(activity: Activity, request: Parameters<WorkSource['count']>[0]): Promise<WorkObservation> {
    try {
      if (activity.kind === 'LiftFence') {
        const lifted = await this.#workSource.lift(request);
        return { ...UNKNOWN, liftConfirmed: lifted.kind === 'confirmed', problem: problemOf(lifted) };
      }
      const fenced = await this.#workSource.fence(request);
      const counted = fenced.kind === 'confirmed' ? fenced.counted : undefined;
      return observationOf(fenced, counted ?? (await this.#workSource.count(request)));
    } catch (error) {
      return { ...UNKNOWN, problem: String(error) };
    }
  }
}

function observationOf(fenced: FenceOutcome, count: WorkCount): WorkObservation {
  const facts = { fenceConfirmed: fenced.kind === 'confirmed', liftConfirmed: false };
  if (count.kind === 'unknown')
    return { ...facts, open: undefined, problem: problemOf(fenced) || count.reason };
  const { total, certificate, split } = count;
  return { ...facts, open: total, certificate, ...(split && { split }), problem: problemOf(fenced) };
}

/** A source that fails has told nothing: unknown is not zero. */
const UNKNOWN: WorkObservation = {
  fenceConfirmed: false,
  liftConfirmed: false,
  open: undefined,
  problem: '',
};

function problemOf(outcome: FenceOutcome): string {
  return outcome.kind === 'confirmed' ? '' : outcome.reasons.join('; ');
}
