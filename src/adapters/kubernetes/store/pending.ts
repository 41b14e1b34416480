/**
 * A change of several objects. It is decided with one write, of the counters, which carry all of it; then the objects are
 * brought to it one by one. Whoever loads finishes what a crash left half done, before anything else.
 */
import { storedService } from '../../stored/records.ts';
import { count, list, object, optional, type Shape, text } from '../../stored/shape.ts';
import { storedServiceName } from '../../stored/simple.ts';
import { SERVICE_ROUTING } from '../custom-resources.ts';
import {
  type RoutingContent,
  type RoutingObject,
  routingObject,
  routingOf,
  storedCompanions,
  storedRollPlace,
} from './routing-object.ts';
import { brought } from './settling.ts';
import { type IndexEntry, readData, type StateObject } from './state-object.ts';
import type { Write, Writer } from './writer.ts';

export interface Pending {
  readonly writeId: string;
  readonly routings: readonly RoutingContent[];
  readonly deletions: readonly IndexEntry[];
}

const content: Shape<RoutingContent> = object<RoutingContent>({
  record: storedService,
  publication: count,
  together: storedCompanions,
  roll: optional(storedRollPlace),
});

const shape: Shape<Pending> = object<Pending>({
  writeId: text,
  routings: list(content),
  deletions: list(object<IndexEntry>({ name: storedServiceName, uid: text })),
});

/** What the counters carry, if anything. Throws StateUnreadableError. */
export function pendingOf(counters: StateObject): Pending | undefined {
  return counters.spec.data === undefined ? undefined : readData(shape, counters);
}

/**
 * Brings the objects to it; what is there already is left. Resolves with all objects as they are then. Rejects as `brought`
 * does; it is finished later then.
 */
export async function finished(
  { writer, term }: { readonly writer: Writer; readonly term: number },
  pending: Pending,
  objects: ReadonlyMap<string, RoutingObject>,
): Promise<ReadonlyMap<string, RoutingObject>> {
  const after = new Map(objects);
  const stamp = { term, writeId: pending.writeId };
  for (const member of pending.routings) {
    const { name } = member.record;
    const there = await brought<RoutingObject>(writer, term, after.get(name), (found) =>
      found !== undefined && isThere(member, pending, found) ? undefined : writeOf(member, stamp, found),
    );
    if (there !== undefined) after.set(name, there);
  }
  for (const { name, uid } of pending.deletions) {
    if (after.get(name)?.metadata.uid !== uid) continue;
    await writer.write({ kind: 'Delete', of: SERVICE_ROUTING, name, uid });
    after.delete(name);
  }
  return after;
}

/** The write of a generation over the object that was read, or where there is none. */
export function writeOf(
  member: RoutingContent,
  stamp: { readonly term: number; readonly writeId: string },
  found: RoutingObject | undefined,
): Write<RoutingObject> {
  if (found === undefined) {
    return { kind: 'Create', of: SERVICE_ROUTING, object: routingObject(member, stamp) };
  }
  return { kind: 'Replace', of: SERVICE_ROUTING, object: routingObject(member, stamp, found.metadata) };
}

/** Also where a later change has gone on from it. */
function isThere({ record }: RoutingContent, { writeId }: Pending, found: RoutingObject): boolean {
  return found.spec.writeId === writeId || routingOf(found).record.generation > record.generation;
}
