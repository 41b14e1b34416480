/**
 * Which instances a service has when somebody else runs them: the addresses of the spec and of its file enter, and
 * instances, versions on offer and problems leave. Pure. Addresses are trusted: an instance that is listed is Ready,
 * and the health checks of the proxies decide whether it gets requests.
 */
import type { Instance } from '../../model/instance.ts';
import type { Instant } from '../../model/instant.ts';
import type { ServiceName, VersionName } from '../../model/names.ts';
import type { EndpointsRuntimeSpec, EndpointsVersion, SocketAddress } from '../../model/spec.ts';

/** What was read from a file when it was last good. */
export interface FileListing {
  readonly file: string;
  readonly versions: readonly EndpointsVersion[];
}

export interface ListingInput {
  readonly service: ServiceName;
  readonly spec: EndpointsRuntimeSpec;
  /** The versions whose instances are wanted. */
  readonly wanted: readonly VersionName[];
  /** Absent: the file was never good, or there is none. */
  readonly listing: FileListing | undefined;
  /** False: the listing is older than the file, which is broken or away. */
  readonly fileIsGood: boolean;
  /** What is wrong with the file now; a good file may have warnings. */
  readonly fileProblems: readonly string[];
  /** Since when an instance is listed, by its id. */
  readonly since: ReadonlyMap<string, Instant>;
  readonly now: Instant;
}

export interface Listed {
  /** Of wanted versions, sorted by id. */
  readonly instances: readonly Instance[];
  /** All versions that are listed, sorted. */
  readonly offered: readonly VersionName[];
  readonly problems: readonly string[];
}

/** The instances of a service by the lists that are known now. */
export function listInstances(input: ListingInput): Listed {
  const places = listedPlaces(input);
  const wanted = new Set(input.wanted);
  const instances = [...places]
    .filter(([version]) => wanted.has(version))
    .flatMap(([version, place]) =>
      place.addresses.map((address) => toInstance({ input, version, place, address })),
    );
  return {
    instances: sortedById(instances),
    offered: [...places.keys()].toSorted(),
    problems: [...input.fileProblems, ...twiceListed(input), ...unlisted(input, places)],
  };
}

/** Where a version is listed. */
interface Place {
  readonly where: string;
  readonly addresses: readonly SocketAddress[];
}

/** The spec goes before the file: it was applied and audited. */
function listedPlaces({ spec, listing }: ListingInput): ReadonlyMap<VersionName, Place> {
  const places = new Map<VersionName, Place>();
  for (const { name, addresses } of listing?.versions ?? [])
    places.set(name, { where: listing?.file ?? '', addresses });
  for (const { name, addresses } of spec.versions) places.set(name, { where: 'the spec', addresses });
  return places;
}

function toInstance(listed: {
  input: ListingInput;
  version: VersionName;
  place: Place;
  address: SocketAddress;
}): Instance {
  const { input, version, place, address } = listed;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const id = `${input.service}-${version}-${host}:${address.port}`;
  const listing = `listed in ${place.where}`;
  const stale = place.where !== 'the spec' && !input.fileIsGood;
  return {
    id,
    service: input.service,
    version,
    address,
    state: 'Ready',
    reason: stale ? `${listing} when it was last good; now: ${input.fileProblems[0]}` : listing,
    since: input.since.get(id) ?? input.now,
    restarts: 0,
  };
}

/** Sorted by id, each once: an address that is listed twice is one instance. */
function sortedById(instances: readonly Instance[]): readonly Instance[] {
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function twiceListed({ spec, listing }: ListingInput): string[] {
  if (listing === undefined) return [];
  const inSpec = new Set(spec.versions.map(({ name }) => name));
  return listing.versions
    .filter(({ name }) => inSpec.has(name))
    .map(
      ({ name }) =>
        `version ${name} is listed in the spec and in ${listing.file}; the addresses of the spec are used`,
    );
}

function unlisted({ wanted, spec }: ListingInput, places: ReadonlyMap<VersionName, Place>): string[] {
  const lists =
    spec.file === undefined ? 'the spec does not list it' : `neither the spec nor ${spec.file} lists it`;
  return wanted
    .filter((version) => !places.has(version))
    .map((version) => `version ${version} has no addresses: ${lists}`);
}
