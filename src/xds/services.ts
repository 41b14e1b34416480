/** The discovery services that are offered, as gRPC methods on raw bytes: four types on one stream, or a stream per type. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { ClusterDiscoveryService } from '../gen/envoy/service/cluster/v3/cds_pb.js';
import { AggregatedDiscoveryService } from '../gen/envoy/service/discovery/v3/ads_pb.js';
import { EndpointDiscoveryService } from '../gen/envoy/service/endpoint/v3/eds_pb.js';
import { ListenerDiscoveryService } from '../gen/envoy/service/listener/v3/lds_pb.js';
import { RouteDiscoveryService } from '../gen/envoy/service/route/v3/rds_pb.js';
import type { ResourceType } from './resource.ts';

/** One streaming method. `type`: the one type that it serves; absent: all. */
export interface DiscoveryMethod {
  readonly path: string;
  readonly dialect: 'sotw' | 'delta';
  readonly type?: ResourceType;
}

const bytesOf = (bytes: Buffer): Buffer => bytes;

/** All methods. The unary Fetch methods (polling) are not offered: a poll cannot be held back, so it has no order. */
export const DISCOVERY_METHODS: readonly DiscoveryMethod[] = [
  { path: pathOf(AggregatedDiscoveryService, 'StreamAggregatedResources'), dialect: 'sotw' },
  { path: pathOf(AggregatedDiscoveryService, 'DeltaAggregatedResources'), dialect: 'delta' },
  { path: pathOf(ClusterDiscoveryService, 'StreamClusters'), dialect: 'sotw', type: 'clusters' },
  { path: pathOf(ClusterDiscoveryService, 'DeltaClusters'), dialect: 'delta', type: 'clusters' },
  { path: pathOf(EndpointDiscoveryService, 'StreamEndpoints'), dialect: 'sotw', type: 'endpoints' },
  { path: pathOf(EndpointDiscoveryService, 'DeltaEndpoints'), dialect: 'delta', type: 'endpoints' },
  { path: pathOf(ListenerDiscoveryService, 'StreamListeners'), dialect: 'sotw', type: 'listeners' },
  { path: pathOf(ListenerDiscoveryService, 'DeltaListeners'), dialect: 'delta', type: 'listeners' },
  { path: pathOf(RouteDiscoveryService, 'StreamRoutes'), dialect: 'sotw', type: 'routes' },
  { path: pathOf(RouteDiscoveryService, 'DeltaRoutes'), dialect: 'delta', type: 'routes' },
];

function pathOf(
  service: { readonly typeName: string; readonly methods: readonly { readonly name: string }[] },
  method: string,
): string {
  if (!service.methods.some(({ name }) => name === method))
    throw new Error(`${service.typeName} has no ${method}`);
  return `/${service.typeName}/${method}`;
}

/** The definition that grpc-js takes. Names of methods are their paths. */
export const DISCOVERY_SERVICE: ServiceDefinition = Object.fromEntries(
  DISCOVERY_METHODS.map(({ path }) => [
    path,
    {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: bytesOf,
      requestDeserialize: bytesOf,
      responseSerialize: bytesOf,
      responseDeserialize: bytesOf,
    },
  ]),
);
