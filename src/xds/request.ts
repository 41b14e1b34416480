/**
 * Discovery requests from the wire. They are read field by field with the protobuf reader, because Envoy repeats its
 * whole node (tens of kilobytes) in every request and only the first one is of interest. Bounds are checked here.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type Node, NodeSchema } from '../gen/envoy/config/core/v3/base_pb.js';
import { excerpt, visible } from '../model/text.ts';
import { nodeIdProblem } from './node-id.ts';

/** What both dialects' requests carry, decoded. */
export interface WireRequest {
  /** The encoded Node, if one came. */
  readonly node: Uint8Array | undefined;
  readonly typeUrl: string;
  /** The nonce of the response that it answers; empty if none. */
  readonly nonce: string;
  /** Why that response was rejected; absent: it was not. */
  readonly error: string | undefined;
  /** SotW: the version that the proxy accepted last. */
  readonly version: string;
  /** SotW: all names that it wants. */
  readonly names: readonly string[];
  /** Delta. */
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
}

/** The most names in one request, and the longest name in characters. */
const REQUEST_LIMITS = { names: 20_000, nameLength: 2_048 } as const;

/** The longest reason of a rejection and the longest name of a client's software that are kept, in characters. */
const KEPT = { reason: 4_096, userAgent: 256 } as const;

/** A request that cannot be read, or is beyond the limits. The text says what would be right. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
}

type Draft = {
  -readonly [Field in keyof WireRequest]: WireRequest[Field] extends readonly string[]
    ? string[]
    : WireRequest[Field];
} & { initialVersions: Map<string, string> };

type FieldReader = (reader: BinaryReader, draft: Draft) => void;

// Field numbers: envoy/service/discovery/v3/discovery.proto.
const SOTW_FIELDS: Readonly<Record<number, FieldReader>> = {
  1: (reader, draft) => void (draft.version = reader.string()),
  2: (reader, draft) => void (draft.node = reader.bytes()),
  3: (reader, draft) => void draft.names.push(reader.string()),
  4: (reader, draft) => void (draft.typeUrl = reader.string()),
  5: (reader, draft) => void (draft.nonce = reader.string()),
  6: (reader, draft) => void (draft.error = statusMessage(reader.bytes())),
};
const DELTA_FIELDS: Readonly<Record<number, FieldReader>> = {
  1: (reader, draft) => void (draft.node = reader.bytes()),
  2: (reader, draft) => void (draft.typeUrl = reader.string()),
  3: (reader, draft) => void draft.subscribe.push(reader.string()),
  4: (reader, draft) => void draft.unsubscribe.push(reader.string()),
  5: (reader, draft) => void draft.initialVersions.set(...mapEntry(reader.bytes())),
  6: (reader, draft) => void (draft.nonce = reader.string()),
  7: (reader, draft) => void (draft.error = statusMessage(reader.bytes())),
};

/** Reads a DiscoveryRequest or DeltaDiscoveryRequest. Throws InvalidRequestError. */
export function readRequest(dialect: 'sotw' | 'delta', bytes: Uint8Array): WireRequest {
  const draft: Draft = {
    node: undefined,
    typeUrl: '',
    nonce: '',
    error: undefined,
    version: '',
    names: [],
    subscribe: [],
    unsubscribe: [],
    initialVersions: new Map(),
  };
  try {
    readFields(bytes, dialect === 'sotw' ? SOTW_FIELDS : DELTA_FIELDS, draft);
  } catch (error) {
    throw new InvalidRequestError(`this is not a discovery request: ${(error as Error).message}`);
  }
  checkNames(
    dialect === 'sotw'
      ? draft.names
      : [...draft.subscribe, ...draft.unsubscribe, ...draft.initialVersions.keys()],
  );
  return draft;
}

function readFields(bytes: Uint8Array, fields: Readonly<Record<number, FieldReader>>, draft: Draft): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = fields[field];
    if (read !== undefined && wireType === LENGTH_DELIMITED) read(reader, draft);
    else reader.skip(wireType, field);
  }
}

const LENGTH_DELIMITED = WireType.LengthDelimited;

function statusMessage(bytes: Uint8Array): string {
  const [, message] = stringPair(bytes);
  return message === '' ? 'rejected without a reason' : visible(message, KEPT.reason);
}

const mapEntry = stringPair;

/** Fields 1 and 2 of a message, where they are strings. */
function stringPair(bytes: Uint8Array): [string, string] {
  const reader = new BinaryReader(bytes);
  const pair: [string, string] = ['', ''];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === LENGTH_DELIMITED && (field === 1 || field === 2)) pair[field - 1] = reader.string();
    else reader.skip(wireType, field);
  }
  return pair;
}

function checkNames(names: readonly string[]): void {
  if (names.length > REQUEST_LIMITS.names) {
    throw new InvalidRequestError(
      `a request may carry ${REQUEST_LIMITS.names} resource names, this one has ${names.length}`,
    );
  }
  const long = names.find((name) => name.length > REQUEST_LIMITS.nameLength);
  if (long !== undefined) {
    throw new InvalidRequestError(
      `a resource name may have ${REQUEST_LIMITS.nameLength} characters, this one has ${long.length}: ${excerpt(long)}`,
    );
  }
}

/** Who is at the other end. */
export interface WireNode {
  readonly id: string;
  /** Name and version of the client's software, for example `envoy 1.40.0`. */
  readonly userAgent: string;
  readonly userAgentName: string;
  readonly metadata: unknown;
}

/** Reads the node of a first request. Throws InvalidRequestError where there is none, or none with a usable id. */
export function readNode(bytes: Uint8Array | undefined): WireNode {
  if (bytes === undefined) throw new InvalidRequestError('the first request on a stream must carry the node');
  let node: Node;
  try {
    node = fromBinary(NodeSchema, bytes);
  } catch (error) {
    throw new InvalidRequestError(`the node cannot be read: ${(error as Error).message}`);
  }
  const { id, userAgentName, metadata } = node;
  const problem = nodeIdProblem(id);
  if (problem !== undefined) throw new InvalidRequestError(problem);
  return {
    id,
    userAgentName,
    metadata,
    userAgent: visible(`${userAgentName || 'unknown'} ${userAgentVersion(node)}`.trim(), KEPT.userAgent),
  };
}

function userAgentVersion({ userAgentVersionType }: Node): string {
  if (userAgentVersionType.case === 'userAgentVersion') return userAgentVersionType.value;
  const version = userAgentVersionType.value?.version;
  return version === undefined ? '' : `${version.majorNumber}.${version.minorNumber}.${version.patch}`;
}
