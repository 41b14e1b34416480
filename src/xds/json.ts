/**
 * Envoy's messages as canonical proto JSON, which Envoy itself loads: whatever is packed in an Any is written out, with
 * its type beside it. Used for exports, golden files and what people read; never on the way to a proxy.
 */
import {
  createRegistry,
  type DescMessage,
  fromBinary,
  type JsonValue,
  type MessageShape,
  type Registry,
  toJson,
} from '@bufbuild/protobuf';
import { ClusterSchema } from '../gen/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterLoadAssignmentSchema } from '../gen/envoy/config/endpoint/v3/endpoint_pb.js';
import { ListenerSchema } from '../gen/envoy/config/listener/v3/listener_pb.js';
import { RouteListSchema } from '../gen/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '../gen/envoy/config/route/v3/route_pb.js';
import { HttpGrpcAccessLogConfigSchema } from '../gen/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import { StdoutAccessLogSchema } from '../gen/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { RouterSchema } from '../gen/envoy/extensions/filters/http/router/v3/router_pb.js';
import { HttpConnectionManagerSchema } from '../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { HeaderMutationSchema } from '../gen/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation_pb.js';
import { PreviousHostsPredicateSchema } from '../gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import { HttpProtocolOptionsSchema } from '../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { HttpRequestHeaderMatchInputSchema } from '../gen/envoy/type/matcher/v3/http_inputs_pb.js';
import type { ResourceType } from './resource.ts';

/** The message behind each resource type. */
const RESOURCE_SCHEMAS = {
  clusters: ClusterSchema,
  endpoints: ClusterLoadAssignmentSchema,
  listeners: ListenerSchema,
  routes: RouteConfigurationSchema,
} as const satisfies Record<ResourceType, DescMessage>;

/** Every message that translate packs into an Any. */
const PACKED: Registry = createRegistry(
  HeaderMutationSchema,
  HttpConnectionManagerSchema,
  HttpGrpcAccessLogConfigSchema,
  HttpProtocolOptionsSchema,
  HttpRequestHeaderMatchInputSchema,
  PreviousHostsPredicateSchema,
  RouteListSchema,
  RouterSchema,
  StdoutAccessLogSchema,
);

/** One message as JSON. */
function messageToJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  return toJson(schema, message, { registry: PACKED, useProtoFieldName: true });
}

/** An encoded resource as JSON. */
export function resourceToJson(type: ResourceType, bytes: Uint8Array): JsonValue {
  const schema: DescMessage = RESOURCE_SCHEMAS[type];
  return messageToJson(schema, fromBinary(schema, bytes));
}
