/**
 * The rules of one service in the order in which they are asked; the first that decides wins, and where none does, the
 * default route takes the request. xds/translate turns them into what a proxy matches, explain walks them itself: two
 * readers of one list cannot disagree about order or scope.
 */
import type { VersionName } from './names.ts';
import type { Scope } from './spec.ts';
import type { DefaultRoute, RoutedMirror, ServiceRoutes } from './table.ts';

/** Tenants that proxyless gRPC clients are told: they ask each route in turn, for every call. Envoy gets all of them. */
export const MAX_GRPC_HOLDS = 100;

/** One question about a request, and what follows. */
export type Rule = LookupRule | RefusalRule;

/** Where the header is present and counts, its whole value is looked up. */
export interface LookupRule {
  readonly kind: 'Lookup';
  readonly name: 'PreviewPin' | 'Pin' | 'Tenant' | 'CohortHeader';
  readonly header: string;
  readonly scope: Scope;
  /** By value of the header. Repeated headers are one value, joined with commas, so they name nothing. */
  readonly targets: ReadonlyMap<string, Target>;
  /** What becomes of a value that is not listed. */
  readonly otherwise: 'Refuse' | 'Continue';
}

/** Where a value leads, and what it is called when it decides. */
export interface Target {
  readonly version: VersionName;
  readonly by: 'PreviewPin' | 'Pin' | 'Hold' | 'Cohort';
}

/** Where `header` counts, says something, and the pin is missing, the client believes that it is pinned: refuse. */
export interface RefusalRule {
  readonly kind: 'Refusal';
  readonly name: 'MisspeltPin' | 'MarkerWithoutPin';
  readonly header: string;
  /** A value that means nothing; absent: every value counts. */
  readonly harmlessValue?: string;
  readonly unless: string;
  /** It counts in any of these. */
  readonly scopes: readonly Scope[];
}

/** The rules of a service, in order; those that can decide nothing are left out. */
export function rulesOf(routes: ServiceRoutes): readonly Rule[] {
  return allRules(routes).filter(canDecide);
}

function allRules(routes: ServiceRoutes): readonly Rule[] {
  const { pin } = routes;
  const refusal = { kind: 'Refusal', unless: pin.header, scopes: [pin.allow, pin.previewAllow] } as const;
  const misspelt = misspeltHeader(pin.header);
  return [
    pinRule(routes, 'PreviewPin'),
    pinRule(routes, 'Pin'),
    ...(misspelt === undefined ? [] : [{ ...refusal, name: 'MisspeltPin', header: misspelt } as const]),
    { ...refusal, name: 'MarkerWithoutPin', header: pin.markerHeader, harmlessValue: 'false' },
    ...tenantRules(routes),
    ...cohortHeaderRules(routes),
  ];
}

/** Which default requests are copied, and where to; absent where there is nothing to copy. */
export function copiesOf({ mirror, defaultRoute }: ServiceRoutes): RoutedMirror | undefined {
  if (mirror === undefined || defaultRoute.kind === 'Unavailable') return undefined;
  return mirror.methods.length + mirror.grpcMethods.length > 0 ? mirror : undefined;
}

function canDecide(rule: Rule): boolean {
  switch (rule.kind) {
    case 'Lookup':
      return coversAnything(rule.scope) && (rule.targets.size > 0 || rule.otherwise === 'Refuse');
    case 'Refusal':
      return rule.scopes.some(coversAnything);
  }
}

function coversAnything(scope: Scope): boolean {
  switch (scope.kind) {
    case 'everywhere':
      return true;
    case 'nowhere':
      return false;
    case 'scoped':
      return scope.hosts.length + scope.paths.length + scope.grpcServices.length > 0;
  }
}

/** The versions that some request can reach, sorted: those are what a route table names. */
export function reachableVersions(routes: ServiceRoutes): readonly VersionName[] {
  const byRule = rulesOf(routes).flatMap((rule) =>
    rule.kind === 'Lookup' ? [...rule.targets.values()].map(({ version }) => version) : [],
  );
  return [...new Set([...byRule, ...defaultVersions(routes.defaultRoute)])].toSorted();
}

function defaultVersions(target: DefaultRoute): readonly VersionName[] {
  switch (target.kind) {
    case 'Unavailable':
      return [];
    case 'Single':
      return [target.version];
    case 'Split':
      return [target.candidate, target.primary];
  }
}

/**
 * The pin header with underscores for hyphens. Many servers read both as one header, so a client may well send it; a
 * proxy does not match it, and the request would pass as default traffic. Absent where the two are the same.
 */
export function misspeltHeader(pinHeader: string): string | undefined {
  return pinHeader.includes('-') ? pinHeader.replaceAll('-', '_') : undefined;
}

function pinRule({ pin, versions }: ServiceRoutes, name: 'PreviewPin' | 'Pin'): LookupRule {
  const access = name === 'Pin' ? 'Open' : 'Preview';
  return {
    kind: 'Lookup',
    name,
    header: pin.header,
    scope: name === 'Pin' ? pin.allow : pin.previewAllow,
    targets: new Map(
      versions
        .filter((routed) => routed.access === access)
        .map(({ version }) => [version, { version, by: name }]),
    ),
    otherwise: name === 'Pin' && pin.onUnknown === 'Refuse' ? 'Refuse' : 'Continue',
  };
}

/** Tenants that are held, and those of the cohort: one lookup, in which a hold wins. */
function tenantRules({ tenantKey, holds, cohort }: ServiceRoutes): readonly LookupRule[] {
  if (tenantKey === undefined) return [];
  const targets = new Map<string, Target>(
    holds.map(({ tenant, version }) => [tenant, { version, by: 'Hold' }]),
  );
  for (const tenant of cohort?.tenants ?? []) {
    if (cohort !== undefined && !targets.has(tenant))
      targets.set(tenant, { version: cohort.version, by: 'Cohort' });
  }
  const { header, allow: scope } = tenantKey;
  return [{ kind: 'Lookup', name: 'Tenant', header, scope, targets, otherwise: 'Continue' }];
}

/**
 * The headers of the cohort, one lookup for each name. They count where the tenant does: who may not say which tenant it
 * is may not choose the candidate either. Without a tenant key they count everywhere.
 */
function cohortHeaderRules({ tenantKey, cohort }: ServiceRoutes): readonly LookupRule[] {
  if (cohort === undefined) return [];
  const target: Target = { version: cohort.version, by: 'Cohort' };
  const byName = new Map<string, Map<string, Target>>();
  for (const { name, value } of cohort.headers) {
    byName.set(name, (byName.get(name) ?? new Map<string, Target>()).set(value, target));
  }
  const scope: Scope = tenantKey?.allow ?? { kind: 'everywhere' };
  return [...byName].map(([header, targets]) => ({
    kind: 'Lookup',
    name: 'CohortHeader',
    header,
    scope,
    targets,
    otherwise: 'Continue',
  }));
}
