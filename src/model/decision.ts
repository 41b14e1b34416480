/** What `explain` takes and gives: a request as a proxy sees it, and the version that it would reach. */
import type { ServiceName, VersionName } from './names.ts';

/** A request, as `explain` takes it. */
export interface ExplainRequest {
  /** The service, or absent: found by listener and host. */
  readonly service?: ServiceName;
  readonly listener?: string;
  readonly request: RequestFacts;
}

/** What a proxy knows of a request when it chooses a route. */
export interface RequestFacts {
  /** Default: `POST` over gRPC, else `GET`. */
  readonly method?: string;
  /** The authority, with or without a port. */
  readonly host: string;
  /** With the leading slash; the query is ignored. */
  readonly path: string;
  /**
   * In the order sent; a name may be repeated; names are compared without regard to case. Spaces and tabs around a value
   * are removed, as HTTP/1 does; over HTTP/2 they stay, and a padded pin is refused.
   */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The client's IP address as the proxy sees it, in the usual short form. */
  readonly sourceAddress?: string;
  /** Default: true when `content-type` is `application/grpc` or begins with `application/grpc+`. */
  readonly grpc?: boolean;
}

/** Which version the request would reach, and the rule that decided. */
export interface Decision {
  readonly service?: ServiceName;
  readonly outcome: Outcome;
  readonly rule: DecidingRule;
  /** Some or all such requests are also sent to another version, as copies. Absent: none. */
  readonly copied?: { readonly version: VersionName; readonly percent: number };
  /** One sentence. */
  readonly because: string;
}

export type Outcome =
  /** No ready endpoint: the proxy answers 503 with the reason NO_READY_ENDPOINT. */
  | { readonly kind: 'Version'; readonly version: VersionName; readonly readyEndpoints: number }
  /** The proxy answers by itself. `status` is HTTP's, 200 over gRPC, where `grpcStatus` says what happened. */
  | { readonly kind: 'Refused'; readonly status: number; readonly grpcStatus?: number; readonly code: string }
  /** No tenant and no source address: either side, by weight. */
  | {
      readonly kind: 'ByWeight';
      readonly weights: readonly { readonly version: VersionName; readonly weight: number }[];
    };

/** What decided, for a program. */
export type DecidingRule =
  | 'NoVirtualHost'
  | 'InvalidPath'
  | 'PreviewPin'
  | 'Pin'
  | 'UnknownPin'
  | 'MisspeltPin'
  | 'MarkerWithoutPin'
  | 'Hold'
  | 'Cohort'
  | 'DefaultPrimary'
  | 'DefaultSplit'
  | 'NoPrimary';
