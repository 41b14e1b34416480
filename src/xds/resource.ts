/**
 * Resources as translate gives them and snapshot numbers them: one Envoy or gRPC message with what it refers to and
 * whom it concerns.
 */
import type { ListenerName, ServiceName } from '../model/names.ts';

/** The four resource types, in the order in which additions are sent (make before break). */
export const RESOURCE_TYPES = ['clusters', 'endpoints', 'listeners', 'routes'] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

/** The type URL of each resource type. */
export const TYPE_URLS = {
  clusters: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoints: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  listeners: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  routes: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
} as const satisfies Record<ResourceType, string>;

/** One message, encoded, not yet versioned. Encoding is deterministic: equal tables give equal bytes. */
export interface TranslatedResource {
  readonly type: ResourceType;
  readonly name: string;
  /** The message's binary form, without the Any around it. */
  readonly bytes: Uint8Array;
  /**
   * clusters with active health checks: the same cluster without them. A proxy that lacks the cluster is sent this first,
   * because warming would wait for the first check of a host that may never answer; `bytes` follow once it is usable.
   */
  readonly creationBytes?: Uint8Array;
  /** routes: the clusters that they name. listeners: the route tables. clusters: their endpoints' name. Sorted. */
  readonly references: readonly string[];
  /** Whom it concerns: a proxy whose metadata asks for some listeners or services gets only what matches. */
  readonly services: readonly ServiceName[];
  /** The listeners that it belongs to; empty for clusters and endpoints, which follow their services. */
  readonly listeners: readonly ListenerName[];
}

/** The resources of one table, for the two kinds of client; Envoy and proxyless gRPC accept different routes. */
export interface Translation {
  readonly envoy: readonly TranslatedResource[];
  readonly grpc: readonly TranslatedResource[];
}
