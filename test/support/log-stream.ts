/** A proxy that reports requests over the wire, as Envoy does: entries in, messages out on a stream of its own. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientWritableStream, credentials } from '@grpc/grpc-js';
import {
  AccessLogType,
  type HTTPAccessLogEntrySchema,
} from '../../src/gen/envoy/data/accesslog/v3/accesslog_pb.js';
import { StreamAccessLogsMessageSchema } from '../../src/gen/envoy/service/accesslog/v3/als_pb.js';

export type Entry = MessageInitShape<typeof HTTPAccessLogEntrySchema>;

/** What a test says of a request; the rest is filled in. */
export interface EntryFacts {
  readonly service?: string;
  readonly route?: string;
  readonly version?: string;
  readonly status?: number;
  /** When it began, by the proxy's clock. */
  readonly start?: number;
  /** Milliseconds. */
  readonly duration?: number;
  readonly attempts?: number;
  readonly type?: AccessLogType;
  /** Makes the entry longer. */
  readonly path?: string;
}

/** An entry as Envoy writes it. */
export function entry(facts: EntryFacts = {}): Entry {
  const {
    service = 'manager',
    route = 'Default',
    version = 'v1',
    status = 200,
    start = Date.now(),
    duration = 5,
  } = facts;
  const { attempts = 1, type = AccessLogType.DownstreamEnd, path = '/' } = facts;
  return {
    commonProperties: {
      routeName: `${service}/${route}`,
      upstreamCluster: `${service}__${version}`,
      startTime: { seconds: BigInt(Math.floor(start / 1000)), nanos: Math.floor((start % 1000) * 1e6) },
      duration: { seconds: BigInt(Math.floor(duration / 1000)), nanos: Math.floor((duration % 1000) * 1e6) },
      upstreamRequestAttemptCount: attempts,
      accessLogType: type,
    },
    request: { path },
    response: { responseCode: status, responseCodeDetails: 'via_upstream' },
  };
}

/** The bytes of a message; the first one of a stream names the proxy. */
export function message(entries: readonly Entry[], proxy?: string): Buffer {
  const content = create(StreamAccessLogsMessageSchema, {
    ...(proxy === undefined ? {} : { identifier: { node: { id: proxy }, logName: 'switchyard' } }),
    logEntries: { case: 'httpLogs', value: { logEntry: [...entries] } },
  });
  return Buffer.from(toBinary(StreamAccessLogsMessageSchema, content));
}

export class ReportingProxy {
  readonly #client: Client;
  readonly #stream: ClientWritableStream<Buffer>;
  readonly #name: string;
  #isNamed = false;
  /** How the stream ended. */
  readonly ended: Promise<string>;

  /** `port`: of the controller's xDS server on loopback. */
  constructor(port: number, name: string) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    this.#name = name;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#stream = this.#client.makeClientStreamRequest(
      '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      (error) => resolve(error === null ? 'OK' : error.message),
    );
    this.#stream.on('error', () => undefined);
  }

  /** Reports requests in one message. */
  report(...entries: readonly Entry[]): void {
    this.send(message(entries, this.#isNamed ? undefined : this.#name));
    this.#isNamed = true;
  }

  /** Sends bytes as a message, whatever they are. */
  send(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  /** Ends the stream from this side. */
  end(): void {
    this.#stream.end();
  }

  /** Goes away without a word. */
  break(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}
