/**
 * What the leader keeps beside the records, as ControllerState objects, and back. One kind for all of it: its content says
 * which. Custom resources rather than ConfigMaps: whoever may edit ConfigMaps of the namespace may not edit these, no tool
 * prunes them, and one command lists all that a backup needs.
 */
import type { ServiceName } from '../../../model/names.ts';
import type { Roll, RollRecord } from '../../../model/parity.ts';
import type { RolloutId } from '../../../model/rollout.ts';
import { storedRoll } from '../../stored/roll.ts';
import { count, list, object, oneOf, optional, type Shape, text, truth } from '../../stored/shape.ts';
import { storedServiceName } from '../../stored/simple.ts';
import type { ObjectMeta, OwnerReference } from '../client/objects.ts';
import { apiVersionOf } from '../client/objects.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../custom-resources.ts';
import { metadataOf, objectOf, type Stamp, type StoredObject } from './objects.ts';
import { packed, unpacked } from './packed.ts';
import { readAs } from './routing-object.ts';

/** The object with the counters; there is one in a namespace. */
export const COUNTERS = 'counters';
/** On each ControllerState: its content, so that followers read the counters alone. */
const CONTENT_LABEL = 'switchyard.dev/content';
/** Of the object with the counters. */
export const COUNTERS_SELECTOR = `${CONTENT_LABEL}=counters`;

const CONTENTS = ['Counters', 'Proxies', 'Watchers', 'Roll'] as const;
type Content = (typeof CONTENTS)[number];

interface StateSpec {
  readonly content: Content;
  /** How many things `data` holds. */
  readonly entries: number;
  readonly counters?: Counters;
  /** Packed. Of the counters: a change of several objects that was decided and may not be finished. */
  readonly data?: string;
}

export type StateObject = StoredObject<StateSpec>;

export interface Counters {
  /** Every number below may have been used. */
  readonly nextPublication: number;
  /** Every number up to it may have been given to an event. */
  readonly lastSequence: number;
  readonly everWritten: boolean;
  /** All services. One whose object is gone was not deleted by us. */
  readonly services: readonly IndexEntry[];
  /** The number of the newest change that deleted services: no record is left that says it. */
  readonly lastDeletion?: number;
}

export interface IndexEntry {
  readonly name: ServiceName;
  /** Of its object; empty where it was not made yet. Another one shows that the object was restored. */
  readonly uid: string;
}

const counters: Shape<Counters> = object<Counters>({
  nextPublication: count,
  lastSequence: count,
  everWritten: truth,
  services: list(object<IndexEntry>({ name: storedServiceName, uid: text })),
  lastDeletion: optional(count),
});

interface ReadSpec extends Stamp {
  readonly content: Content;
  readonly counters?: Counters;
  readonly data?: string;
}

const shape: Shape<ReadSpec> = object<ReadSpec>({
  term: count,
  writeId: text,
  content: oneOf(...CONTENTS),
  counters: optional(counters),
  data: optional(text),
});

/** The object with the counters. `pending`: packed. */
export function countersObject(
  content: { readonly counters: Counters; readonly pending?: string | undefined },
  stamp: Stamp,
  before?: ObjectMeta,
): StateObject {
  const { pending } = content;
  return stateObject(COUNTERS, stamp, before, {
    content: 'Counters',
    entries: content.counters.services.length,
    counters: content.counters,
    ...(pending === undefined ? {} : { data: pending }),
  });
}

/** One of the objects that share a list. */
export function shardObject(
  shard: {
    readonly content: 'Proxies' | 'Watchers';
    readonly number: number;
    readonly entries: readonly unknown[];
  },
  stamp: Stamp,
  before?: ObjectMeta,
): StateObject {
  const { content, number, entries } = shard;
  return stateObject(`${content.toLowerCase()}-${number}`, stamp, before, {
    content,
    entries: entries.length,
    data: packed(entries),
  });
}

/** The object of a roll. It is never changed: another roll is another object. */
export function rollObject(
  name: string,
  roll: RollRecord,
  stamp: Stamp,
  owner?: OwnerReference,
): StateObject {
  const made = stateObject(name, stamp, undefined, {
    content: 'Roll',
    entries: sizeOf(roll.roll),
    data: packed(roll),
  });
  return owner === undefined ? made : owned(made, owner);
}

/** Goes when its service's object goes. */
export function owned(state: StateObject, owner: OwnerReference): StateObject {
  return { ...state, metadata: { ...state.metadata, ownerReferences: [owner] } };
}

export function ownerOf(name: ServiceName, uid: string): OwnerReference {
  return { apiVersion: apiVersionOf(SERVICE_ROUTING), kind: SERVICE_ROUTING.kind, name, uid };
}

/** Throws StateUnreadableError. */
export function readState(stored: StateObject): ReadSpec & { readonly metadata: ObjectMeta } {
  return { ...readAs(shape, stored.spec, nameOf(stored)), metadata: stored.metadata };
}

/** What an object holds packed. Throws StateUnreadableError. */
export function readData<T>(dataShape: Shape<T>, stored: StateObject): T {
  const read: Shape<T> = { read: (text_, path) => dataShape.read(unpacked(String(text_)), path) };
  return readAs(read, stored.spec.data, nameOf(stored));
}

/** Throws StateUnreadableError. */
export function readRoll(stored: StateObject): { readonly rollout: RolloutId; readonly roll: Roll } {
  return readData(storedRoll, stored);
}

/** Throws StateUnreadableError. */
export function readCounters(stored: StateObject): Counters {
  return readAs(counters, stored.spec.counters, nameOf(stored));
}

function nameOf({ metadata }: StateObject): string {
  return `ControllerState ${metadata.name}`;
}

function stateObject(
  name: string,
  stamp: Stamp,
  before: ObjectMeta | undefined,
  spec: StateSpec,
): StateObject {
  const metadata = metadataOf(name, { [CONTENT_LABEL]: spec.content.toLowerCase() }, before);
  return objectOf(CONTROLLER_STATE, metadata, { term: stamp.term, writeId: stamp.writeId, ...spec });
}

function sizeOf(roll: Roll): number {
  return roll.kind === 'named' ? roll.boxes.length : roll.tenants.length;
}
