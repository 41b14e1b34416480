/**
 * Judges a run by what was recorded: the store's history by the history checker, the boxes' diary, what customers were told
 * and saw, and the controller's events. Pure.
 */
import type { TenantName } from '../../../src/model/names.ts';
import type { DelegateId, ExecutionState } from '../../../src/model/workflow.ts';
import { checkHistory, type Fault, type FaultKind, type Told } from '../workflow/history-checker.ts';
import type { DiaryLine } from './diary.ts';
import { diaryFaults } from './diary-checker.ts';
import type { Begun } from './load.ts';
import type { StoreContent } from './recorded.ts';
import type { ChapterTold } from './story.ts';

/** An event of the controller. */
export interface ControllerEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly action: string;
  readonly reason: string;
}

export interface Evidence {
  readonly store: StoreContent;
  readonly diary: readonly DiaryLine[];
  readonly begun: readonly Begun[];
  readonly told: readonly Told[];
  readonly events: readonly ControllerEvent[];
  readonly chapters: readonly ChapterTold[];
  /** Versions that must be retired. */
  readonly retired: readonly string[];
  readonly tenants: ReadonlyMap<string, string>;
}

/** What is wrong, each list of sentences; all are empty where all was well. */
export interface Wrong extends Record<FaultKind, readonly string[]> {
  /** Ends, results and errors that are not as designed. */
  readonly unexpected: readonly string[];
  /** Versions that were retired without proof, or worked on afterwards. */
  readonly retirements: readonly string[];
  /** Rollouts whose traffic moved before all boxes had come. */
  readonly parity: readonly string[];
}

export interface Judgement {
  readonly started: number;
  /** By how they ended; all that failed did so by design, or are among what is wrong. */
  readonly finished: Readonly<Record<Exclude<ExecutionState, 'Running'>, number>>;
  /** Executions of each version. */
  readonly versions: Readonly<Record<string, number>>;
  /** Commands that ran, and those of them that ran again after a delegate was lost or an attempt failed. */
  readonly commands: { readonly began: number; readonly again: number };
  readonly wrong: Wrong;
}

export function judge(evidence: Evidence): Judgement {
  const { store, begun, told, tenants, diary } = evidence;
  const findings = checkHistory({
    executions: store.executions,
    history: store.history,
    told,
    continues: new Map(),
    tenants: new Map([...tenants].map(([box, tenant]) => [box as DelegateId, tenant as TenantName])),
    isOver: true,
  });
  const more = [
    ...diaryFaults({ diary, executions: store.executions, history: store.history, tenants }),
    ...leftFaults(store),
    ...strangers(evidence),
  ];
  const all = (kind: FaultKind): readonly string[] => [
    ...findings[kind],
    ...more.filter((fault) => fault.kind === kind).map(({ sentence }) => sentence),
  ];
  const ended = (state: ExecutionState): number =>
    store.executions.filter((execution) => execution.state === state).length;
  const tasks = Map.groupBy(
    diary.filter(({ what }) => what === 'began'),
    ({ execution, step }) => `${execution} ${step}`,
  );
  return {
    started: begun.length,
    finished: {
      Succeeded: ended('Succeeded'),
      Failed: ended('Failed'),
      Cancelled: ended('Cancelled'),
    },
    versions: Object.fromEntries(
      [...Map.groupBy(store.executions, ({ version }) => version)].map(([name, of]) => [name, of.length]),
    ),
    commands: {
      began: [...tasks.values()].reduce((sum, { length }) => sum + length, 0),
      again: [...tasks.values()].reduce((sum, { length }) => sum + length - 1, 0),
    },
    wrong: {
      lost: all('lost'),
      appliedTwice: all('appliedTwice'),
      wrongVersion: all('wrongVersion'),
      wrongDelegate: all('wrongDelegate'),
      gaps: all('gaps'),
      unexpected: unexpectedEnds(evidence),
      retirements: retirementFaults(evidence),
      parity: parityFaults(evidence),
    },
  };
}

function leftFaults({ left }: StoreContent): readonly Fault[] {
  return Object.entries(left)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => ({ kind: 'lost', sentence: `${count} ${what} are left although all has ended` }));
}

/** Every start is asked for until it is told, so the store has those that were told, and no others. */
function strangers({ store, begun }: Evidence): readonly Fault[] {
  const known = new Set(begun.map(({ id }) => id));
  return store.executions
    .filter(({ id }) => !known.has(id))
    .map(({ id, name }) => ({
      kind: 'appliedTwice',
      sentence: `execution ${id} (${name}) was begun, and no customer was ever told of it`,
    }));
}

function unexpectedEnds({ store, begun }: Evidence): readonly string[] {
  const byId = new Map(store.executions.map((execution) => [execution.id, execution]));
  return begun.flatMap(({ id, kind, made, end, isGivenUp, tenant }) => {
    const what = `execution ${id} (${kind.name})`;
    const execution = byId.get(id);
    if (execution === undefined) return [];
    const ends = isGivenUp ? 'Failed' : kind.ends;
    const faults: string[] = [];
    if (execution.state !== ends)
      faults.push(`${what} is ${execution.state}, not ${ends}: ${execution.error}`);
    if (execution.tenant !== tenant) faults.push(`${what} is of tenant ${execution.tenant}, not ${tenant}`);
    if (end?.state !== execution.state) faults.push(`${what} was shown to its customer as ${end?.state}`);
    if (ends === 'Succeeded' && JSON.stringify(execution.result) !== JSON.stringify(kind.result?.(made)))
      faults.push(
        `${what} came to ${JSON.stringify(execution.result)}, not ${JSON.stringify(kind.result?.(made))}`,
      );
    if (ends === 'Failed' && kind.error !== undefined && !kind.error.test(execution.error))
      faults.push(`${what} failed for another reason than it should: ${execution.error}`);
    return faults;
  });
}

/** A version is retired after all of it was counted to zero in one transaction, and nobody works on it afterwards. */
function retirementFaults({ retired, events, store }: Evidence): readonly string[] {
  return retired.flatMap((version) => {
    const begins = events.findLast(
      ({ action, reason }) => action === 'BeginRetirement' && reason.startsWith(`${version} `),
    );
    if (begins === undefined) return [`${version} was never retired`];
    const faults: string[] = [];
    if (!begins.reason.includes('certificate: atomic, 0 counted in one transaction with the fence'))
      faults.push(`${version} was retired without an atomic certificate: ${begins.reason}`);
    const late = store.history.filter((line) => line.version === version && line.at > begins.at);
    if (late.length > 0)
      faults.push(`${version} was retired, and ${late.length} lines of its history are younger than that`);
    const open = store.executions.filter(
      (execution) => execution.version === version && (execution.endedAt ?? Infinity) > begins.at,
    );
    if (open.length > 0) faults.push(`${version} was retired with ${open.length} executions open`);
    return faults;
  });
}

/** All boxes have the candidate before any traffic moves, by the rollout's own words and by the store's table. */
function parityFaults({ chapters, tenants }: Evidence): readonly string[] {
  return chapters.flatMap(({ chapter, parity, registered = [] }) => {
    if (chapter.kind !== 'Rollout') return [];
    const { version } = chapter;
    const faults: string[] = [];
    if (parity === undefined) faults.push(`the rollout of ${version} says nothing of its delegates`);
    else if (parity.ready < parity.expected || parity.expected === 0)
      faults.push(`${version} got traffic with ${parity.ready} of ${parity.expected} delegates`);
    const missing = [...tenants.keys()].filter((box) => !registered.includes(box));
    if (parity !== undefined && tenants.size - missing.length < parity.expected)
      faults.push(`${version} got traffic before these were registered: ${missing.join(', ')}`);
    return faults;
  });
}
