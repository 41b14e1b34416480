/**
 * What a leader does before anything else, and again where it does not know what came of a write: it writes its term into
 * every object, which a deposed leader's writes then fail on; it finishes what a crash left half done; and it reads all.
 */
import type { Instant } from '../../../model/instant.ts';
import type { ServiceName } from '../../../model/names.ts';
import type { RollRecord } from '../../../model/parity.ts';
import type { ObjectMeta } from '../client/objects.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../custom-resources.ts';
import { fencedCounters, settledCounters } from './counters.ts';
import { StateUnreadableError } from './errors.ts';
import type { StoredObject } from './objects.ts';
import { finished, pendingOf, writeOf } from './pending.ts';
import { noteRecordRestored } from './restored.ts';
import { type Routing, type RoutingObject, routingOf } from './routing-object.ts';
import { brought, inParallel } from './settling.ts';
import {
  COUNTERS,
  type Counters,
  type IndexEntry,
  owned,
  ownerOf,
  readCounters,
  readRoll,
  type StateObject,
} from './state-object.ts';
import type { Writer } from './writer.ts';

/** All that the store knows of its objects. */
export interface Held {
  /** Of this leader: above that of every leader before, whatever the Lease says. */
  readonly term: number;
  readonly routings: ReadonlyMap<ServiceName, Routing>;
  /** As they are stored. */
  readonly counters: Counters;
  /** Of their object. */
  readonly countersAt: ObjectMeta;
  /** What they carry: a change that is decided and not finished. */
  readonly pending?: string;
}

export interface TakenOver extends Held {
  readonly rolls: readonly RollRecord[];
  /** The objects that lists are spread over. */
  readonly shards: readonly StateObject[];
  /** The change that was decided and is finished now. */
  readonly finished?: string;
  /** What somebody should look at, one sentence each. */
  readonly troubles: readonly string[];
}

export interface TakeOverOptions {
  readonly writer: Writer;
  readonly newWriteId: () => string;
  readonly now: Instant;
  /** What this leader held before, where it reads again within its term: what another hand has deleted since is put back. */
  readonly before?: Held | undefined;
}

/** Rejects as Writer does, and with StateUnreadableError, ChangedByAnotherError. */
export async function takeOver(options: TakeOverOptions): Promise<TakenOver> {
  const { writer, newWriteId, before } = options;
  const { routings: seen, states: seenStates } = before === undefined ? await readAll(writer) : NOTHING;
  const counters = await fencedCounters({
    ...options,
    routings: seen,
    newestTerm: Math.max(-1, ...[...seen, ...seenStates].map(termOf)),
  });
  const { term } = counters.spec;
  // Read again: what was there before the fence may have changed since, and nothing after it.
  const { routings: listed, states } = await readAll(writer);
  const pending = pendingOf(counters);
  const found = new Map(listed.map((object) => [object.metadata.name, object]));
  const after = pending === undefined ? found : await finished({ writer, term }, pending, found);

  const { services } = readCounters(counters);
  const objects = await inParallel(services, (entry) =>
    fencedRouting({ ...options, term, entry, found: after.get(entry.name) }),
  );
  const read = objects.map(routingOf);
  const routings = new Map(read.map((routing) => [routing.record.name, routing]));
  const settled: Counters = {
    ...readCounters(counters),
    services: read.map(({ record, uid }) => ({ name: record.name, uid })),
  };
  const shards = await fencedShards({ writer, term, newWriteId, states });
  const rolls = await adoptedRolls({ writer, term, newWriteId, states, routings });
  const last = await settledCounters({ writer, term, newWriteId, counters, settled });
  return {
    term,
    routings,
    counters: settled,
    countersAt: last.metadata,
    rolls,
    shards,
    ...(pending === undefined ? {} : { finished: pending.writeId }),
    troubles: [...putBack(services, after), ...strays(services, after)],
  };
}

const NOTHING = { routings: [], states: [] };

async function readAll(writer: Writer): Promise<{
  readonly routings: readonly RoutingObject[];
  readonly states: readonly StateObject[];
}> {
  const [routings, states] = await Promise.all([
    writer.list<RoutingObject>(SERVICE_ROUTING),
    writer.list<StateObject>(CONTROLLER_STATE),
  ]);
  return { routings, states };
}

function termOf({ spec }: StoredObject): number {
  return spec.term;
}

/** A service's object with our term. Rejects with StateUnreadableError where it is gone, and nobody knows what it held. */
async function fencedRouting(
  options: TakeOverOptions & {
    readonly term: number;
    readonly entry: IndexEntry;
    readonly found: RoutingObject | undefined;
  },
): Promise<RoutingObject> {
  const { writer, newWriteId, now, before, term, entry, found } = options;
  const { name } = entry;
  const lost = before?.routings.get(name);
  const fenced = await brought(writer, term, found, (object) => {
    if (object === undefined || (lost !== undefined && !isReadable(object))) {
      if (lost === undefined) throw new StateUnreadableError(missing(name));
      return writeOf(lost, { term, writeId: newWriteId() }, object);
    }
    if (object.spec.term === term) return undefined;
    const routing = routingOf(object);
    const isRestored = entry.uid !== '' && entry.uid !== routing.uid && before === undefined;
    const record = isRestored ? noteRecordRestored(routing.record, now) : routing.record;
    // All that was changed together is there by now, and written before this.
    return writeOf({ ...routing, record, together: [] }, { term, writeId: routing.writeId }, object);
  });
  if (fenced === undefined) throw new StateUnreadableError(missing(name));
  return fenced;
}

function isReadable(object: RoutingObject): boolean {
  try {
    routingOf(object);
    return true;
  } catch {
    return false;
  }
}

function missing(name: ServiceName): string {
  return `ServiceRouting ${name} is gone, and it was not deleted by the controller: put it back from a backup (kubectl create -f BACKUP), or, to go on without what was recorded of ${name}, delete ControllerState ${COUNTERS}`;
}

interface States {
  readonly writer: Writer;
  readonly term: number;
  readonly newWriteId: () => string;
  readonly states: readonly StateObject[];
}

/** The objects that lists are spread over, with our term. */
async function fencedShards({ writer, term, newWriteId, states }: States): Promise<readonly StateObject[]> {
  const shards = states.filter(({ spec: { content } }) => content === 'Proxies' || content === 'Watchers');
  const fenced = await inParallel(shards, (shard) =>
    brought(writer, term, shard, (found) =>
      found === undefined || found.spec.term === term
        ? undefined
        : replacing(found, { term, writeId: newWriteId() }),
    ),
  );
  return fenced.filter((shard) => shard !== undefined);
}

/** Rolls that a record names, each with the owner that a restore may have taken from it. The others go. */
async function adoptedRolls(
  of: States & { readonly routings: ReadonlyMap<ServiceName, Routing> },
): Promise<readonly RollRecord[]> {
  const { writer, term, newWriteId, states, routings } = of;
  const users = new Map([...routings.values()].map((routing) => [routing.roll?.object, routing]));
  const rolls = await inParallel(
    states.filter(({ spec }) => spec.content === 'Roll'),
    async (roll) => {
      const { name, uid = '' } = roll.metadata;
      const user = users.get(name);
      if (user === undefined) {
        await writer.write({ kind: 'Delete', of: CONTROLLER_STATE, name, uid });
        return [];
      }
      await brought(writer, term, roll, (found) =>
        found === undefined || found.metadata.ownerReferences?.[0]?.uid === user.uid
          ? undefined
          : replacing(owned(found, ownerOf(user.record.name, user.uid)), { term, writeId: newWriteId() }),
      );
      return [readRoll(roll)];
    },
  );
  return rolls.flat();
}

function replacing(
  state: StateObject,
  stamp: { readonly term: number; readonly writeId: string },
): { readonly kind: 'Replace'; readonly of: typeof CONTROLLER_STATE; readonly object: StateObject } {
  return { kind: 'Replace', of: CONTROLLER_STATE, object: { ...state, spec: { ...state.spec, ...stamp } } };
}

function putBack(
  services: readonly IndexEntry[],
  found: ReadonlyMap<string, RoutingObject>,
): readonly string[] {
  return services.flatMap(({ name }) => {
    const object = found.get(name);
    if (object !== undefined && isReadable(object)) return [];
    const did = object === undefined ? 'deleted' : 'damaged';
    return [`ServiceRouting ${name} was ${did} by another hand; it was put back as it was`];
  });
}

/** Records that nobody counted are left alone: they were made by hand, or by a leader that was none any more. */
function strays(
  services: readonly IndexEntry[],
  found: ReadonlyMap<string, RoutingObject>,
): readonly string[] {
  const known = new Set<string>(services.map(({ name }) => name));
  return [...found.keys()]
    .filter((name) => !known.has(name))
    .map(
      (name) =>
        `ServiceRouting ${name} is of no service that is recorded, so nothing is decided by it: find out whose it is, then delete it`,
    );
}
