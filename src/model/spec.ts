/**
 * What a user wishes for one service: the `VersionedService` document after strict parsing, with every default
 * filled in. It holds wishes, never state: no weights, no primary.
 */
import type { Milliseconds } from './instant.ts';
import type { ListenerName, ServiceName, VersionName } from './names.ts';

/** One service with the version that is wanted and how traffic reaches it. */
export interface VersionedService {
  readonly name: ServiceName;
  /** The version that is wanted. A new one is brought up beside the primary; it gets no default traffic by itself. */
  readonly version: VersionName;
  /** Where proxies accept requests for the service; at least one. */
  readonly listeners: readonly ListenerBinding[];
  readonly pin: PinPolicy;
  /** The header whose value is the tenant; absent: default traffic is spread by source address. */
  readonly tenantKey?: TenantKey;
  readonly runtime: RuntimeSpec;
  readonly traffic: TrafficSpec;
  readonly upstream: UpstreamSpec;
  readonly drain: DrainSpec;
}

/** A listener that the service is reached through. Services that name the same listener share its route table. */
export interface ListenerBinding {
  readonly name: ListenerName;
  /** The IP address that proxies bind. */
  readonly address: string;
  readonly port: number;
  /** Virtual host domains as Envoy knows them: `api.example.com`, `*.example.com`, or `*` for all. */
  readonly domains: readonly string[];
}

/**
 * Where a header counts. `everywhere` is what lint warns of; `scoped` counts on any of the listed hosts, below
 * any of the listed paths, and on any of the listed gRPC services; `nowhere` removes the header always.
 */
export type Scope =
  | { readonly kind: 'everywhere' }
  | { readonly kind: 'nowhere' }
  | {
      readonly kind: 'scoped';
      /** Exact host names, without a port. */
      readonly hosts: readonly string[];
      /** Path prefixes on segment borders: `/api` covers `/api` and `/api/x`, not `/apix`. */
      readonly paths: readonly string[];
      /** Full gRPC service names: `pipeline.v1.Tasks` covers `/pipeline.v1.Tasks/…`. */
      readonly grpcServices: readonly string[];
    };

/** How a request names a version. */
export interface PinPolicy {
  /** Header that names the version, lower-case; default `x-delegate-version`. */
  readonly header: string;
  /** Marker header; a request that carries it, with any value but `false`, and no pin is refused. Default `x-delegate-pinned`. */
  readonly markerHeader: string;
  /** Where the pin counts; elsewhere the header is removed before the request is forwarded. */
  readonly allow: Scope;
  /** Where a pin on a version that is still Deploying counts. */
  readonly previewAllow: Scope;
  /** What becomes of a pin that names no active version. */
  readonly onUnknown: 'Refuse' | 'Primary';
}

/** How a request names its tenant. */
export interface TenantKey {
  /** Lower-case header name. */
  readonly header: string;
  /** Where callers may set it; elsewhere it is removed and the source address decides. */
  readonly allow: Scope;
}

/** What runs the instances of each version. */
export type RuntimeSpec = EndpointsRuntimeSpec | ProcessesRuntimeSpec;

/** Instances that somebody else runs, by address. */
export interface EndpointsRuntimeSpec {
  readonly kind: 'endpoints';
  /** Versions listed in the spec itself. */
  readonly versions: readonly EndpointsVersion[];
  /** A YAML file of more versions that is watched; absent: none. */
  readonly file?: string;
}

/** The addresses of one version's instances. */
export interface EndpointsVersion {
  readonly name: VersionName;
  readonly addresses: readonly SocketAddress[];
}

/** An IP address and a port. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** Instances that Switchyard runs as processes of this machine (Linux only). */
export interface ProcessesRuntimeSpec {
  readonly kind: 'processes';
  /** Program and arguments; `${version}`, `${port}` and `${instance}` are replaced in each. No shell. */
  readonly command: readonly string[];
  readonly workingDirectory?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Instances for each version. */
  readonly instances: number;
  /** Ports that instances are given, both ends included. */
  readonly ports: { readonly from: number; readonly to: number };
  readonly readiness: Readiness;
  /** Time between SIGTERM and SIGKILL. */
  readonly stopGrace: Milliseconds;
  readonly restartBackoff: { readonly initial: Milliseconds; readonly max: Milliseconds };
}

/** How an instance shows that it can take requests. */
export type Readiness = {
  readonly interval: Milliseconds;
  readonly timeout: Milliseconds;
  /** Failures in a row after which a ready instance is unready. */
  readonly failureThreshold: number;
} & (
  | { readonly kind: 'http'; readonly path: string }
  | { readonly kind: 'grpc'; readonly service: string }
  | { readonly kind: 'tcp' }
);

/** How default traffic moves from the primary to a candidate. */
export interface TrafficSpec {
  /** Weights of the candidate, rising, the last one 100. Default: [100]. */
  readonly steps: readonly number[];
  /** Retries after a failed connect or a refused stream, the only failures where the request cannot have begun. */
  readonly retries: number;
}

/** How proxies talk to the instances. */
export interface UpstreamSpec {
  /** `SameAsClient` speaks HTTP/2 upstream where the client does; the instances must accept both on one port. */
  readonly protocol: 'Http1' | 'Http2' | 'SameAsClient';
  readonly connectTimeout: Milliseconds;
  /** Absent: no active health checks by proxies. */
  readonly healthCheck?: HealthCheckSpec;
  /** Absent: no outlier ejection. */
  readonly outlierDetection?: OutlierDetectionSpec;
}

/** Active health checks that each proxy makes. */
export type HealthCheckSpec = {
  readonly interval: Milliseconds;
  readonly timeout: Milliseconds;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
} & (
  | { readonly kind: 'http'; readonly path: string }
  | { readonly kind: 'grpc'; readonly service: string }
  | { readonly kind: 'tcp' }
);

/** Ejection of instances that fail real requests. */
export interface OutlierDetectionSpec {
  readonly consecutiveErrors: number;
  readonly interval: Milliseconds;
  readonly baseEjectionTime: Milliseconds;
  readonly maxEjectionPercent: number;
}

/** How a version is emptied before it is retired. */
export interface DrainSpec {
  /** Where the open work is counted; `none`: an operator decides. */
  readonly source: DrainSource;
}

/** Who knows the open work of a version. */
export type DrainSource =
  | {
      readonly kind: 'http';
      /** POST here tells an instance to take no new work and to ask its clients to finish; DELETE takes that back. */
      readonly fencePath: string;
      /** GET here answers `{"asOf": ISO time, "open": [{"kind","id","since"}…], "total": n}`. */
      readonly openWorkPath: string;
    }
  | { readonly kind: 'none' };
