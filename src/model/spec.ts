/**
 * What a user wishes for one service: the `VersionedService` document after strict parsing, with every default
 * filled in. It holds wishes, never state: no weights, no primary.
 */
import type { Backoff } from './backoff.ts';
import type { Check } from './check.ts';
import type { DelegatesSpec } from './delegates.ts';
import type { Milliseconds } from './instant.ts';
import type { KubernetesRuntimeSpec } from './kubernetes.ts';
import type { ListenerName, ServiceName, TenantName, VersionName } from './names.ts';

/** One service with the version that is wanted and how traffic reaches it. */
export interface VersionedService {
  readonly name: ServiceName;
  /** The version that is wanted. A change of it starts a rollout. */
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
  readonly delegates: DelegatesSpec;
  /** Absent: nothing verifies a version, so a rollout waits for an operator before it moves traffic. */
  readonly verification?: VerificationSpec;
  readonly retention: RetentionSpec;
  /** Services of the same group whose versions are changed by one `apply` flip together. */
  readonly group?: string;
  readonly notifications: readonly Notification[];
}

/** A listener that the service is reached through. Services that name the same listener share its route table. */
export interface ListenerBinding {
  readonly name: ListenerName;
  /** The IP address that proxies bind. */
  readonly address: string;
  readonly port: number;
  /** Virtual host domains as Envoy knows them: `api.example.com`, `*.example.com`, or `*` for all. */
  readonly domains: readonly string[];
  /** True: proxies report every request to the controller, which reports and actual weights are made of. */
  readonly accessLog: boolean;
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
export type RuntimeSpec = EndpointsRuntimeSpec | ProcessesRuntimeSpec | KubernetesRuntimeSpec;

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
  readonly restartBackoff: Backoff;
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
  /** The least time at each step below 100. */
  readonly stepDuration: Milliseconds;
  /** `Manual`: an operator promotes every step. */
  readonly promotion: 'Automatic' | 'Manual';
  /** Weights that an operator must approve before they are published; each is one of `steps`. */
  readonly approvals: readonly number[];
  /** A rollout that is not deployed, or whose gate has not decided, within this time goes no further by itself. */
  readonly progressDeadline: Milliseconds;
  /** Default traffic moves forward only within these; empty: at any time. */
  readonly windows: readonly MaintenanceWindow[];
  /** Who gets the candidate before default traffic does; absent: nobody. */
  readonly cohort?: Cohort;
  /** Copies of default requests that the candidate gets while it is verified; absent: none. */
  readonly mirror?: MirrorSpec;
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

/** When default traffic may move forward, in UTC. */
export interface MaintenanceWindow {
  /** Days on which it opens. */
  readonly days: readonly Weekday[];
  /** Minutes after midnight at which it opens. */
  readonly startMinute: number;
  /** How long it stays open, at most a week. */
  readonly duration: Milliseconds;
}

/** In the order of `Date.getUTCDay`. */
export const WEEKDAYS = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Requests that reach the candidate first: any of the tenants, or any of the headers with exactly its value. */
export interface Cohort {
  readonly tenants: readonly TenantName[];
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** Which default requests are copied. Copies carry `x-switchyard-mirror: 1`; their answers are thrown away. */
export interface MirrorSpec {
  /** 1 to 100. */
  readonly percent: number;
  /** Idempotent HTTP methods. */
  readonly methods: readonly string[];
  /** Full gRPC methods: `/pipeline.v1.Tasks/Get`. */
  readonly grpcMethods: readonly string[];
}

/** How a version is verified, before and after it gets default traffic. */
export interface VerificationSpec {
  /** Absent: no check may ask Prometheus. */
  readonly prometheus?: PrometheusSpec;
  /** Names are unique. */
  readonly checks: readonly Check[];
  /** The score, 0 to 100, at which a gate passes. */
  readonly passScore: number;
  /** The score below which a gate fails; between the two it is Inconclusive. */
  readonly marginalScore: number;
  /** How long the checks go on after the flip; a failure flips back by itself. */
  readonly soak: Milliseconds;
}

/** The Prometheus that measures a service. */
export interface PrometheusSpec {
  /** For example `http://127.0.0.1:9090`, with a path prefix where there is one. */
  readonly url: string;
  /** How often it scrapes the proxies and the instances. */
  readonly scrapeInterval: Milliseconds;
  readonly timeout: Milliseconds;
}

/** How many versions stay. */
export interface RetentionSpec {
  /** Versions that stay up beside each other; those beyond are torn down when a rollout begins. */
  readonly keep: number;
  /** A rollout waits for the teardown where more versions than this would be up. */
  readonly max: number;
}

/** Where events of the service are posted. Never blocks traffic or the rollout. */
export interface Notification {
  readonly name: string;
  readonly url: string;
  /** Actions of events, for example `RolloutAborted`; empty: all. */
  readonly events: readonly string[];
}

/** Who knows the open work of a version. */
export type DrainSource =
  | {
      readonly kind: 'promql';
      /** Open work of `{{version}}`; each series is one instance's share, told apart by the label `instanceLabel`. */
      readonly query: string;
      /** Address of the Prometheus. */
      readonly prometheus: PrometheusSpec;
      /** Label whose value is the instance's address, `host:port`. */
      readonly instanceLabel: string;
      /** How long the count must have been zero. */
      readonly quietFor: Milliseconds;
    }
  /** `switchyard.work.v1.WorkService` on every instance: Fence, Lift, Count. */
  | { readonly kind: 'grpc' }
  /** `switchyard.work.v1.VersionWorkService`, answered by any instance for all versions from one transaction. */
  | { readonly kind: 'workflow' }
  | {
      readonly kind: 'http';
      /** POST here tells an instance to take no new work and to ask its clients to finish; DELETE takes that back. */
      readonly fencePath: string;
      /** GET here answers `{"asOf": ISO time, "open": [{"kind","id","since"}…], "total": n}`. */
      readonly openWorkPath: string;
    }
  | { readonly kind: 'none' };
