/** Routes for gateways of the Gateway API: what they are to lead where, and what their controllers say of that. */
import type { GatewayStanding } from '../model/gateway-standing.ts';
import type { KubernetesRuntimeSpec } from '../model/kubernetes.ts';
import type { ServiceName } from '../model/names.ts';
import type { ServiceRoutes } from '../model/table.ts';

export interface GatewayWish {
  readonly service: ServiceName;
  readonly spec: KubernetesRuntimeSpec;
  readonly routes: ServiceRoutes;
}

export interface GatewayRoutes {
  /**
   * All that is wished; it returns at once. Routes of services that are not named any more are taken away. The same again
   * changes nothing.
   */
  want(wishes: readonly GatewayWish[]): void;
  /** How the routes of a service stand; undefined: none are wished. */
  standing(service: ServiceName): GatewayStanding | undefined;
  /**
   * The parents that have not accepted the routes as they were wished last, by name: a flip is not everywhere, and nothing may
   * be removed, while there are any. Empty where no routes are wished, or none can be written in this cluster.
   */
  behind(service: ServiceName): readonly string[];
  /** Calls back where a service's standing has changed. Returns the way to stop that. */
  subscribe(listener: (service: ServiceName) => void): () => void;
}
