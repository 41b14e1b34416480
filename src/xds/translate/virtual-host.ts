/**
 * One service as a virtual host: the rules of model/rules.ts as one matcher tree, in their order, and the default
 * route where none of them decides. Lookups are hash maps, so neither versions nor holds slow a request down.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { VirtualHostSchema } from '../../gen/envoy/config/route/v3/route_components_pb.js';
import {
  copiesOf,
  type LookupRule,
  misspeltHeader,
  type RefusalRule,
  type Rule,
  rulesOf,
  type Target,
} from '../../model/rules.ts';
import type { DefaultRoute, RoutedMirror, ServiceRoutes } from '../../model/table.ts';
import { noPrimary, refusal } from './answers.ts';
import {
  BY_SOURCE_ADDRESS,
  byTenant,
  type Forward,
  forward,
  type HashPolicy,
  retries,
  type Shares,
} from './forward.ts';
import {
  all,
  any,
  type Condition,
  equals,
  firstOf,
  IS_GRPC,
  inScope,
  lookup,
  not,
  type OnMatch,
  pathIs,
  present,
  toMatcher,
  toRoutes,
} from './matching.ts';

/** The virtual host of a service on a listener where it has these domains. */
export function virtualHost(
  routes: ServiceRoutes,
  domains: readonly string[],
): MessageInitShape<typeof VirtualHostSchema> {
  const steps = rulesOf(routes).map((rule) => ({ when: condition(rule), next: outcome(routes, rule) }));
  const tree = firstOf(steps, defaultRoute(routes));
  return {
    name: routes.service,
    domains: domains.toSorted(),
    // For pins, holds and cohorts; written once, as there may be thousands of holds.
    ...retries(routes, 'Stay'),
    matcher: tree.onMatch?.case === 'matcher' ? tree.onMatch.value : { onNoMatch: tree },
  };
}

function condition(rule: Rule): Condition {
  switch (rule.kind) {
    case 'Lookup':
      return all([present(rule.header), inScope(rule.scope)]);
    case 'Refusal':
      return all([
        present(rule.header),
        ...(rule.harmlessValue === undefined ? [] : [not(equals(rule.header, rule.harmlessValue))]),
        not(present(rule.unless)),
        any(rule.scopes.map(inScope)),
      ]);
  }
}

function outcome(routes: ServiceRoutes, rule: Rule): OnMatch {
  switch (rule.kind) {
    case 'Lookup':
      return lookupOutcome(routes, rule);
    case 'Refusal':
      return toRoutes(refusal(routes, refusalMessage(rule)));
  }
}

function lookupOutcome(routes: ServiceRoutes, rule: LookupRule): OnMatch {
  const refuse = () => toRoutes(refusal(routes, `the version in ${rule.header} is not active`));
  if (rule.targets.size === 0) return refuse();
  // One for each version, and not for each of what may be a thousand holds.
  const made = new Map<string, OnMatch>();
  const entries = new Map<string, OnMatch>();
  for (const [value, target] of rule.targets) {
    const key = `${target.by} ${target.version}`;
    const next = made.get(key) ?? toTarget(routes, target);
    made.set(key, next);
    entries.set(value, next);
  }
  return toMatcher(lookup(rule.header, entries, rule.otherwise === 'Refuse' ? refuse() : undefined));
}

function refusalMessage(rule: RefusalRule): string {
  return `${rule.header} without ${rule.unless}: the request names no version`;
}

/** A pinned request keeps its pin; one of a hold or a cohort has none that counts, and is where the tenant does. */
function toTarget(routes: ServiceRoutes, { version, by }: Target): OnMatch {
  const to = (name: 'Pin' | 'Hold' | 'Cohort', remove: readonly string[]) =>
    forward({ routes, shares: [{ version, weight: 100 }], remove, retryMayMove: false, by: name });
  if (by === 'Hold' || by === 'Cohort') return toRoutes([to(by, pinHeaders(routes))]);
  return whereTenantCounts(routes, (_, removeTenant) =>
    toRoutes([to('Pin', [...misspelt(routes), ...removeTenant])]),
  );
}

function defaultRoute(routes: ServiceRoutes): OnMatch {
  const target = routes.defaultRoute;
  if (target.kind === 'Unavailable') return toRoutes(noPrimary(routes, target.reason));
  return whereTenantCounts(routes, (tenantHeader, removeTenant) => {
    const plain: Forward = {
      routes,
      shares: sharesOf(target),
      remove: [...pinHeaders(routes), ...removeTenant],
      ...(target.kind === 'Split' ? { chooseBy: chooseBy(tenantHeader, target.salt) } : {}),
      retryMayMove: true,
      by: 'Default',
    };
    const mirror = copiesOf(routes);
    if (mirror === undefined) return toRoutes([forward(plain)]);
    const copied = {
      when: isCopied(mirror),
      next: toRoutes([forward({ ...plain, copies: mirror }), forward(plain)]),
    };
    return firstOf([copied], toRoutes([forward(plain)]));
  });
}

/** Requests of a listed method, or calls of a listed gRPC method; never what becomes a stream of another protocol. */
function isCopied({ methods, grpcMethods }: RoutedMirror): Condition {
  const listed = any(methods.map((method) => equals(':method', method)));
  return any([
    all([listed, not(IS_GRPC), not(present('upgrade'))]),
    all([any(grpcMethods.map(pathIs)), IS_GRPC]),
  ]);
}

/** The candidate first: as its weight grows, requests move to it and none moves back. */
function sharesOf(target: Exclude<DefaultRoute, { kind: 'Unavailable' }>): Shares {
  if (target.kind === 'Single') return [{ version: target.version, weight: 100 }];
  return [
    { version: target.candidate, weight: target.weight },
    { version: target.primary, weight: 100 - target.weight },
  ];
}

function chooseBy(tenantHeader: string | undefined, salt: string): HashPolicy[] {
  return [...(tenantHeader === undefined ? [] : [byTenant(tenantHeader, salt)]), BY_SOURCE_ADDRESS];
}

/** One route where the tenant header counts, another where it must be removed. */
function whereTenantCounts(
  { tenantKey }: ServiceRoutes,
  next: (tenantHeader: string | undefined, remove: readonly string[]) => OnMatch,
): OnMatch {
  if (tenantKey === undefined) return next(undefined, []);
  const { header, allow } = tenantKey;
  const counts = { when: inScope(allow), next: next(header, []) };
  return firstOf([counts], next(undefined, [header]));
}

function pinHeaders(routes: ServiceRoutes): string[] {
  return [routes.pin.header, routes.pin.markerHeader, ...misspelt(routes)];
}

function misspelt({ pin }: ServiceRoutes): string[] {
  return [misspeltHeader(pin.header) ?? []].flat();
}
