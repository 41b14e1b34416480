/**
 * Long work that the plan asked for: fence and count, lift. At most one runs for each service, version and kind; its
 * outcome belongs to the version's state at that time and is forgotten with it. Nobody waits for it: the loop is
 * woken when it ends.
 */
import type { Instance } from '../model/instance.ts';
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { findVersion, type ServiceRecord } from '../model/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { WorkSource } from '../ports/work-source.ts';
import type { Activity, WorkObservation } from '../rollout/plan.ts';

/** The least time between two rounds of the same activity. */
const ROUND_INTERVAL: Milliseconds = 900;

interface Outcome {
  readonly stateSince: Instant;
  readonly observation: WorkObservation;
}

export class Activities {
  readonly #workSource: WorkSource;
  readonly #clock: Clock;
  readonly #timeout: Milliseconds;
  readonly #wake: () => void;
  readonly #running = new Map<string, AbortController>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #lastEnded = new Map<string, Instant>();

  constructor(options: { workSource: WorkSource; clock: Clock; timeout: Milliseconds; wake: () => void }) {
    this.#workSource = options.workSource;
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

  /** Starts an activity unless it runs or has just ended. Returns at once. */
  start(record: ServiceRecord, activity: Activity, instances: readonly Instance[]): void {
    const version = findVersion(record, activity.version);
    const id = `${record.name} ${activity.version} ${activity.kind}`;
    if (version === undefined || this.#running.has(id) || this.#endedJustNow(id, version.since)) return;
    const cancel = new AbortController();
    this.#running.set(id, cancel);
    const request = {
      source: record.spec.drain.source,
      instances: instances.filter((instance) => instance.version === activity.version),
      signal: AbortSignal.any([cancel.signal, AbortSignal.timeout(this.#timeout)]),
    };
    void this.#perform(activity, request)
      .then((observation) => {
        this.#outcomes.set(`${record.name} ${activity.version}`, { stateSince: version.since, observation });
      })
      .finally(() => {
        this.#running.delete(id);
        this.#lastEnded.set(id, this.#clock.now());
        if (!cancel.signal.aborted) this.#wake();
      });
  }

  /** Cancels what runs. */
  stop(): void {
    for (const cancel of this.#running.values()) cancel.abort(new Error('the controller stops'));
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
        return { fenceConfirmed: false, liftConfirmed: lifted.kind === 'confirmed', open: undefined };
      }
      const fenced = await this.#workSource.fence(request);
      const count = await this.#workSource.count(request);
      return {
        fenceConfirmed: fenced.kind === 'confirmed',
        liftConfirmed: false,
        open: count.kind === 'counted' ? count.total : undefined,
      };
    } catch {
      // A source that fails has told nothing: unknown is not zero.
      return { fenceConfirmed: false, liftConfirmed: false, open: undefined };
    }
  }
}
