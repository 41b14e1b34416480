/**
 * What is recorded of a service as a ServiceRouting object, and back. The record is kept whole, as other stores keep it; the
 * fields around it are for people, for followers, and for whoever has to finish what a crash left half done.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ServiceName } from '../../../model/names.ts';
import type { RolloutId } from '../../../model/rollout.ts';
import type { ServiceRecord } from '../../../model/state.ts';
import { NEWEST_FORM, oldestReader } from '../../stored/oldest-reader.ts';
import { storedService } from '../../stored/records.ts';
import { storedRolloutId } from '../../stored/rollout.ts';
import { count, list, object, optional, type Shape, text } from '../../stored/shape.ts';
import { storedServiceName } from '../../stored/simple.ts';
import type { ObjectMeta } from '../client/objects.ts';
import { SERVICE_LABEL, SERVICE_ROUTING } from '../custom-resources.ts';
import { StateUnreadableError } from './errors.ts';
import { metadataOf, objectOf, type Stamp, type StoredObject } from './objects.ts';

/** A generation of a service, as it is written. */
export interface RoutingContent {
  readonly record: ServiceRecord;
  /** The last publication number that was committed with it; 0 where there was none. */
  readonly publication: number;
  /** The other services of the change that wrote this generation: one is to be seen with the others, or not yet. */
  readonly together: readonly Companion[];
  /** Where the roll of its rollout is. */
  readonly roll?: { readonly rollout: RolloutId; readonly object: string };
}

export interface Companion {
  readonly service: ServiceName;
  readonly generation: number;
}

/** As it is stored. */
export interface Routing extends RoutingContent, Stamp {
  readonly uid: string;
  /** What others have put there included. */
  readonly metadata: ObjectMeta;
}

interface RoutingSpec {
  readonly generation: number;
  readonly publication: number;
  readonly primary?: string;
  readonly candidate?: string;
  /** Of the candidate, in percent. */
  readonly weight?: number;
  /** Releases that know only older forms refuse it. */
  readonly oldestReader: number;
  readonly together?: readonly Companion[];
  readonly roll?: RoutingContent['roll'];
  readonly record: ServiceRecord;
}

export type RoutingObject = StoredObject<RoutingSpec>;

/** What of the spec is read back; the rest is made of the record. */
interface ReadSpec extends Stamp {
  readonly record: ServiceRecord;
  readonly publication: number;
  readonly together?: readonly Companion[];
  readonly roll?: NonNullable<RoutingContent['roll']>;
}

/** Read before the record: one of a newer release may well look damaged. */
const header: Shape<{ readonly oldestReader: number }> = object<{ readonly oldestReader: number }>({
  oldestReader: count,
});

export const storedCompanions: Shape<readonly Companion[]> = list(
  object<Companion>({ service: storedServiceName, generation: count }),
);
export const storedRollPlace: Shape<NonNullable<RoutingContent['roll']>> = object<
  NonNullable<RoutingContent['roll']>
>({ rollout: storedRolloutId, object: text });

const body: Shape<ReadSpec> = object<ReadSpec>({
  term: count,
  writeId: text,
  record: storedService,
  publication: count,
  together: optional(storedCompanions),
  roll: optional(storedRollPlace),
});

/** The object of a generation; `before` is of the one that it replaces. */
export function routingObject(content: RoutingContent, stamp: Stamp, before?: ObjectMeta): RoutingObject {
  const { record, publication, together, roll } = content;
  const metadata = metadataOf(record.name, { [SERVICE_LABEL]: record.name }, before);
  return objectOf(SERVICE_ROUTING, metadata, {
    term: stamp.term,
    writeId: stamp.writeId,
    generation: record.generation,
    publication,
    ...shares(record),
    oldestReader: oldestReader(record),
    ...(together.length === 0 ? {} : { together }),
    ...(roll === undefined ? {} : { roll }),
    record,
  });
}

/** Reads an object. Throws StateUnreadableError that names it. */
export function routingOf(stored: RoutingObject): Routing {
  const { metadata } = stored;
  const { name, uid = '' } = metadata;
  const what = `ServiceRouting ${name}`;
  const { oldestReader: needed } = readAs(header, stored.spec, what);
  if (needed > NEWEST_FORM) {
    throw new StateUnreadableError(
      `${what} was written by a newer release (readable from form ${needed} on; this one knows form ${NEWEST_FORM}): start the newer release`,
    );
  }
  const { together = [], ...read } = readAs(body, stored.spec, what);
  if (read.record.name !== name) {
    throw new StateUnreadableError(`${what} holds the record of ${read.record.name}: ${ADVICE}`);
  }
  return { ...read, together, uid, metadata };
}

const ADVICE = 'put back what was there, from a backup';

/** Reads a part of an object. Throws StateUnreadableError that begins with `what`. */
export function readAs<T>(shape: Shape<T>, value: unknown, what: string): T {
  try {
    return shape.read(value, 'spec');
  } catch (error) {
    throw new StateUnreadableError(`${what} is damaged (${(error as Error).message}): ${ADVICE}`, {
      cause: error,
    });
  }
}

function shares({ traffic }: ServiceRecord): Pick<RoutingSpec, 'primary' | 'candidate' | 'weight'> {
  switch (traffic.kind) {
    case 'none':
      return {};
    case 'steady':
      return { primary: traffic.primary };
    case 'shifting':
      return { primary: traffic.primary, candidate: traffic.candidate, weight: traffic.weight };
  }
}

/** Whether two readings of an object differ in nothing that is ours: others may label and annotate it. */
export function isSameContent(one: Routing, other: Routing): boolean {
  const { metadata: _one, ...ours } = one;
  const { metadata: _other, ...theirs } = other;
  return isDeepStrictEqual(ours, theirs);
}
