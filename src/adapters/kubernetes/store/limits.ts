/** How much custom resources hold. What would be too much is refused before it is sent, and named. */
import { MAX_LIVE_VERSIONS, MAX_SERVICES } from '../../../model/limits.ts';
import type { ServiceName } from '../../../model/names.ts';
import type { ServiceRecord } from '../../../model/state.ts';
import type { Commit } from '../../../ports/store.ts';
import { StoreLimitError } from './errors.ts';
import type { StoredObject } from './objects.ts';

/** An API server takes 1.5 MB with all that it adds. */
const MOST_BYTES = 1_000_000;
const WARN_BYTES = 700_000;

/** As the API server takes the names of objects: a service may have others where it is kept in a file. */
const OBJECT_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** What a change may make of one service. Throws StoreLimitError that names it, and what is in the way. */
export function checkRecord(record: ServiceRecord): void {
  const { name, versions } = record;
  if (!OBJECT_NAME.test(name)) {
    throw new StoreLimitError(
      name,
      `${name} cannot be the name of an object: dots and dashes must stand between letters or digits, one dot at a time`,
    );
  }
  const live = versions.filter(({ state }) => state !== 'Retired');
  const oldest = live.toSorted((one, other) => one.since - other.since)[0];
  if (live.length > MAX_LIVE_VERSIONS && oldest !== undefined) {
    throw new StoreLimitError(
      name,
      `${name} would have ${live.length} versions, at most ${MAX_LIVE_VERSIONS} may live; retire some, first of all ${oldest.name}, which is ${oldest.state} (${oldest.reason})`,
    );
  }
}

/** Throws StoreLimitError that names the first service that is one too many. */
export function checkServices(services: readonly ServiceName[], added: readonly ServiceName[]): void {
  const [first] = added.slice(Math.max(0, MAX_SERVICES - services.length));
  if (first === undefined) return;
  throw new StoreLimitError(
    first,
    `${first} would be service ${services.length + added.length}; one namespace holds at most ${MAX_SERVICES}, so give others a namespace and a controller of their own`,
  );
}

/** Throws StoreLimitError; returns a warning where it comes near, else undefined. */
export function checkSize(service: ServiceName, object: StoredObject, largest: string): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(object));
  if (bytes <= WARN_BYTES) return undefined;
  const size = `${service} would take ${bytes} bytes of the ${MOST_BYTES} that its object has room for; most of it is its ${largest}`;
  if (bytes > MOST_BYTES) throw new StoreLimitError(service, `${size}: make that smaller`);
  return size;
}

/** The part of a record that takes the most room. */
export function largestPart(record: ServiceRecord): string {
  const sizes = Object.entries(record).map(
    ([part, value]) => [part, JSON.stringify(value)?.length ?? 0] as const,
  );
  return sizes.toSorted(([, one], [, other]) => other - one)[0]?.[0] ?? 'record';
}

/** A publication that followers have seen must not be followed by a lower one. Throws RangeError. */
export function checkPublications(
  { services = [], publication }: Commit,
  storedOf: (service: ServiceName) => number,
): void {
  for (const { name } of services) {
    const stored = storedOf(name);
    if (publication !== undefined && publication < stored) {
      throw new RangeError(`publication must be at least ${stored}, which ${name} has, not ${publication}`);
    }
  }
}
