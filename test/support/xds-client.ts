/**
 * A scripted xDS client on the real wire: it sends what a test says, well-formed or not, and shows what comes, in order.
 * It never answers by itself.
 */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '../../src/gen/envoy/service/discovery/v3/discovery_pb.js';
import { RESOURCE_TYPES, type ResourceType, TYPE_URLS } from '../../src/xds/resource.ts';
import { eventually } from './eventually.ts';

export const AGGREGATED = {
  sotw: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
  delta: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
} as const;

/** One response as it came. */
export interface WireResponse {
  /** Undefined where the type is none of the four. */
  readonly type: ResourceType | undefined;
  readonly nonce: string;
  readonly version: string;
  /** Delta only: names and versions. */
  readonly resources: readonly {
    readonly name: string;
    readonly version: string;
    readonly bytes: Uint8Array;
  }[];
  readonly removed: readonly string[];
  readonly raw: Buffer;
}

export type SotwFields = MessageInitShape<typeof DiscoveryRequestSchema>;
export type DeltaFields = MessageInitShape<typeof DeltaDiscoveryRequestSchema>;

const TYPES_BY_URL = new Map<string, ResourceType>(RESOURCE_TYPES.map((type) => [TYPE_URLS[type], type]));

/** A connection on which streams can be opened. */
export class XdsConnection {
  readonly #client: Client;

  constructor(port: number, host = '127.0.0.1') {
    this.#client = new Client(`${host}:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
  }

  /** Opens a stream of a method; the aggregated one of the dialect where none is named. */
  open(dialect: 'sotw' | 'delta', path: string = AGGREGATED[dialect]): XdsClient {
    const bytes = (buffer: Buffer): Buffer => buffer;
    return new XdsClient(dialect, this.#client.makeBidiStreamRequest(path, bytes, bytes));
  }

  close(): void {
    this.#client.close();
  }
}

/** One stream. */
export class XdsClient {
  readonly dialect: 'sotw' | 'delta';
  /** All responses so far, oldest first. */
  readonly received: WireResponse[] = [];
  /** How the stream ended. */
  error: ServiceError | undefined;
  ended = false;
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  #read = 0;

  constructor(dialect: 'sotw' | 'delta', call: ClientDuplexStream<Buffer, Buffer>) {
    this.dialect = dialect;
    this.call = call;
    call.on('data', (raw: Buffer) => this.received.push(parse(dialect, raw)));
    call.on('error', (error: ServiceError) => {
      this.error = error;
      this.ended = true;
    });
    call.on('end', () => {
      this.ended = true;
    });
  }

  /** Calls back for each response, as it comes. */
  onResponse(heard: (response: WireResponse) => void): void {
    this.call.on('data', (raw: Buffer) => heard(parse(this.dialect, raw)));
  }

  /** Sends a SotW request for a type. */
  ask(type: string, fields: SotwFields = {}): void {
    const typeUrl = type in TYPE_URLS ? TYPE_URLS[type as ResourceType] : type;
    this.sendBytes(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { typeUrl, ...fields })));
  }

  /** Sends a delta request for a type. */
  change(type: string, fields: DeltaFields = {}): void {
    const typeUrl = type in TYPE_URLS ? TYPE_URLS[type as ResourceType] : type;
    this.sendBytes(
      toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { typeUrl, ...fields })),
    );
  }

  sendBytes(bytes: Uint8Array): void {
    this.call.write(Buffer.from(bytes));
  }

  /** Acknowledges a response. SotW: with the names that it goes on asking for. */
  acknowledge(response: WireResponse, names: readonly string[] = []): void {
    const { type = '', nonce, version } = response;
    if (this.dialect === 'delta') this.change(type, { responseNonce: nonce });
    else this.ask(type, { responseNonce: nonce, versionInfo: version, resourceNames: [...names] });
  }

  /** The next response that was not taken yet; rejects where none comes or the stream ends. */
  async next(): Promise<WireResponse> {
    await eventually(() => this.received.length > this.#read || this.ended, { what: 'a response' });
    const response = this.received[this.#read];
    if (response === undefined) throw this.error ?? new Error('the stream ended without a response');
    this.#read += 1;
    return response;
  }

  /** How the stream ends; rejects where it goes on. */
  async end(): Promise<{ code: number; details: string }> {
    await eventually(() => this.ended, { what: 'the end of the stream' });
    return { code: this.error?.code ?? 0, details: this.error?.details ?? '' };
  }

  cancel(): void {
    this.call.cancel();
  }
}

function parse(dialect: 'sotw' | 'delta', raw: Buffer): WireResponse {
  if (dialect === 'sotw') {
    const { typeUrl, nonce, versionInfo, resources } = fromBinary(DiscoveryResponseSchema, raw);
    return {
      type: TYPES_BY_URL.get(typeUrl),
      nonce,
      version: versionInfo,
      resources: resources.map(({ value }) => ({ name: '', version: '', bytes: value })),
      removed: [],
      raw,
    };
  }
  const { typeUrl, nonce, systemVersionInfo, resources, removedResources } = fromBinary(
    DeltaDiscoveryResponseSchema,
    raw,
  );
  return {
    type: TYPES_BY_URL.get(typeUrl),
    nonce,
    version: systemVersionInfo,
    resources: resources.map(({ name, version, resource }) => ({
      name,
      version,
      bytes: resource?.value ?? new Uint8Array(),
    })),
    removed: removedResources,
    raw,
  };
}

/** The node of a test proxy. */
export function node(id: string, more: { userAgentName?: string; metadata?: object } = {}) {
  return { id, userAgentName: 'envoy', ...more } as NonNullable<SotwFields['node']>;
}
