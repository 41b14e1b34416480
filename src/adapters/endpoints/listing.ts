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
  /** Wanted versions that were listed before and are not now, with their last addresses. */
  readonly kept: readonly EndpointsVersion[];
}

/**
 * A listing after versions were left out of it, by the file or by the spec. Those that are wanted keep their last
 * addresses, since leaving one out may be an accident; an empty list of addresses is an order, and there is nothing to
 * keep (rule 7).
 */
export function keepUnlisted(
  listing: Pick<FileListing, 'file' | 'versions'>,
  before: readonly EndpointsVersion[],
  wanted: readonly VersionName[],
): FileListing {
  const listed = new Set(listing.versions.map(({ name }) => name));
  const kept = new Map<VersionName, EndpointsVersion>();
  for (const version of before) {
    if (listed.has(version.name) || !wanted.includes(version.name)) continue;
    if (version.addresses.length > 0) kept.set(version.name, version);
  }
  return { file: listing.file, versions: listing.versions, kept: [...kept.values()] };
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
    offered: [...places].flatMap(([version, { source }]) => (source === 'Kept' ? [] : [version])).toSorted(),
    problems: [
      ...input.fileProblems,
      ...twiceListed(input),
      ...noLongerListed(input, places),
      ...unlisted(input, places),
    ],
  };
}

/** Where the addresses of a version come from. */
interface Place {
  readonly source: 'Spec' | 'File' | 'Kept';
  readonly addresses: readonly SocketAddress[];
}

/** The spec goes before the file: it was applied and audited. */
function listedPlaces({ spec, listing }: ListingInput): ReadonlyMap<VersionName, Place> {
  const places = new Map<VersionName, Place>();
  for (const { name, addresses } of listing?.kept ?? []) places.set(name, { source: 'Kept', addresses });
  for (const { name, addresses } of listing?.versions ?? []) places.set(name, { source: 'File', addresses });
  for (const { name, addresses } of spec.versions) places.set(name, { source: 'Spec', addresses });
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
  return {
    id,
    service: input.service,
    version,
    address,
    state: 'Ready',
    reason: reasonOf(input, place),
    since: input.since.get(id) ?? input.now,
    restarts: 0,
  };
}

function reasonOf({ listing, fileIsGood, fileProblems }: ListingInput, { source }: Place): string {
  if (source === 'Spec') return 'listed in the spec';
  const file = listing?.file ?? '';
  const place = source === 'Kept' ? `no longer listed in ${file}` : `listed in ${file}`;
  return fileIsGood ? place : `${place} when it was last good; now: ${fileProblems[0]}`;
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

/** While the file is broken its fault is what to mend first. */
function noLongerListed(
  { listing, fileIsGood }: ListingInput,
  places: ReadonlyMap<VersionName, Place>,
): string[] {
  if (listing === undefined || !fileIsGood) return [];
  return listing.kept
    .filter(({ name }) => places.get(name)?.source === 'Kept')
    .map(
      ({ name }) =>
        `${listing.file} no longer lists ${name}; its last addresses stay in use; write "addresses: []" to drop them, or retire it`,
    );
}

function unlisted({ wanted, spec }: ListingInput, places: ReadonlyMap<VersionName, Place>): string[] {
  const lists =
    spec.file === undefined ? 'the spec does not list it' : `neither the spec nor ${spec.file} lists it`;
  return wanted
    .filter((version) => !places.has(version))
    .map((version) => `version ${version} has no addresses: ${lists}`);
}
