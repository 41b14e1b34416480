/**
 * Which version a request would reach, and why: the same rules that proxies are given (model/rules.ts), walked here. An
 * end-to-end test holds the answers against a real Envoy.
 */
import type { Decision, ExplainRequest, Outcome } from '../model/decision.ts';
import type { VersionName } from '../model/names.ts';
import {
  copiesOf,
  type LookupRule,
  type RefusalRule,
  type Rule,
  rulesOf,
  type Target,
} from '../model/rules.ts';
import type { RoutedMirror, RoutingTable, ServiceRoutes } from '../model/table.ts';
import { headerText, isGrpc, isInScope, type Received, receive } from './received.ts';
import { sideOf } from './split.ts';
import { findService } from './virtual-hosts.ts';

/** What is said of a service; the service's name is added at the end. */
type Verdict = Omit<Decision, 'service'>;

/** Throws AmbiguousListenerError where neither service nor listener is named and the host does not tell. */
export function explain(table: RoutingTable, { service, listener, request }: ExplainRequest): Decision {
  const received = receive(request);
  if (received === undefined) {
    const because = `the path ${JSON.stringify(request.path)} is not valid`;
    return answered(
      { grpc: isGrpc(request) },
      'InvalidPath',
      { http: 400, grpc: 13 },
      'INVALID_PATH',
      because,
    );
  }
  const routes =
    service === undefined
      ? findService(table, received.authority, listener)
      : table.services.find((candidate) => candidate.service === service);
  if (routes === undefined) {
    const what = service === undefined ? `the host ${JSON.stringify(request.host)}` : `a service ${service}`;
    const status = { http: 404, grpc: 12 };
    return answered(received, 'NoVirtualHost', status, 'NO_VIRTUAL_HOST', `no listener knows ${what}`);
  }
  return { service: routes.service, ...decide(routes, received) };
}

function decide(routes: ServiceRoutes, received: Received): Verdict {
  for (const rule of rulesOf(routes)) {
    const verdict = ask(routes, received, rule);
    if (verdict !== undefined) return verdict;
  }
  return withCopies(copiesOf(routes), received, decideDefault(routes, received));
}

/** What the rule says; `undefined` where it does not decide. */
function ask(routes: ServiceRoutes, received: Received, rule: Rule): Verdict | undefined {
  switch (rule.kind) {
    case 'Lookup':
      return askLookup(routes, received, rule);
    case 'Refusal':
      return askRefusal(received, rule);
  }
}

function askLookup(routes: ServiceRoutes, received: Received, rule: LookupRule): Verdict | undefined {
  const value = headerText(received, rule.header);
  if (value === undefined || !isInScope(received, rule.scope)) return undefined;
  const target = rule.targets.get(value);
  if (target !== undefined) {
    const { version, by } = target;
    return reach(routes, version, by, `${rule.header}: ${value} ${VERBS[by]} ${version}`);
  }
  if (rule.otherwise === 'Continue') return undefined;
  return notActive(
    received,
    'UnknownPin',
    `${rule.header}: ${JSON.stringify(value)} names no active version`,
  );
}

const VERBS = {
  PreviewPin: 'names',
  Pin: 'names',
  Hold: 'is held on',
  Cohort: 'belongs to the cohort of',
} as const satisfies Record<Target['by'], string>;

function askRefusal(received: Received, rule: RefusalRule): Verdict | undefined {
  const value = headerText(received, rule.header);
  if (value === undefined || value === rule.harmlessValue) return undefined;
  if (headerText(received, rule.unless) !== undefined) return undefined;
  if (!rule.scopes.some((scope) => isInScope(received, scope))) return undefined;
  return notActive(received, rule.name, `${rule.header} is set, but ${rule.unless} is not: the pin was lost`);
}

function decideDefault(routes: ServiceRoutes, received: Received): Verdict {
  const target = routes.defaultRoute;
  switch (target.kind) {
    case 'Unavailable':
      return answered(received, 'NoPrimary', { http: 503, grpc: 14 }, 'NO_PRIMARY', target.reason);
    case 'Single':
      return reach(
        routes,
        target.version,
        'DefaultPrimary',
        `no pin counts, and ${target.version} is the primary`,
      );
    case 'Split': {
      const key = splitKey(routes, received);
      const version = sideOf(target, key);
      const shares = `${target.candidate} has ${target.weight} percent, ${target.primary} the rest`;
      if (version === undefined) {
        const weights = [
          { version: target.candidate, weight: target.weight },
          { version: target.primary, weight: 100 - target.weight },
        ];
        return {
          outcome: { kind: 'ByWeight', weights },
          rule: 'DefaultSplit',
          because: `${shares}; nothing to hash`,
        };
      }
      const by =
        key.tenantLines.length > 0 ? `the tenant ${key.tenantLines.join(',')}` : 'the source address';
      return reach(routes, version, 'DefaultSplit', `${shares}; ${by} falls on ${version}`);
    }
  }
}

/** Says of a request that a version takes by default which share of such requests is copied. */
function withCopies(mirror: RoutedMirror | undefined, received: Received, verdict: Verdict): Verdict {
  if (mirror === undefined || !isCopied(mirror, received)) return verdict;
  // A proxy that finds no endpoint for the request itself answers before it makes the copy.
  if (verdict.outcome.kind === 'Version' && verdict.outcome.readyEndpoints === 0) return verdict;
  const { version, percent } = mirror;
  return {
    ...verdict,
    copied: { version, percent },
    because: `${verdict.because}; ${percent} percent of such requests are copied to ${version}`,
  };
}

function isCopied(
  { methods, grpcMethods }: RoutedMirror,
  { grpc, method, path, headers }: Received,
): boolean {
  if (grpc) return grpcMethods.includes(path);
  return methods.includes(method) && !headers.has('upgrade');
}

function splitKey({ tenantKey }: ServiceRoutes, received: Received) {
  const counts = tenantKey !== undefined && isInScope(received, tenantKey.allow);
  return {
    tenantLines: (counts ? received.headers.get(tenantKey.header) : undefined) ?? [],
    ...(received.sourceAddress === undefined ? {} : { sourceAddress: received.sourceAddress }),
  };
}

function reach(
  { versions }: ServiceRoutes,
  version: VersionName,
  rule: Decision['rule'],
  because: string,
): Verdict {
  const readyEndpoints = versions.find((routed) => routed.version === version)?.endpoints.length ?? 0;
  const warning = readyEndpoints === 0 ? '; it has no ready endpoint, so the answer is 503' : '';
  return { outcome: { kind: 'Version', version, readyEndpoints }, rule, because: `${because}${warning}` };
}

function notActive(received: Received, rule: Decision['rule'], because: string): Verdict {
  return answered(received, rule, { http: 409, grpc: 9 }, 'VERSION_NOT_ACTIVE', because);
}

function answered(
  { grpc }: Pick<Received, 'grpc'>,
  rule: Decision['rule'],
  status: { readonly http: number; readonly grpc: number },
  code: string,
  because: string,
): Verdict {
  const outcome: Outcome = grpc
    ? { kind: 'Refused', status: 200, grpcStatus: status.grpc, code }
    : { kind: 'Refused', status: status.http, code };
  return { outcome, rule, because };
}
