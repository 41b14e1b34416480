/** Carries out a planned commit: what it names is written first, then the one write that decides it, then what follows. */
import { GenerationConflictError, NotLeaderError } from '../../../ports/store.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../custom-resources.ts';
import { ChangedByAnotherError } from './errors.ts';
import { checkSize, largestPart } from './limits.ts';
import { packed } from './packed.ts';
import { finished, type Pending, writeOf } from './pending.ts';
import type { CommitPlan } from './plan.ts';
import {
  type Routing,
  type RoutingContent,
  type RoutingObject,
  routingObject,
  routingOf,
} from './routing-object.ts';
import { inParallel } from './settling.ts';
import {
  type Counters,
  countersObject,
  ownerOf,
  readState,
  rollObject,
  type StateObject,
} from './state-object.ts';
import type { Held } from './takeover.ts';
import type { Writer } from './writer.ts';

export interface Committing {
  readonly writer: Writer;
  readonly newWriteId: () => string;
  readonly held: Held;
  readonly plan: CommitPlan;
  /** Told of what comes near its limit. */
  readonly trouble: (sentence: string) => void;
}

/** What is held after it; `unfinished`: it is decided, and its objects follow later. */
export type Committed =
  | { readonly kind: 'Finished'; readonly held: Held }
  | { readonly kind: 'Unfinished'; readonly held: Held; readonly why: unknown };

/**
 * Rejects, with nothing decided, with GenerationConflictError, ChangedByAnotherError, NotLeaderError, StoreLimitError,
 * StoreRejectedError; with StoreUnavailableError it may be decided all the same.
 */
export async function committed(options: Committing): Promise<Committed> {
  const { plan, held } = options;
  const stamp = { term: held.term, writeId: options.newWriteId() };
  checkSizes(options, stamp);
  await writeRolls(options);
  if (plan.decidedBy === 'Several') return writeSeveral(options, stamp);
  const reserved = plan.counters === undefined ? held : await writeCounters(options, plan.counters);
  const [only] = plan.routings;
  if (only === undefined) return { kind: 'Finished', held: reserved };
  const routing = await writeOne(options, only, stamp);
  const routings = new Map(reserved.routings).set(only.record.name, routing);
  return { kind: 'Finished', held: { ...reserved, routings } };
}

interface NewStamp {
  readonly term: number;
  readonly writeId: string;
}

function checkSizes({ plan, trouble }: Committing, stamp: NewStamp): void {
  for (const routing of plan.routings) {
    const { record } = routing;
    const warning = checkSize(record.name, routingObject(routing, stamp), largestPart(record));
    if (warning !== undefined) trouble(warning);
  }
  for (const { name, service, record } of plan.rolls) {
    checkSize(service, rollObject(name, record, stamp), 'roll');
  }
}

async function writeRolls({ writer, newWriteId, held, plan }: Committing): Promise<void> {
  await inParallel(plan.rolls, ({ name, service, record }) => {
    const uid = held.routings.get(service)?.uid;
    const owner = uid === undefined ? undefined : ownerOf(service, uid);
    const object = rollObject(name, record, { term: held.term, writeId: newWriteId() }, owner);
    return writer.write<StateObject>({ kind: 'Create', of: CONTROLLER_STATE, object });
  });
}

async function writeOne(
  { writer, held }: Committing,
  routing: RoutingContent,
  stamp: NewStamp,
): Promise<Routing> {
  const before = held.routings.get(routing.record.name);
  const object = routingObject(routing, stamp, before);
  const outcome = await writer.write<RoutingObject>({ kind: 'Replace', of: SERVICE_ROUTING, object });
  if (outcome.kind === 'Overtaken' || outcome.object === undefined) {
    throw conflict(routing, held, outcome.kind === 'Overtaken' ? outcome.found : undefined);
  }
  return routingOf(outcome.object);
}

/** What is refused, or was changed by another hand, is found out before anything is decided. */
async function writeSeveral(options: Committing, stamp: NewStamp): Promise<Committed> {
  const { writer, held, plan } = options;
  await inParallel(plan.routings, async (routing) => {
    const before = held.routings.get(routing.record.name);
    const found = before === undefined ? undefined : routingObject(before, before, before);
    const outcome = await writer.rehearse(writeOf(routing, stamp, found));
    if (outcome.kind === 'Overtaken') throw conflict(routing, held, outcome.found);
  });
  const pending: Pending = { writeId: stamp.writeId, routings: plan.routings, deletions: plan.deletions };
  const counters = plan.counters ?? held.counters;
  const decided = await writeCounters(options, counters, pending);
  const touched = [
    ...plan.routings.map(({ record }) => record.name),
    ...plan.deletions.map(({ name }) => name),
  ];
  const objects = new Map<string, RoutingObject>(
    touched.flatMap((name) => {
      const known = held.routings.get(name);
      return known === undefined ? [] : [[name, routingObject(known, known, known)] as const];
    }),
  );
  try {
    const after = await finished({ writer, term: held.term }, pending, objects);
    const routings = new Map(held.routings);
    for (const name of touched) {
      const object = after.get(name);
      if (object === undefined) routings.delete(name);
      else routings.set(name, routingOf(object));
    }
    const services = counters.services.map(({ name }) => ({ name, uid: routings.get(name)?.uid ?? '' }));
    const settled = await writeCounters(
      { ...options, held: { ...decided, routings } },
      { ...counters, services },
    );
    return { kind: 'Finished', held: settled };
  } catch (why) {
    const gone = new Set(plan.deletions.map(({ name }) => name));
    const routings = new Map([...held.routings].filter(([name]) => !gone.has(name)));
    for (const routing of plan.routings) {
      const { uid = '', resourceVersion = '' } = routings.get(routing.record.name) ?? {};
      routings.set(routing.record.name, { ...routing, ...stamp, uid, resourceVersion });
    }
    return { kind: 'Unfinished', held: { ...decided, routings }, why };
  }
}

async function writeCounters(
  { writer, newWriteId, held }: Committing,
  counters: Counters,
  pending?: Pending,
): Promise<Held> {
  const stamp = { term: held.term, writeId: newWriteId() };
  const content = { counters, pending: pending === undefined ? undefined : packed(pending) };
  const object = countersObject(content, stamp, held.countersAt);
  const outcome = await writer.write<StateObject>({ kind: 'Replace', of: CONTROLLER_STATE, object });
  if (outcome.kind === 'Written' && outcome.object !== undefined) {
    return { ...held, counters, countersAt: readState(outcome.object) };
  }
  if (outcome.kind === 'Overtaken' && outcome.found !== undefined && outcome.found.spec.term > held.term) {
    throw new NotLeaderError('');
  }
  throw new ChangedByAnotherError(
    `ControllerState ${object.metadata.name} was changed by another hand; nothing was changed, and it was read anew: repeat`,
  );
}

/** What stands in the way of a generation. */
function conflict({ record }: RoutingContent, held: Held, found: RoutingObject | undefined): Error {
  const { name: service } = record;
  const before = held.routings.get(service)?.record.generation ?? 0;
  if (found === undefined) {
    return new ChangedByAnotherError(
      `ServiceRouting ${service} was deleted by another hand; nothing was changed, and it is put back: repeat`,
    );
  }
  if (found.spec.term > held.term) return new NotLeaderError('');
  const { generation } = routingOf(found).record;
  if (before === 0) {
    return new ChangedByAnotherError(
      `ServiceRouting ${service} is there, although no such service is recorded: find out who made it, and delete it`,
    );
  }
  if (generation !== before)
    return new GenerationConflictError({ service, expected: before, actual: generation });
  return new ChangedByAnotherError(
    `ServiceRouting ${service} was changed by another hand at generation ${generation}; nothing was changed, and it was read anew: repeat`,
  );
}
