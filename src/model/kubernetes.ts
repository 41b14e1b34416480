/** What a user wishes for Pods: the `kubernetes` runtime of a spec. */
import type { Json } from './json.ts';

/** Instances that Switchyard makes as Pods of Kubernetes: one Deployment for each version. */
export interface KubernetesRuntimeSpec {
  readonly kind: 'kubernetes';
  /** What a version is made of. A version keeps what it was made of, and its port. */
  readonly pods: PodSource;
  /** The port of the container that requests go to: its number, or its name. */
  readonly port: number | string;
  /** Pods for each version; not used with `autoscaling`. */
  readonly replicas: number;
  /** Absent: each version has `replicas`. */
  readonly autoscaling?: Autoscaling;
  /** Pods of a version that may be away when nodes are drained: a number, or a part such as `25%`. */
  readonly maxUnavailable: number | string;
  /** The Service that selects the primary's Pods; absent: it is named as the service. */
  readonly primaryService?: string;
  /** Its routes are written for gateways of the Gateway API too; absent: they are not. */
  readonly gatewayApi?: GatewayApiSpec;
}

/** Which gateways route to the service by HTTPRoutes, beside our proxies or in place of them. */
export interface GatewayApiSpec {
  /** Gateways, or for a mesh Services, that the HTTPRoute is attached to; at least one, and no two are the same. */
  readonly parentRefs: readonly ParentRef[];
  /** Hosts that belong to the service there; empty: all that the parents take. */
  readonly hostnames: readonly string[];
  /** `Instead`: our own proxies are told nothing of the service. */
  readonly mode: 'Besides' | 'Instead';
}

/** What an HTTPRoute is attached to. */
export interface ParentRef {
  readonly kind: 'Gateway' | 'Service';
  readonly name: string;
  /** Absent: the controller's own. */
  readonly namespace?: string;
  /** One listener of a Gateway, or a port of a Service by name; absent: all. */
  readonly sectionName?: string;
}

/** Where the Pod template of a new version comes from. `${version}` is replaced in images and in every text of a template. */
export type PodSource =
  /** The template of a Deployment that is there; `images` by the name of the container. */
  | {
      readonly kind: 'deployment';
      readonly name: string;
      readonly images: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'template'; readonly template: { readonly [name: string]: Json } };

/** How many Pods a version has: as many as keep its use of CPU, in percent of what it requests. */
export interface Autoscaling {
  readonly min: number;
  readonly max: number;
  readonly cpuPercent: number;
}
