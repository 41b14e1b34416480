/** A simulated box with its watcher: it takes goal states by the real rules, and its processes come and fail by chance. */
import { acceptGoal, type BoxPolicy } from '../../../src/goalstate/accept.ts';
import type {
  BoxVersion,
  BoxVersionState,
  GoalState,
  WatcherIdentity,
  WatcherReport,
} from '../../../src/model/goal-state.ts';
import { instant } from '../../../src/model/instant.ts';
import type { VersionName } from '../../../src/model/names.ts';
import type { Chance } from '../rollout-simulation/chance.ts';
import { drawIdentity, TICK } from './setting.ts';

/** What becomes of a version on a box. */
type Fate = 'good' | 'slow' | 'crashes' | 'noArtifact' | 'refused' | 'unregistered';

interface SimulatedProcess {
  state: BoxVersionState;
  since: number;
  readyAt: number;
}

export class SimulatedBox {
  readonly identity: WatcherIdentity;
  readonly polls: boolean;
  isOnline = true;
  /** The customer's window is closed until then. */
  windowOpens = 0;
  goal: GoalState | undefined;
  seen = 0;
  refusal = '';
  /** Goal states that it was told, in their order. */
  readonly told: GoalState[] = [];
  readonly processes = new Map<VersionName, SimulatedProcess>();
  readonly #fates = new Map<VersionName, Fate>();
  readonly #chance: Chance;
  #policy: BoxPolicy;
  isHealed = false;

  constructor(chance: Chance, index: number) {
    this.#chance = chance;
    this.identity = drawIdentity(chance, index);
    this.polls = chance.in(0.2);
    this.#policy = { maxVersions: 4, allowDecommission: chance.in(0.5), maxArtifactSize: 1_000_000 };
  }

  receive(goal: GoalState): void {
    this.told.push(goal);
    this.seen = Math.max(this.seen, goal.generation);
    const { service } = this.identity;
    const outcome = acceptGoal({ service, current: this.goal, offered: goal, policy: this.#policy });
    this.refusal = outcome.kind === 'Refuse' ? outcome.reason : '';
    if (outcome.kind === 'Accept') this.goal = goal;
  }

  /** All that its customer or its network did to it is over. */
  heal(): void {
    this.isHealed = true;
    this.windowOpens = 0;
    this.isOnline = true;
    this.#policy = { ...this.#policy, allowDecommission: true };
    this.#fates.clear();
    for (const [version, { state }] of this.processes) {
      if (state === 'CrashLooping' || state === 'ArtifactFailed' || state === 'Refused') {
        this.processes.delete(version);
      }
    }
  }

  live(now: number): void {
    if (this.goal === undefined) return;
    const wanted = new Set(this.goal.versions.map(({ version }) => version));
    for (const version of wanted) this.#run(version, now);
    for (const [version, process] of this.processes) {
      if (wanted.has(version)) continue;
      if (process.state !== 'Draining') Object.assign(process, { state: 'Draining', since: now });
      const isLast = this.goal.versions.length > 0 && !this.#isOneReady();
      if (!isLast && process.since + 3 * TICK <= now) this.processes.delete(version);
    }
  }

  /** Versions whose process has a stream to a manager. */
  registered(): readonly VersionName[] {
    if (!this.isOnline) return [];
    return [...this.processes]
      .filter(([version, { state }]) => {
        const runs = state === 'Ready' || state === 'Draining';
        return runs && this.#fates.get(version) !== 'unregistered';
      })
      .map(([version]) => version);
  }

  report(): WatcherReport {
    const versions: BoxVersion[] = [...this.processes].map(([version, { state, since }]) => ({
      version,
      state,
      reason: state === 'CrashLooping' ? 'exited with code 1' : '',
      since: instant(since),
      restarts: 0,
    }));
    return {
      seen: this.seen,
      applied: this.goal?.generation ?? 0,
      refusal: this.refusal,
      versions,
      diskFree: 1_000_000,
      ...(this.windowOpens > 0 ? { windowOpens: instant(this.windowOpens) } : {}),
    };
  }

  #isOneReady(): boolean {
    return [...this.processes.values()].some(({ state }) => state === 'Ready');
  }

  #run(version: VersionName, now: number): void {
    const process = this.processes.get(version);
    if (process === undefined) {
      this.processes.set(version, {
        state: this.#first(version, now),
        since: now,
        readyAt: now + this.#takes(version),
      });
      return;
    }
    const state = this.#next(version, process, now);
    if (state !== process.state) Object.assign(process, { state, since: now });
  }

  #first(version: VersionName, now: number): BoxVersionState {
    if (this.#fate(version) === 'refused') return 'Refused';
    if (this.windowOpens > now) return 'WaitingForWindow';
    return this.identity.maxVersions === 1 && this.#isOneReady() ? 'Switching' : 'Fetching';
  }

  #next(version: VersionName, { state, readyAt }: SimulatedProcess, now: number): BoxVersionState {
    const fate = this.#fate(version);
    if (state === 'WaitingForWindow') return this.windowOpens > now ? state : 'Fetching';
    if (state === 'Refused' || state === 'CrashLooping' || state === 'ArtifactFailed') return state;
    if (fate === 'noArtifact') return 'ArtifactFailed';
    if (readyAt > now) return state === 'Fetching' ? 'Starting' : state;
    if (fate === 'crashes') return 'CrashLooping';
    if (state === 'Ready' && !this.isHealed && this.#chance.in(0.005)) return 'Unready';
    return 'Ready';
  }

  #takes(version: VersionName): number {
    if (this.isHealed) return TICK;
    return (
      TICK * (this.#fate(version) === 'slow' ? this.#chance.between(10, 60) : this.#chance.between(1, 5))
    );
  }

  #fate(version: VersionName): Fate {
    const known = this.#fates.get(version);
    if (known !== undefined) return known;
    const isOld = version === 'v0' || version === 'v1';
    const drawn: Fate =
      this.isHealed || isOld || this.#chance.in(0.85)
        ? 'good'
        : this.#chance.of(['slow', 'slow', 'crashes', 'noArtifact', 'refused', 'unregistered']);
    this.#fates.set(version, drawn);
    return drawn;
  }
}
