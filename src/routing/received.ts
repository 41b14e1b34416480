/**
 * A request as the listener's first steps leave it for the routes: own headers gone, the path in its normal form, the
 * host without regard to case. Entered by explain; the same steps are asked of Envoy in xds/translate/listeners.ts.
 */
import type { RequestFacts } from '../model/decision.ts';
import type { Scope } from '../model/spec.ts';
import { normalizePath } from './path.ts';

/** A request that routes are chosen for. */
export interface Received {
  readonly method: string;
  /** Lower-case, as sent otherwise. */
  readonly authority: string;
  /** In normal form, without the query. */
  readonly path: string;
  /** Lower-case name to the values, one for each line. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly grpc: boolean;
  readonly sourceAddress?: string;
}

/** Prefixes of headers that only proxies set; they are removed at the entrance. */
const OWN_PREFIXES = ['x-switchyard-', 'x-envoy-'];

/** The request, or `undefined` where its path is not valid. */
export function receive(facts: RequestFacts): Received | undefined {
  const path = normalizePath(facts.path);
  if (path === undefined) return undefined;
  const headers = headersOf(facts);
  const grpc = isGrpc(facts);
  return {
    method: facts.method ?? (grpc ? 'POST' : 'GET'),
    authority: facts.host.toLowerCase(),
    path,
    headers,
    grpc,
    ...(facts.sourceAddress === undefined ? {} : { sourceAddress: facts.sourceAddress }),
  };
}

/** Whether the client speaks gRPC, so that answers of the proxy itself are gRPC statuses. */
export function isGrpc({ grpc, headers }: RequestFacts): boolean {
  if (grpc !== undefined) return grpc;
  const [, type = ''] = headers.find(([name]) => name.toLowerCase() === 'content-type') ?? [];
  return /^application\/grpc(\+|$)/.test(type);
}

/** The value of a header as routes see it: repeated lines are joined with commas. */
export function headerText({ headers }: Received, name: string): string | undefined {
  return headers.get(name)?.join(',');
}

/** Whether the request is where the scope says. */
export function isInScope({ authority, path }: Received, scope: Scope): boolean {
  switch (scope.kind) {
    case 'everywhere':
      return true;
    case 'nowhere':
      return false;
    case 'scoped':
      return (
        scope.hosts.some((host) => isHost(authority, host.toLowerCase())) ||
        scope.paths.some((prefix) => isBelow(path, prefix)) ||
        scope.grpcServices.some((service) => path.startsWith(`/${service}/`))
      );
  }
}

/** The host of an authority, without the port. */
export function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon === -1 || authority.lastIndexOf(']') > colon ? authority : authority.slice(0, colon);
}

function isHost(authority: string, host: string): boolean {
  return authority === host || authority.startsWith(`${host}:`);
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

function headersOf({ headers }: RequestFacts): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (OWN_PREFIXES.some((prefix) => key.startsWith(prefix))) continue;
    const values = lines.get(key) ?? [];
    lines.set(key, [...values, trimmed(value)]);
  }
  return lines;
}

/** Spaces and tabs around a value do not belong to it (RFC 9110, section 5.5). */
function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}
