/** What every kind of client offers to the load: one request at a time, or one stream that stays open. */
import type { Asked, Outcome } from '../samples.ts';

/** Where a client connects to. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** The name that it asks for, which chooses among services that share a listener; absent: the address itself. */
  readonly authority?: string;
}

/** A wish as a client gets it. `path` is for HTTP only; gRPC has its own methods. */
export type Wish = Pick<Asked, 'pin' | 'tenant' | 'id'> & { readonly path?: string };

export interface RequestClient {
  /** Never rejects: what went wrong is an Outcome. */
  send(wish: Wish): Promise<Outcome>;
  close(): void;
}

/** One message of a stream. */
export interface StreamMessage {
  readonly version: string;
  readonly draining: boolean;
}

/** What happens on a stream, in this order: messages, then one end. */
export interface StreamListener {
  /** `routedVersion` is the header that the proxy added to the answer, if it did. */
  onMessage(message: StreamMessage, routedVersion: string | undefined): void;
  /** The stream has ended; the outcome is never `answered`. After a `close` of ours it says nothing of interest. */
  onEnd(outcome: Outcome): void;
}

export interface OpenStream {
  /** Ends the stream from the client's side. */
  close(): void;
}

export interface StreamClient {
  open(wish: Wish & { readonly tickMs: number }, listener: StreamListener): OpenStream;
  close(): void;
}
