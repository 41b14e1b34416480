/**
 * What each box is told: one goal for each class of boxes (which candidates it is admitted to, how many versions it can
 * run), made once, however many boxes are in the class.
 */
import {
  type GoalState,
  type GoalVersion,
  MAX_GENERATION,
  MAX_GOAL_VERSIONS,
  type WatcherIdentity,
  type WatcherRecord,
} from '../model/goal-state.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import { type DelegatesRecord, MAX_LEAP } from '../model/waves.ts';
import { isAdmitted } from './admission.ts';
import { isForeign } from './generation.ts';
import type { Wish, WishedVersion } from './wish.ts';

/** What all boxes of a class should run. */
export type ClassGoal =
  | {
      readonly kind: 'Run';
      /** Equal for equal content, in any generation and after a restart: what was sent with it is not sent again. */
      readonly content: string;
      /** The newest default last. */
      readonly versions: readonly GoalVersion[];
      /** The primary that a box limited to one version changes to; absent: it is not to change. */
      readonly switchesTo?: VersionName;
      /** Versions that it does not get because it cannot run so many. */
      readonly beyondLimit: readonly VersionName[];
    }
  | { readonly kind: 'Decommission'; readonly content: string }
  /** There is nothing to tell it: what it runs goes on. */
  | { readonly kind: 'Nothing'; readonly content: string; readonly reason: string };

/** The last goal state that a watcher was sent on its stream. */
export interface SentGoal {
  readonly generation: number;
  readonly replaces: number;
  readonly content: string;
}

/** What to do about a watcher now. */
export type Offer =
  | { readonly kind: 'Send'; readonly goal: GoalState; readonly sent: SentGoal }
  /** It has been told, or runs it already. */
  | { readonly kind: 'UpToDate' }
  /** It has not answered the last one yet, so nobody knows what the next one replaces. */
  | { readonly kind: 'Unanswered' }
  /** It was told and does not want it; its report says why. */
  | { readonly kind: 'Refused'; readonly reason: string }
  /** Tell it this reason and no goal state. */
  | { readonly kind: 'Nothing'; readonly reason: string };

export class Goals {
  readonly #service: ServiceName;
  readonly #generation: number;
  readonly #delegates: Pick<DelegatesRecord, 'foreign'>;
  readonly #wish: Wish;
  readonly #classes = new Map<string, ClassGoal>();

  /** The goals of one generation. Make new ones when the generation rises. */
  constructor(input: {
    readonly service: ServiceName;
    readonly delegates: Pick<DelegatesRecord, 'current' | 'foreign'>;
    readonly wish: Wish;
  }) {
    this.#service = input.service;
    this.#generation = input.delegates.current.generation;
    this.#delegates = input.delegates;
    this.#wish = input.wish;
  }

  /** What the box should run. */
  goalFor(box: WatcherIdentity): ClassGoal {
    const key = this.#classOf(box);
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const made = this.#wish.decommissioned.has(box.id)
      ? ({ kind: 'Decommission', content: 'decommission' } as const)
      : classGoal(this.#wish, box);
    this.#classes.set(key, made);
    return made;
  }

  /** What to do about a watcher, by what it reported and what it was sent on this stream. */
  offer(watcher: WatcherRecord, sent: SentGoal | undefined): Offer {
    const { identity, report } = watcher;
    const foreign = this.#foreignIn(Math.max(report.seen, report.applied));
    if (foreign !== undefined) return { kind: 'Nothing', reason: foreign };
    const goal = this.goalFor(identity);
    if (goal.kind === 'Nothing') return goal;
    if (sent !== undefined) {
      if (report.seen < sent.generation) return { kind: 'Unanswered' };
      const hasTaken = report.applied >= sent.generation;
      if (goal.content === sent.content) {
        if (hasTaken) return { kind: 'UpToDate' };
        // Offered again as it was, it would be refused again; one that refuses no more is offered it again.
        const isSame = report.applied === sent.replaces && report.refusal !== '';
        if (isSame) return { kind: 'Refused', reason: report.refusal };
      }
    } else if (report.applied === this.#generation && runs(watcher, goal)) return { kind: 'UpToDate' };
    return this.#send(goal, report.applied);
  }

  #send(goal: Exclude<ClassGoal, { kind: 'Nothing' }>, replaces: number): Offer {
    const generation = this.#generation;
    const versions = goal.kind === 'Run' ? goal.versions : [];
    const decommission = goal.kind === 'Decommission';
    return {
      kind: 'Send',
      goal: { service: this.#service, generation, replaces, versions, decommission },
      sent: { generation, replaces, content: goal.content },
    };
  }

  /** Why a watcher that has seen this generation is told nothing. */
  #foreignIn(newest: number): string | undefined {
    const ours = this.#generation;
    if (newest <= ours && !isForeign(this.#delegates, newest)) return undefined;
    if (newest > ours + MAX_LEAP || newest >= MAX_GENERATION) {
      return `this box reports generation ${newest}, which was never given (${ours} holds here): its watcher's own state is to be mended`;
    }
    return `this box has seen generation ${newest}, which is not of this controller (${ours} holds here): it was restored from an older state, and an operator must assert what it has`;
  }

  #classOf(box: WatcherIdentity): string {
    if (this.#wish.decommissioned.has(box.id)) return 'decommission';
    const admitted = this.#wish.versions.map(({ waves }) =>
      waves === undefined || isAdmitted(waves, box) ? '+' : '-',
    );
    return `${limitOf(box)}${admitted.join('')}`;
  }
}

function classGoal(wish: Wish, box: WatcherIdentity): ClassGoal {
  const limit = limitOf(box);
  const admitted = wish.versions.filter(({ waves }) => waves === undefined || isAdmitted(waves, box));
  const kept = limit === 1 ? onlyOne(admitted) : admitted.slice(0, limit);
  if (kept.length === 0) {
    const left = wish.leftOut.map(({ reason }) => reason).join('; ');
    const reason = `there is no version for this box${left && `: ${left}`}; it keeps what it runs`;
    return { kind: 'Nothing', content: 'nothing', reason };
  }
  const versions = kept
    .toReversed()
    .map(({ version, artifact, attempt }) => ({ version, artifact, ...(attempt > 0 && { attempt }) }));
  const [only] = kept;
  const isSwitch = limit === 1 && only?.role === 'Primary';
  return {
    kind: 'Run',
    content: JSON.stringify(kept.map(({ version, digest, attempt }) => [version, digest, attempt])),
    versions,
    ...(isSwitch ? { switchesTo: only.version } : {}),
    beyondLimit: admitted.filter((one) => !kept.includes(one)).map(({ version }) => version),
  };
}

/** A box limited to one version has the primary, or what was it before, and the candidate only where nothing else is. */
function onlyOne(admitted: readonly WishedVersion[]): readonly WishedVersion[] {
  const settled = admitted.filter(({ role }) => role !== 'Candidate');
  return (settled.length > 0 ? settled : admitted).slice(0, 1);
}

function limitOf({ maxVersions }: WatcherIdentity): number {
  return Math.min(Math.max(Math.floor(maxVersions), 1), MAX_GOAL_VERSIONS);
}

/** Whether it reports the versions that it should have. One that changed its limit or group has others in this generation. */
function runs({ report }: WatcherRecord, goal: Exclude<ClassGoal, { kind: 'Nothing' }>): boolean {
  if (report.refusal !== '') return false;
  const wanted = new Set(goal.kind === 'Run' ? goal.versions.map(({ version }) => version) : []);
  const kept = report.versions.filter(({ state }) => state !== 'Draining').map(({ version }) => version);
  return kept.length === wanted.size && kept.every((version) => wanted.has(version));
}
