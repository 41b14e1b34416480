/**
 * The object with the counters as a leader takes it over. Its term is what decides who may change several objects at once:
 * such a change is decided by a write of this object.
 */
import { NotLeaderError } from '../../../ports/store.ts';
import { CONTROLLER_STATE } from '../custom-resources.ts';
import { StateUnreadableError } from './errors.ts';
import { type Routing, type RoutingObject, routingOf } from './routing-object.ts';
import { brought } from './settling.ts';
import { COUNTERS, type Counters, countersObject, readCounters, type StateObject } from './state-object.ts';
import type { Held } from './takeover.ts';
import type { Writer } from './writer.ts';

/** What the counters know of an object that they did not see made. */
const UNKNOWN_UID = 'unknown';

/** The counters with our term. `newestTerm` is the highest that any object has; -1: there is none. */
export async function fencedCounters(of: {
  readonly writer: Writer;
  readonly newWriteId: () => string;
  readonly before?: Held | undefined;
  readonly routings: readonly RoutingObject[];
  readonly newestTerm: number;
}): Promise<StateObject> {
  const { writer, newWriteId, before, routings, newestTerm } = of;
  const term = before?.term ?? Math.max(writer.leaseTerm, newestTerm + 1);
  const stamp = { term, writeId: newWriteId() };
  const found = await writer.find<StateObject>(CONTROLLER_STATE, COUNTERS);
  const fenced = await brought(writer, term, found, (object) => {
    if (object === undefined) {
      const counters = before?.counters ?? countedFrom(routings.map(routingOf));
      return { kind: 'Create', of: CONTROLLER_STATE, object: countersObject({ counters }, stamp) };
    }
    if (object.spec.term === term) return undefined;
    const content = { counters: readCounters(object), pending: object.spec.data };
    return {
      kind: 'Replace',
      of: CONTROLLER_STATE,
      object: countersObject(content, stamp, object.metadata),
    };
  });
  // One that another process of the same term has written is not ours: it leads, and this one does not know it yet.
  if (fenced === undefined || (before === undefined && fenced.spec.writeId !== stamp.writeId)) {
    throw new NotLeaderError('');
  }
  return fenced;
}

/** The counters without what was pending, and with all objects as they are now. */
export async function settledCounters(of: {
  readonly writer: Writer;
  readonly term: number;
  readonly newWriteId: () => string;
  readonly counters: StateObject;
  readonly settled: Counters;
}): Promise<StateObject> {
  const { writer, term, newWriteId, counters, settled } = of;
  const text = JSON.stringify(settled);
  const last = await brought(writer, term, counters, (found) => {
    if (found === undefined)
      throw new StateUnreadableError(`ControllerState ${COUNTERS} was deleted by another hand; repeat`);
    if (found.spec.data === undefined && JSON.stringify(readCounters(found)) === text) return undefined;
    const object = countersObject({ counters: settled }, { term, writeId: newWriteId() }, found.metadata);
    return { kind: 'Replace', of: CONTROLLER_STATE, object };
  });
  return last ?? counters;
}

/**
 * At the beginning, or where the records were restored without the counters. An empty status, or an empty object, never
 * makes a store that holds records look new.
 */
function countedFrom(routings: readonly Routing[]): Counters {
  const publications = routings.map(({ publication }) => publication);
  return {
    nextPublication: Math.max(0, ...publications) + 1,
    lastSequence: 0,
    everWritten: routings.length > 0,
    services: routings
      .map(({ record }) => ({ name: record.name, uid: UNKNOWN_UID }))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  };
}
