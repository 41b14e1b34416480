/**
 * One service as a virtual host: the rules of model/rules.ts as one matcher tree, in their order, and the default
 * route where none of them decides. Lookups are hash maps, so neither versions nor holds slow a request down.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { VirtualHostSchema } from '../../gen/envoy/config/route/v3/route_components_pb.js';
import type { VersionName } from '../../model/names.ts';
import { type LookupRule, misspeltHeader, type RefusalRule, type Rule, rulesOf } from '../../model/rules.ts';
import type { DefaultRoute, ServiceRoutes } from '../../model/table.ts';
import { noPrimary, refusal } from './answers.ts';
import { BY_SOURCE_ADDRESS, byTenant, forward, type HashPolicy, retries, type Shares } from './forward.ts';
import {
  all,
  any,
  type Condition,
  equals,
  firstOf,
  inScope,
  lookup,
  not,
  type OnMatch,
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
    // For pins and holds; written once, as there may be thousands of holds.
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
      return toRoutes(refusal(routes.refusal, refusalMessage(rule)));
  }
}

function lookupOutcome(routes: ServiceRoutes, rule: LookupRule): OnMatch {
  const refuse = () => toRoutes(refusal(routes.refusal, `the version in ${rule.header} is not active`));
  if (rule.versions.size === 0) return refuse();
  // One for each version, and not for each of what may be a thousand holds.
  const targets = new Map<VersionName, OnMatch>();
  const entries = new Map<string, OnMatch>();
  for (const [value, version] of rule.versions) {
    const target = targets.get(version) ?? toVersion(routes, rule, version);
    targets.set(version, target);
    entries.set(value, target);
  }
  return toMatcher(lookup(rule.header, entries, rule.otherwise === 'Refuse' ? refuse() : undefined));
}

function refusalMessage(rule: RefusalRule): string {
  return `${rule.header} without ${rule.unless}: the request names no version`;
}

/** A pinned request keeps its pin; a held one has none that counts, and is where the tenant does. */
function toVersion(routes: ServiceRoutes, rule: LookupRule, version: VersionName): OnMatch {
  const to = (remove: readonly string[]) =>
    forward({ routes, shares: [{ version, weight: 100 }], remove, retryMayMove: false });
  if (rule.name === 'Hold') return toRoutes([to(pinHeaders(routes))]);
  return whereTenantCounts(routes, (_, removeTenant) => to([...misspelt(routes), ...removeTenant]));
}

function defaultRoute(routes: ServiceRoutes): OnMatch {
  const target = routes.defaultRoute;
  if (target.kind === 'Unavailable') return toRoutes(noPrimary(routes.refusal, target.reason));
  return whereTenantCounts(routes, (tenantHeader, removeTenant) =>
    forward({
      routes,
      shares: sharesOf(target),
      remove: [...pinHeaders(routes), ...removeTenant],
      ...(target.kind === 'Split' ? { chooseBy: chooseBy(tenantHeader, target.salt) } : {}),
      retryMayMove: true,
    }),
  );
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
  route: (tenantHeader: string | undefined, remove: readonly string[]) => ReturnType<typeof forward>,
): OnMatch {
  if (tenantKey === undefined) return toRoutes([route(undefined, [])]);
  const { header, allow } = tenantKey;
  const counts = { when: inScope(allow), next: toRoutes([route(header, [])]) };
  return firstOf([counts], toRoutes([route(undefined, [header])]));
}

function pinHeaders(routes: ServiceRoutes): string[] {
  return [routes.pin.header, routes.pin.markerHeader, ...misspelt(routes)];
}

function misspelt({ pin }: ServiceRoutes): string[] {
  return [misspeltHeader(pin.header) ?? []].flat();
}
