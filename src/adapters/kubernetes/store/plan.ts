/**
 * What a commit writes, as data. A change of one service that is there is one write of its object, which decides it. What
 * touches several objects is decided by one write of the counters, which carry it.
 */
import type { ServiceName } from '../../../model/names.ts';
import type { RollRecord } from '../../../model/parity.ts';
import type { Commit } from '../../../ports/store.ts';
import type { Companion, Routing, RoutingContent } from './routing-object.ts';
import type { Counters, IndexEntry } from './state-object.ts';
import type { Held } from './takeover.ts';

/** Numbers as the store gives them; those that are stored are reserved ahead. */
export interface Numbers {
  readonly nextPublication: number;
  readonly lastSequence: number;
}

export interface CommitPlan {
  /** Written first; nothing names them before the change is decided. */
  readonly rolls: readonly NewRoll[];
  readonly routings: readonly RoutingContent[];
  readonly deletions: readonly IndexEntry[];
  /** Counters as they must be stored with it; absent: those that are stored suffice. */
  readonly counters?: Counters;
  /** Roll objects that nothing names any more. */
  readonly superseded: readonly string[];
  readonly numbers: Numbers;
  /** `One`: the write of the only object decides. `Several`: that of the counters does. */
  readonly decidedBy: 'One' | 'Several';
}

export interface NewRoll {
  /** Of its object. */
  readonly name: string;
  readonly service: ServiceName;
  readonly record: RollRecord;
}

/** Numbers that are reserved beyond what is needed, so that most commits need not write them. */
const PUBLICATIONS_AHEAD = 10_000;
const SEQUENCES_AHEAD = 1_000;

export function plannedCommit(of: {
  readonly commit: Commit;
  readonly held: Held;
  readonly numbers: Numbers;
  readonly newName: () => string;
}): CommitPlan {
  const { commit, held, numbers, newName } = of;
  const { services = [], deletions = [], events = [] } = commit;
  const companions = services.map(({ name, generation }) => ({ service: name, generation }));
  const written = services.map((record): RoutingContent => {
    const before = held.routings.get(record.name);
    const keepsRoll = before?.roll !== undefined && before.roll.rollout === record.rollout?.id;
    return {
      record,
      publication: commit.publication ?? before?.publication ?? 0,
      together: othersThan(record.name, companions),
      ...(keepsRoll ? { roll: before.roll } : {}),
    };
  });
  const rolls = rollsOf(commit, held, newName);
  const touched = withRolls(written, rolls, held);
  const routings = [...touched, ...released(touched, deletions, held)];
  const gone = deletions.flatMap(({ name }) => {
    const uid = held.routings.get(name)?.uid;
    return uid === undefined ? [] : [{ name, uid }];
  });
  const after = {
    nextPublication: commit.nextPublication ?? numbers.nextPublication,
    lastSequence: numbers.lastSequence + events.length,
  };
  const [only] = routings;
  const isOne =
    routings.length === 1 && gone.length === 0 && only !== undefined && held.routings.has(only.record.name);
  const lastDeletion =
    gone.length === 0 ? held.counters.lastDeletion : (commit.publication ?? held.counters.lastDeletion);
  const counters = countersAfter(held.counters, after, {
    services: indexAfter(held, routings, gone),
    ...(lastDeletion === undefined ? {} : { lastDeletion }),
  });
  return {
    rolls,
    routings,
    deletions: gone,
    ...(counters === undefined ? {} : { counters }),
    superseded: supersededRolls(held, routings, gone),
    numbers: after,
    decidedBy: isOne || (routings.length === 0 && gone.length === 0) ? 'One' : 'Several',
  };
}

function othersThan(service: ServiceName, all: readonly Companion[]): readonly Companion[] {
  return all.filter((one) => one.service !== service);
}

/** Rolls of rollouts that services are at; those of others are history. */
function rollsOf(
  { services = [], rolls = [] }: Commit,
  held: Held,
  newName: () => string,
): readonly NewRoll[] {
  const users = new Map([...held.routings.values()].map(({ record }) => [record.rollout?.id, record.name]));
  for (const { rollout, name } of services) users.set(rollout?.id, name);
  return rolls.flatMap((record) => {
    const service = users.get(record.rollout);
    return service === undefined ? [] : [{ name: newName(), service, record }];
  });
}

/** With their new rolls, and those services that get nothing but one. */
function withRolls(
  written: readonly RoutingContent[],
  rolls: readonly NewRoll[],
  held: Held,
): readonly RoutingContent[] {
  const fresh = new Map(
    rolls.map(({ service, name, record }) => [service, { rollout: record.rollout, object: name }]),
  );
  const names = new Set(written.map(({ record }) => record.name));
  const untouched = [...fresh.keys()]
    .filter((name) => !names.has(name))
    .map((name) => held.routings.get(name))
    .filter((routing): routing is Routing => routing !== undefined);
  return [...written, ...untouched].map(({ record, publication, together, roll }) => {
    const named = fresh.get(record.name) ?? roll;
    return { record, publication, together, ...(named === undefined ? {} : { roll: named }) };
  });
}

/** Services that wait to be seen with one that is deleted now: a later one of its name would begin at generation 1. */
function released(
  touched: readonly RoutingContent[],
  deletions: NonNullable<Commit['deletions']>,
  held: Held,
): readonly RoutingContent[] {
  const gone = new Set(deletions.map(({ name }) => name));
  const done = new Set([...gone, ...touched.map(({ record }) => record.name)]);
  return [...held.routings.values()]
    .filter(
      ({ record, together }) => !done.has(record.name) && together.some(({ service }) => gone.has(service)),
    )
    .map(({ record, publication, together, roll }) => ({
      record,
      publication,
      together: together.filter(({ service }) => !gone.has(service)),
      ...(roll === undefined ? {} : { roll }),
    }));
}

function supersededRolls(
  held: Held,
  routings: readonly RoutingContent[],
  deletions: readonly IndexEntry[],
): readonly string[] {
  const after = new Map(routings.map(({ record, roll }) => [record.name, roll?.object]));
  for (const { name } of deletions) after.set(name, undefined);
  return [...after].flatMap(([name, now]) => {
    const before = held.routings.get(name)?.roll?.object;
    return before === undefined || before === now ? [] : [before];
  });
}

function indexAfter(
  held: Held,
  routings: readonly RoutingContent[],
  deletions: readonly IndexEntry[],
): readonly IndexEntry[] {
  const gone = new Set(deletions.map(({ name }) => name));
  const known = new Set(held.counters.services.map(({ name }) => name));
  const added = routings.map(({ record }) => record.name).filter((name) => !known.has(name));
  return [
    ...held.counters.services.filter(({ name }) => !gone.has(name)),
    ...added.map((name) => ({ name, uid: '' })),
  ].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** Undefined where what is stored suffices. */
function countersAfter(
  stored: Counters,
  needed: Numbers,
  { services, lastDeletion }: Pick<Counters, 'services' | 'lastDeletion'>,
): Counters | undefined {
  const hasPublications = stored.nextPublication >= needed.nextPublication;
  const hasSequences = stored.lastSequence >= needed.lastSequence;
  const hasIndex = JSON.stringify(stored.services) === JSON.stringify(services);
  if (hasPublications && hasSequences && hasIndex && stored.everWritten) return undefined;
  return {
    nextPublication: hasPublications ? stored.nextPublication : needed.nextPublication + PUBLICATIONS_AHEAD,
    lastSequence: hasSequences ? stored.lastSequence : needed.lastSequence + SEQUENCES_AHEAD,
    everWritten: true,
    services,
    ...(lastDeletion === undefined ? {} : { lastDeletion }),
  };
}
