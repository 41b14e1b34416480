/**
 * How far the proxies have followed the routes of each service, and for how long old and new routes were mixed: from
 * the first acknowledgement of a publication to the last.
 */
import type { Instant } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { Clock } from '../ports/clock.ts';
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
  readonly #barriers = new Map<ServiceName, Barrier>();

  constructor(parts: { publications: Publications; proxies: ProxyTracker; clock: Clock }) {
    this.#publications = parts.publications;
    this.#proxies = parts.proxies;
    this.#clock = parts.clock;
  }

  /** Looks again at how far the proxies are with a service's routes. */
  look(service: ServiceName): ShownObservation {
    const publication = this.#publications.routesShown(service);
    if (publication === undefined) return { isEverywhere: false, behind: [], rejected: [] };
    const connected = this.#proxies.connected();
    const stragglers = this.#proxies.connectedStragglers(publication, 'routes');
    const known = this.#barriers.get(service);
    const before: Barrier = known?.publication === publication ? known : { publication };
    const now = this.#clock.now();
    const isFirst = before.first === undefined && stragglers.length < connected.length;
    const first = isFirst ? { first: now } : {};
    const last = before.last === undefined && stragglers.length === 0 ? { last: now } : {};
    const barrier: Barrier = { ...before, ...first, ...last };
    this.#barriers.set(service, barrier);
    return {
      isEverywhere: stragglers.length === 0,
      behind: stragglers.filter(({ kind }) => kind === 'Behind').map(({ proxy }) => proxy),
      rejected: stragglers
        .filter(({ kind }) => kind === 'Rejected')
        .map(({ proxy, message }) => `${proxy} ${message}`),
      ...(barrier.first === undefined || barrier.last === undefined
        ? {}
        : { mixedFor: barrier.last - barrier.first }),
    };
  }
}
