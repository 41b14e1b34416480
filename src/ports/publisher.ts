/**
 * The way to the proxies. `publish` returns at once; what each proxy has acknowledged is read from `progress`.
 * Order per proxy (make before break) is the publisher's job alone.
 */
import type { Instant } from '../model/instant.ts';
import type { Publication } from '../model/table.ts';

export interface Publisher {
  /** Replaces the table. A number that is not above the last one throws RangeError. */
  publish(publication: Publication): void;
  progress(): PublishProgress;
  /** Calls back after a proxy came, went, acknowledged or rejected. Returns the way to stop that. */
  subscribe(listener: () => void): () => void;
}

/** Where the proxies are. */
export interface PublishProgress {
  /** The number of the last publication; 0 before the first. */
  readonly publication: number;
  /** Connected proxies, sorted by id. */
  readonly proxies: readonly ProxyProgress[];
}

/** One connected proxy. */
export interface ProxyProgress {
  /** Its node id; unique among connected proxies (a second one with the same node id gets `#2`). */
  readonly id: string;
  /** The node id that it sent. It is the same when the proxy comes back over another connection. */
  readonly nodeId: string;
  readonly kind: 'envoy' | 'grpc';
  readonly protocol: 'sotw' | 'delta';
  readonly address: string;
  /** Its own name and version, for example `envoy 1.40.0`. */
  readonly userAgent: string;
  readonly connectedAt: Instant;
  /** True: an Envoy whose bootstrap `switchyard bootstrap` did not make, so nobody knows whether it can report requests. */
  readonly hasForeignBootstrap?: true;
  readonly lastSeen: Instant;
  /** The newest publication whose content it has acknowledged in every type that it subscribed to. */
  readonly publication: number;
  /** The newest publication whose routes it has acknowledged: a flip is done when this reaches the flip's number. */
  readonly routesPublication: number;
  readonly types: readonly TypeProgress[];
}

/** One resource type on one proxy. */
export interface TypeProgress {
  /** Short name: `clusters`, `endpoints`, `listeners`, `routes`. */
  readonly type: string;
  /** Names subscribed to; `*` for all. */
  readonly subscribed: readonly string[];
  readonly acknowledgedVersion: string;
  readonly publication: number;
  /** The last rejection, while what was rejected is still what we would send. */
  readonly rejection?: { readonly message: string; readonly version: string; readonly at: Instant };
}
