/**
 * Resources that stand in for content that the server does not have: a cluster that a proxy still uses and nobody
 * remembers, and endpoints that somebody asks for and nobody knows.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { Cluster_DiscoveryType, ClusterSchema } from '../gen/envoy/config/cluster/v3/cluster_pb.js';
import { ApiVersion } from '../gen/envoy/config/core/v3/config_source_pb.js';
import { ClusterLoadAssignmentSchema } from '../gen/envoy/config/endpoint/v3/endpoint_pb.js';
import { makeResource, type Resource } from './resource-set.ts';

/**
 * A cluster of that name which waits for its endpoints. On a proxy that has a cluster of the name, the one that it has
 * goes on serving meanwhile; after Envoy's own limit of 15 s the endpoints that it has go on with this one.
 */
export function placeholderCluster(name: string): Resource {
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: {
      edsConfig: {
        resourceApiVersion: ApiVersion.V3,
        configSourceSpecifier: { case: 'ads', value: {} },
      },
    },
  });
  return makeResource({
    type: 'clusters',
    name,
    bytes: toBinary(ClusterSchema, cluster),
    references: [name],
  });
}

/** No endpoints under that name: an answer, so that the proxy does not wait for one. */
export function emptyEndpoints(name: string): Resource {
  const assignment = create(ClusterLoadAssignmentSchema, { clusterName: name });
  const bytes = toBinary(ClusterLoadAssignmentSchema, assignment);
  return makeResource({ type: 'endpoints', name, bytes, references: [] });
}
