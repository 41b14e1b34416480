/**
 * The rules of one service in the order in which they are asked; the first that decides wins, and where none does, the
 * default route takes the request. xds/translate turns them into what a proxy matches, explain walks them itself: two
 * readers of one list cannot disagree about order or scope.
 */
import type { VersionName } from './names.ts';
import type { Scope } from './spec.ts';
import type { DefaultRoute, ServiceRoutes } from './table.ts';

/** Holds that proxyless gRPC clients are told: they ask each route in turn, for every call. Envoy gets all of them. */
export const MAX_GRPC_HOLDS = 100;

/** One question about a request, and what follows. */
export type Rule = LookupRule | RefusalRule;

/** Where the header is present and counts, its whole value is looked up. */
export interface LookupRule {
  readonly kind: 'Lookup';
  readonly name: 'PreviewPin' | 'Pin' | 'Hold';
  readonly header: string;
  readonly scope: Scope;
  /** Value of the header to version. Repeated headers are one value, joined with commas, so they name nothing. */
  readonly versions: ReadonlyMap<string, VersionName>;
  /** What becomes of a value that is not listed. */
  readonly otherwise: 'Refuse' | 'Continue';
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
    ...holdRules(routes),
  ];
}

function canDecide(rule: Rule): boolean {
  switch (rule.kind) {
    case 'Lookup':
      return coversAnything(rule.scope) && (rule.versions.size > 0 || rule.otherwise === 'Refuse');
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
    rule.kind === 'Lookup' ? [...rule.versions.values()] : [],
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
    versions: new Map(
      versions.filter((routed) => routed.access === access).map(({ version }) => [version, version]),
    ),
    otherwise: name === 'Pin' && pin.onUnknown === 'Refuse' ? 'Refuse' : 'Continue',
  };
}

function holdRules({ tenantKey, holds }: ServiceRoutes): readonly LookupRule[] {
  if (tenantKey === undefined) return [];
  return [
    {
      kind: 'Lookup',
      name: 'Hold',
      header: tenantKey.header,
      scope: tenantKey.allow,
      versions: new Map(holds.map(({ tenant, version }) => [tenant, version])),
      otherwise: 'Continue',
    },
  ];
}
