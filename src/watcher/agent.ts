/**
 * The agent on a delegate's box: observe, decide, act, report, again and again. A crash at any point is followed by the
 * same, from what was written down before each deed.
 */
import { acceptGoal } from '../goalstate/accept.ts';
import type { Artifact, BoxVersion, GoalState, WatcherReport } from '../model/goal-state.ts';
import type { Milliseconds } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { Clock } from '../ports/clock.ts';
import { freeBytes } from './artifacts/space.ts';
import { type ArtifactKey, type ArtifactStanding, type Box, keyOf } from './box.ts';
import { decide, isWanted } from './decide.ts';
import { Deeds, type DeedsOptions } from './deeds.ts';
import { launchProblem } from './launch.ts';
import { Looks } from './looks.ts';
import { processesOf } from './observe.ts';
import { boxVersions, refusalOfGoal, windowOpens } from './report.ts';

export interface AgentOptions extends DeedsOptions {
  /** Called when the report has changed. */
  readonly onReport: (report: WatcherReport) => void;
}

/** Time between two looks at the box where nothing calls for one. */
const LOOK_INTERVAL: Milliseconds = 1_000;

export class Agent {
  readonly #options: AgentOptions;
  readonly #deeds: Deeds;
  readonly #looks: Looks;
  #versions: readonly BoxVersion[] = [];
  #report: WatcherReport | undefined;
  /** Why the goal state that was offered last was not taken; empty where it was. */
  #refusal = '';
  /** Waits to be decided on. */
  #offered: GoalState | undefined;
  #diskFree = 0;
  #trouble = '';
  #isDue = true;
  #wake: () => void = () => undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#deeds = new Deeds(options);
    this.#looks = new Looks(options.clock);
  }

  /** What it says of its box now. */
  get report(): WatcherReport {
    return this.#report ?? this.#makeReport();
  }

  /** Something has changed: it looks at once. */
  wake(): void {
    this.#isDue = true;
    this.#wake();
  }

  /** Takes or refuses a goal state with the next look at the box, unless a newer one is offered before. */
  offer(offered: GoalState): void {
    this.#offered = offered;
    this.wake();
  }

  /** One after the other, so that each is compared with what the one before has set; one that cannot be kept is tried again. */
  async #takeOffer(): Promise<void> {
    const offered = this.#offered;
    if (offered === undefined) return;
    await this.#decideOn(offered);
    if (this.#offered === offered) this.#offered = undefined;
  }

  async #decideOn(offered: GoalState): Promise<void> {
    const { settings, policy, state, log } = this.#options;
    const { goal, seen } = state.current;
    const acceptance = acceptGoal({
      service: settings.identity.service,
      current: goal,
      offered,
      policy: {
        maxVersions: this.#limit,
        allowDecommission: policy.decommission,
        maxArtifactSize: policy.limits.artifact,
      },
    });
    const isNumbered =
      acceptance.kind !== 'Refuse' || !['WrongService', 'MalformedGeneration'].includes(acceptance.code);
    const newest = isNumbered ? Math.max(seen, offered.generation) : seen;
    if (acceptance.kind === 'Accept') {
      await state.change(() => ({ goal: offered, seen: newest }));
      this.#fetchAgain(retriedSince(goal, offered));
      log.info(
        { generation: offered.generation, versions: offered.versions.map(({ version }) => version) },
        'follows a new goal state',
      );
    } else if (newest !== seen) await state.change(() => ({ seen: newest }));
    const refusal = acceptance.kind === 'Refuse' ? acceptance.reason : '';
    if (refusal !== this.#refusal && refusal !== '') log.warn({ reason: refusal }, 'refuses a goal state');
    this.#refusal = refusal;
  }

  /** What was given up of these artifacts is forgotten. */
  #fetchAgain(given: readonly Artifact[]): void {
    const keys = given.map(keyOf);
    this.#options.artifacts.retry((key) => keys.includes(key));
  }

  /** An operator's order on the box: tries again what was given up. Answers the versions that this concerns. */
  async retry(version?: VersionName): Promise<readonly VersionName[]> {
    const { state, artifacts } = this.#options;
    const isMeant = (one: { readonly version: VersionName }): boolean =>
      version === undefined || one.version === version;
    const { goal, setbacks } = state.current;
    const failed = (goal?.versions ?? [])
      .filter(({ artifact }) => artifacts.standing(artifact)?.kind === 'Failed')
      .filter(isMeant);
    const given = setbacks.filter(isMeant);
    await state.change((current) => ({ setbacks: current.setbacks.filter((one) => !isMeant(one)) }));
    this.#fetchAgain(failed.map(({ artifact }) => artifact));
    this.wake();
    return [...new Set([...given, ...failed].map((one) => one.version))];
  }

  /** Until the signal is aborted; processes go on. */
  async run(signal: AbortSignal): Promise<void> {
    const { runtime, settings, clock, log } = this.#options;
    const unsubscribe = runtime.subscribe(() => this.wake());
    signal.addEventListener('abort', () => this.#looks.close(), { once: true });
    await runtime.settled(settings.identity.service);
    while (!signal.aborted) {
      this.#isDue = false;
      try {
        await this.#step();
        this.#trouble = '';
      } catch (error) {
        const { message } = error as Error;
        if (message !== this.#trouble) log.error({ err: error }, 'could not look after the box; tries again');
        this.#trouble = message;
      }
      this.#say();
      await this.#pause(clock, signal);
    }
    unsubscribe();
  }

  get #limit(): number {
    return Math.min(this.#options.settings.identity.maxVersions, this.#options.policy.maxVersions);
  }

  async #step(): Promise<void> {
    const { runtime, settings } = this.#options;
    await this.#takeOffer();
    const instances = runtime.instances(settings.identity.service);
    await this.#looks.look(instances);
    await this.#noteHealth(this.#observe());
    const box = this.#observe();
    for (const action of decide(box)) await this.#deeds.act(action);
    this.#diskFree = await freeBytes(settings.dataFolder);
    await this.#deeds.prune();
  }

  #observe(): Box {
    const { runtime, settings, policy, clock, state } = this.#options;
    const { goal, setbacks, lastGood } = state.current;
    const instances = runtime.instances(settings.identity.service);
    return {
      now: clock.now(),
      policy,
      limit: this.#limit,
      startDeadline: settings.startDeadline,
      ...(goal !== undefined && { goal }),
      processes: processesOf({
        instances,
        words: (instance) => this.#looks.of(instance),
        state: state.current,
      }),
      artifacts: this.#standings(),
      setbacks,
      ...(lastGood !== undefined && { lastGood }),
    };
  }

  #standings(): ReadonlyMap<ArtifactKey, ArtifactStanding> {
    const { state, artifacts, settings } = this.#options;
    const { goal, lastGood } = state.current;
    const all = [...(goal?.versions ?? []).map(({ artifact }) => artifact), ...(lastGood ? [lastGood] : [])];
    const standings = new Map<ArtifactKey, ArtifactStanding>();
    for (const artifact of all) {
      const reason = launchProblem(artifact, settings);
      const standing =
        reason === undefined ? artifacts.standing(artifact) : ({ kind: 'Failed', reason } as const);
      if (standing !== undefined) standings.set(keyOf(artifact), standing);
    }
    return standings;
  }

  /** Writes down what has shown itself healthy, before anything is decided by it. */
  async #noteHealth(box: Box): Promise<void> {
    const { state } = this.#options;
    const ready = box.processes.filter((one) => one.state === 'Ready' && one.artifact !== '');
    if (ready.length === 0) return;
    const { healthy, lastGood, started, setbacks } = state.current;
    const added = ready.map(({ artifact }) => artifact).filter((key) => !healthy.includes(key));
    const best = this.#newest(ready.filter((one) => isWanted(one, box)).map(({ version }) => version));
    const good = started.find((one) => one.version === best)?.artifact ?? lastGood;
    const isSame = good === undefined || (lastGood !== undefined && keyOf(good) === keyOf(lastGood));
    const isOver = (one: { readonly artifact: ArtifactKey }): boolean =>
      ready.some((process) => process.artifact === one.artifact);
    if (added.length === 0 && isSame && !setbacks.some(isOver)) return;
    await state.change((current) => ({
      healthy: [...current.healthy, ...added],
      setbacks: current.setbacks.filter((one) => !isOver(one)),
      ...(good !== undefined && { lastGood: good }),
    }));
  }

  /** The one that the goal state names last. */
  #newest(versions: readonly VersionName[]): VersionName | undefined {
    const named = this.#options.state.current.goal?.versions ?? [];
    return named.map(({ version }) => version).findLast((version) => versions.includes(version));
  }

  #makeReport(): WatcherReport {
    const { state } = this.#options;
    const box = this.#observe();
    const opens = windowOpens(box);
    const refusals = [
      this.#refusal,
      refusalOfGoal(box),
      this.#trouble === '' ? '' : `the box cannot be looked after: ${this.#trouble}`,
    ];
    return {
      seen: state.current.seen,
      applied: state.current.goal?.generation ?? 0,
      refusal: refusals.filter((one) => one !== '').join('; '),
      versions: boxVersions(box, this.#versions),
      diskFree: this.#diskFree,
      ...(opens !== undefined && { windowOpens: opens }),
    };
  }

  #say(): void {
    const report = this.#makeReport();
    const isNews = JSON.stringify(withoutDisk(this.#report)) !== JSON.stringify(withoutDisk(report));
    this.#report = report;
    this.#versions = report.versions;
    if (isNews) this.#options.onReport(report);
  }

  async #pause(clock: Clock, signal: AbortSignal): Promise<void> {
    if (this.#isDue) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await clock.sleep(LOOK_INTERVAL, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    this.#wake = () => undefined;
  }
}

/** The artifacts of versions that an operator has ordered to try again. */
function retriedSince(before: GoalState | undefined, { versions }: GoalState): readonly Artifact[] {
  const attempts = new Map(before?.versions.map(({ version, attempt = 0 }) => [version, attempt]));
  return versions
    .filter(({ version, attempt = 0 }) => attempt > (attempts.get(version) ?? 0))
    .map(({ artifact }) => artifact);
}

/** Free disk changes all the time, and is no news. */
function withoutDisk(report: WatcherReport | undefined): unknown {
  return report === undefined ? undefined : { ...report, diskFree: 0 };
}
