/** Carries out a planned commit: what it names is written first, then the one write that decides it, then what follows. */
import type { ServiceName } from '../../../model/names.ts';
import { GenerationConflictError, NotLeaderError } from '../../../ports/store.ts';
import { CONTROLLER_STATE } from '../custom-resources.ts';
import { ChangedByAnotherError } from './errors.ts';
import { checkSize, largestPart } from './limits.ts';
import { packed } from './packed.ts';
import { finished, type Pending, writeOf } from './pending.ts';
import type { CommitPlan } from './plan.ts';
import {
  isSameContent,
  type Routing,
  type RoutingContent,
  type RoutingObject,
  routingObject,
  routingOf,
} from './routing-object.ts';
import { brought, inParallel } from './settling.ts';
import {
  COUNTERS,
  type Counters,
  countersObject,
  ownerOf,
  readCounters,
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
  /** Of the writes that belong to the change. */
  readonly writeId: string;
  /** Told of what comes near its limit. */
  readonly trouble: (sentence: string) => void;
}

/** What is held after it. `Unfinished`: it is decided, and its objects follow later. */
export type Committed =
  | { readonly kind: 'Finished'; readonly held: Held }
  | { readonly kind: 'Unfinished'; readonly held: Held; readonly why: unknown };

interface NewStamp {
  readonly term: number;
  readonly writeId: string;
}

/**
 * Rejects, with nothing decided, with GenerationConflictError, ChangedByAnotherError, NotLeaderError, StoreLimitError,
 * StoreRejectedError; with StoreUnavailableError it may be decided all the same.
 */
export async function committed(options: Committing): Promise<Committed> {
  const { plan, held } = options;
  const stamp = { term: held.term, writeId: options.writeId };
  checkSizes(options, stamp);
  if (plan.decidedBy === 'Several') return writeSeveral(options, stamp);
  await writeRolls(options);
  const reserved = plan.counters === undefined ? held : await writeCounters(options, plan.counters);
  const [only] = plan.routings;
  if (only === undefined) return { kind: 'Finished', held: reserved };
  const routing = await writeOne(options, only, stamp);
  const routings = new Map(reserved.routings).set(only.record.name, routing);
  return { kind: 'Finished', held: { ...reserved, routings } };
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

/** What others do to its metadata does not matter; where they have changed what is ours, it is refused. */
async function writeOne(
  { writer, held }: Committing,
  routing: RoutingContent,
  stamp: NewStamp,
): Promise<Routing> {
  const known = heldObject(held, routing.record.name);
  const written = await brought<RoutingObject>(writer, held.term, known, (found) => {
    if (found === undefined || !isAsHeld(held, found)) throw conflict(routing, held, found);
    return writeOf(routing, stamp, found);
  });
  if (written === undefined) throw conflict(routing, held, undefined);
  return routingOf(written);
}

/** What is refused, or was changed by another hand, is found out before anything is decided. */
async function writeSeveral(options: Committing, stamp: NewStamp): Promise<Committed> {
  const { writer, held, plan } = options;
  const { routings: members, deletions } = plan;
  const pending: Pending = { writeId: stamp.writeId, routings: members, deletions };
  const counters = plan.counters ?? held.counters;
  const text = packed(pending);
  const [first] = members;
  if (first !== undefined) {
    const carried = countersObject({ counters, pending: text }, stamp);
    checkSize(first.record.name, carried, 'change together with that of other services');
  }
  await inParallel(members, async (member) => {
    const outcome = await writer.rehearse(writeOf(member, stamp, heldObject(held, member.record.name)));
    const { found } = outcome.kind === 'Overtaken' ? outcome : {};
    const isFree = outcome.kind === 'Written' || (found !== undefined && isAsHeld(held, found));
    if (!isFree) throw conflict(member, held, found);
  });
  await writeRolls(options);
  const decided = await writeCounters(options, counters, text);
  const touched = [...members.map(({ record }) => record.name), ...deletions.map(({ name }) => name)];
  const objects = new Map<string, RoutingObject>();
  for (const name of touched) {
    const known = heldObject(held, name);
    if (known !== undefined) objects.set(name, known);
  }
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
    return { kind: 'Unfinished', held: { ...decided, routings: decidedRoutings(held, plan, stamp) }, why };
  }
}

/** The records as they were decided, whatever their objects hold yet. */
function decidedRoutings(held: Held, plan: CommitPlan, stamp: NewStamp): Held['routings'] {
  const routings = new Map(held.routings);
  for (const { name } of plan.deletions) routings.delete(name);
  for (const member of plan.routings) {
    const { name } = member.record;
    const { uid = '', metadata = { name } } = held.routings.get(name) ?? {};
    routings.set(name, { ...member, ...stamp, uid, metadata });
  }
  return routings;
}

async function writeCounters(
  { writer, newWriteId, held }: Committing,
  counters: Counters,
  pending?: string,
): Promise<Held> {
  const stamp = { term: held.term, writeId: newWriteId() };
  const known = countersObject(
    { counters: held.counters, pending: held.pending },
    { term: held.term, writeId: '' },
    held.countersAt,
  );
  const written = await brought<StateObject>(writer, held.term, known, (found) => {
    const isOurs =
      found !== undefined &&
      found.spec.data === held.pending &&
      JSON.stringify(readCounters(found)) === JSON.stringify(readCounters(known));
    if (!isOurs) {
      throw new ChangedByAnotherError(
        `ControllerState ${COUNTERS} was changed by another hand; nothing was changed, and it was read anew: repeat`,
      );
    }
    const object = countersObject({ counters, pending }, stamp, found.metadata);
    return { kind: 'Replace', of: CONTROLLER_STATE, object };
  });
  const { pending: _, ...rest } = held;
  const countersAt = written?.metadata ?? held.countersAt;
  return { ...rest, counters, countersAt, ...(pending === undefined ? {} : { pending }) };
}

function heldObject(held: Held, name: ServiceName): RoutingObject | undefined {
  const known = held.routings.get(name);
  return known === undefined ? undefined : routingObject(known, known, known.metadata);
}

/** Whether it is what was read, apart from what others have put into its metadata. Throws StateUnreadableError. */
function isAsHeld(held: Held, found: RoutingObject): boolean {
  const known = held.routings.get(found.metadata.name as ServiceName);
  return known !== undefined && isSameContent(known, routingOf(found));
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
  if (before === 0) {
    return new ChangedByAnotherError(
      `ServiceRouting ${service} is there, although no such service is recorded: find out who made it, and delete it`,
    );
  }
  const { generation } = routingOf(found).record;
  if (generation !== before) {
    return new GenerationConflictError({ service, expected: before, actual: generation });
  }
  return new ChangedByAnotherError(
    `ServiceRouting ${service} was changed by another hand at generation ${generation}; nothing was changed, and it was read anew: repeat`,
  );
}
