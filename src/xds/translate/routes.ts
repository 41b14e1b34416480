/** The route table of one listener: its services as virtual hosts, by domain. The only resource that a flip changes. */
import { create } from '@bufbuild/protobuf';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '../../gen/envoy/config/route/v3/route_pb.js';
import type { ListenerName } from '../../model/names.ts';
import type { ServiceRoutes } from '../../model/table.ts';
import { virtualHost } from './virtual-host.ts';

/** Room for a refusal that lists a hundred versions with the longest names. */
const MAX_DIRECT_RESPONSE_BYTES = 16_384;

/** The route table of `listener`, which these services share. */
export function routeTable(listener: ListenerName, services: readonly ServiceRoutes[]): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    name: listener,
    virtualHosts: services.map((routes) => virtualHost(routes, domainsOn(listener, routes))),
    // An order that is wrong is then a rejected update with the old table kept, and not failing requests.
    validateClusters: true,
    ignorePortInHostMatching: true,
    maxDirectResponseBodySizeBytes: MAX_DIRECT_RESPONSE_BYTES,
  });
}

function domainsOn(listener: ListenerName, routes: ServiceRoutes): readonly string[] {
  return routes.listeners.find(({ name }) => name === listener)?.domains ?? [];
}
