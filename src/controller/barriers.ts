/**
 * How far the proxies have followed the routes of each service, and for how long old and new routes were mixed: from
 * the first acknowledgement of a publication to the last.
 */
import type { Instant } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { Clock } from '../ports/clock.ts';
import type { GatewayRoutes } from '../ports/gateway-routes.ts';
import type { ShownObservation } from '../rollout/observation.ts';
import type { ProxyTracker } from './proxies.ts';
import type { Publications } from './publications.ts';

interface Barrier {
  readonly publication: number;
  readonly first?: Instant;
  readonly last?: Instant;
}

export class Barriers {
  readonly #publications: Publications;
  readonly #proxies: ProxyTracker;
  readonly #clock: Clock;
  readonly #gateways: Pick<GatewayRoutes, 'behind'> | undefined;
  readonly #barriers = new Map<ServiceName, Barrier>();

  constructor(parts: {
    publications: Publications;
    proxies: ProxyTracker;
    clock: Clock;
    gatewayRoutes?: Pick<GatewayRoutes, 'behind'> | undefined;
  }) {
    this.#publications = parts.publications;
    this.#proxies = parts.proxies;
    this.#clock = parts.clock;
    this.#gateways = parts.gatewayRoutes;
  }

  /** Looks again at how far the proxies are with a service's routes. */
  look(service: ServiceName): ShownObservation {
    const publication = this.#publications.routesShown(service);
    if (publication === undefined) return { isEverywhere: false, behind: [], rejected: [] };
    const connected = this.#proxies.connected();
    const stragglers = this.#proxies.connectedStragglers(publication, 'routes');
    const gateways = this.#gateways?.behind(service) ?? [];
    const isEverywhere = stragglers.length === 0 && gateways.length === 0;
    const known = this.#barriers.get(service);
    const before: Barrier = known?.publication === publication ? known : { publication };
    const now = this.#clock.now();
    const isFirst = before.first === undefined && stragglers.length < connected.length;
    const first = isFirst ? { first: now } : {};
    const last = before.last === undefined && isEverywhere ? { last: now } : {};
    const barrier: Barrier = { ...before, ...first, ...last };
    this.#barriers.set(service, barrier);
    return {
      isEverywhere,
      behind: [...stragglers.filter(({ kind }) => kind === 'Behind').map(({ proxy }) => proxy), ...gateways],
      rejected: stragglers
        .filter(({ kind }) => kind === 'Rejected')
        .map(({ proxy, message }) => `${proxy} ${message}`),
      ...(barrier.first === undefined || barrier.last === undefined
        ? {}
        : { mixedFor: barrier.last - barrier.first }),
    };
  }
}
