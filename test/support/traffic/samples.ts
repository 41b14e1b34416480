/**
 * What the traffic clients write down: one record for each request and each stream, with when and what came back.
 * No record says whether that was right; judge.ts does. Times are milliseconds of one monotonic clock.
 */

/** How requests are sent. `http1` keeps its connections alive; `http2` is h2c with prior knowledge. */
export const REQUEST_FACES = ['http1', 'http2', 'grpc'] as const;
export type RequestFace = (typeof REQUEST_FACES)[number];
/** How streams are held open. `grpcWatch` only listens; `grpcWork` and `websocket` talk both ways. */
export const STREAM_FACES = ['http1', 'http2', 'grpcWatch', 'grpcWork', 'websocket'] as const;
export type StreamFace = (typeof STREAM_FACES)[number];

/** What a client asked for, through which entrance (the name of a proxy's listener). */
export interface Asked {
  readonly entrance: string;
  readonly face: RequestFace | StreamFace;
  /** The value of the pin header; absent: default traffic. */
  readonly pin?: string;
  readonly tenant?: string;
  /** Tells this request from all others; the instance that it comes to may write it down. Absent on streams. */
  readonly id?: string;
}

/** What came back. */
export type Outcome =
  /** An instance answered and said who it is. `routedVersion` is the header that the proxy added, if it did. */
  | { readonly kind: 'answered'; readonly version: string; readonly routedVersion?: string }
  /** The proxy refused the pin: 409 with VERSION_NOT_ACTIVE, or FAILED_PRECONDITION over gRPC. */
  | { readonly kind: 'refused' }
  /** `version`: who answered with 500, where the answer says so. */
  | { readonly kind: 'failed'; readonly reason: string; readonly version?: string };

/** One request from send to the last byte, or one stream from its request to its first message. */
export interface Exchange {
  readonly asked: Asked;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
}

/** How a stream ended. */
export type StreamEnd =
  /** The client ended it: because it was told to, or because the version said that it drains. */
  | { readonly kind: 'byClient' }
  /** Anything else: reset, closed by the other side, silent for too long, unreadable. */
  | { readonly kind: 'cut'; readonly reason: string };

/** One stream that was opened; its opening is an Exchange too. */
export interface StreamRecord {
  readonly asked: Asked;
  readonly openedAt: number;
  readonly endedAt: number;
  /** Who answered the opening. */
  readonly version: string;
  /** Versions other than that one that messages named later; none in a healthy world. */
  readonly strangers: readonly string[];
  readonly end: StreamEnd;
}
