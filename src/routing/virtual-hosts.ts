/** Finds the service that a host belongs to, in the order in which Envoy asks domains. */
import type { ListenerBinding } from '../model/spec.ts';
import type { RoutingTable, ServiceRoutes } from '../model/table.ts';
import { hostOf } from './received.ts';

/** A host that two listeners give to two services, where the caller named no listener. */
export class AmbiguousListenerError extends Error {
  override readonly name = 'AmbiguousListenerError';
}

/**
 * The service that answers for `authority` (lower-case) on `listener`, or on the only listener that knows it. Throws
 * AmbiguousListenerError where that is more than one service.
 */
export function findService(
  table: RoutingTable,
  authority: string,
  listener: string | undefined,
): ServiceRoutes | undefined {
  const names = new Set(table.services.flatMap(({ listeners }) => listeners.map(({ name }) => name)));
  const asked = [...names].filter((name) => listener === undefined || name === listener);
  const found = asked.flatMap((name) => onListener(table, name, hostOf(authority)) ?? []);
  const services = new Set(found);
  if (services.size > 1) {
    const list = [...services].map(({ service }) => service).join(', ');
    throw new AmbiguousListenerError(
      `the host ${JSON.stringify(authority)} belongs to ${list} on different listeners; name the listener (${asked.join(', ')})`,
    );
  }
  return found[0];
}

/** Exact names before `*.suffix` before `prefix.*` before `*`, longer wildcards first. */
function onListener(table: RoutingTable, listener: string, host: string): ServiceRoutes | undefined {
  const candidates = table.services.flatMap((routes) =>
    routes.listeners
      .filter(({ name }) => name === listener)
      .flatMap(({ domains }: ListenerBinding) => domains)
      .map((domain) => ({ routes, rank: rank(domain.toLowerCase(), host) })),
  );
  const best = candidates
    .filter(({ rank: value }) => value > 0)
    .toSorted((left, right) => right.rank - left.rank)[0];
  return best?.routes;
}

/** The higher the better; 0 where the domain does not cover the host. */
function rank(domain: string, host: string): number {
  if (domain === host) return 3000;
  if (domain === '*') return 1;
  const fixed = domain.replace('*', '');
  if (host.length <= fixed.length) return 0;
  if (domain.startsWith('*')) return host.endsWith(fixed) ? 2000 + fixed.length : 0;
  if (domain.endsWith('*')) return host.startsWith(fixed) ? 1000 + fixed.length : 0;
  return 0;
}
