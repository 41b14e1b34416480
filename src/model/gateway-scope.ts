/**
 * Where a header counts on an HTTPRoute of the Gateway API. Such a route tells paths apart and has one list of hosts for all
 * of its rules, so a scope that names hosts must cover all hosts of the route, or none of them.
 */
import type { Scope } from './spec.ts';

/** On which paths of the route a header counts. A gRPC service is a path. */
export type RouteScope =
  | { readonly kind: 'Everywhere' }
  /** Prefixes on segment borders; empty: nowhere. */
  | { readonly kind: 'Paths'; readonly paths: readonly string[] }
  /** It counts on some hosts of the route, and not on others: no rule of a route can say that. */
  | { readonly kind: 'SomeHosts'; readonly hosts: readonly string[] };

/** `hostnames` are those of the route, `*.example.com` among them; none: the route has all hosts. */
export function scopeOnRoute(scope: Scope, hostnames: readonly string[]): RouteScope {
  if (scope.kind === 'everywhere') return { kind: 'Everywhere' };
  if (scope.kind === 'nowhere') return { kind: 'Paths', paths: [] };
  const { hosts, paths, grpcServices } = scope;
  const touched = hosts.filter(
    (host) => hostnames.length === 0 || hostnames.some((one) => covers(one, host)),
  );
  if (touched.length > 0) {
    const coversAll = hostnames.length > 0 && hostnames.every((one) => hosts.includes(one));
    return coversAll ? { kind: 'Everywhere' } : { kind: 'SomeHosts', hosts: touched };
  }
  return { kind: 'Paths', paths: [...new Set([...paths, ...grpcServices.map((name) => `/${name}`)])] };
}

function covers(hostname: string, host: string): boolean {
  return hostname.startsWith('*.') ? host.endsWith(hostname.slice(1)) : hostname === host;
}
