/**
 * From the routes of a service to the rules of its HTTPRoute. Pure. The Gateway API asks a longer path before it counts header
 * matches, and the order of rules last. So on every path that any rule names each header that counts there is matched again:
 * then all that a request can match on its longest path are rules of one header each, and their order decides, which is ours.
 */
import { scopeOnRoute } from '../../../model/gateway-scope.ts';
import type { VersionName } from '../../../model/names.ts';
import { type LookupRule, misspeltHeader, type RefusalRule, rulesOf } from '../../../model/rules.ts';
import type { Scope } from '../../../model/spec.ts';
import type { ServiceRoutes } from '../../../model/table.ts';

/** One question about a request: a path, and at most one header. */
export interface RouteMatch {
  /** A prefix on segment borders. */
  readonly path: string;
  readonly header?: HeaderMatch;
}

export interface HeaderMatch {
  readonly name: string;
  /** `Any`: it is there and not empty, which only a regular expression can say. */
  readonly value: { readonly kind: 'Exactly'; readonly text: string } | { readonly kind: 'Any' };
}

/** Where requests go that match. */
export type RouteTarget =
  /** Weights sum to 100; versions with 0 are named too, so that a flip changes numbers only. Sorted by version. */
  | { readonly kind: 'Versions'; readonly weights: readonly VersionWeight[] }
  /** Switchyard itself answers, and says why. */
  | { readonly kind: 'Refusals' };

export interface VersionWeight {
  readonly version: VersionName;
  readonly weight: number;
}

/** A rule of a route. Of rules that match a request equally well the first one decides. */
export interface RouteRule {
  readonly what: 'Pin' | 'Refused' | 'Tenant' | 'Cohort' | 'Default';
  readonly matches: readonly RouteMatch[];
  readonly target: RouteTarget;
  /** Request headers that do not count there, and that the instance must not see. */
  readonly remove: readonly string[];
}

/** A rule with one match, before those with the same target are put together. */
type Entry = Omit<RouteRule, 'matches'> & { readonly match: RouteMatch };

/** The rules, in the order in which they are asked. `hostnames` are those of the route. */
export function routeRules(routes: ServiceRoutes, hostnames: readonly string[]): readonly RouteRule[] {
  const paths = pathsOf(routes, hostnames);
  const covers = (scope: Scope, path: string): boolean => isCovered(scope, path, hostnames);
  const headers = rulesOf(routes).flatMap((rule): readonly Entry[] => {
    switch (rule.kind) {
      case 'Lookup':
        return paths
          .filter((path) => covers(rule.scope, path))
          .flatMap((path) => lookupEntries(routes, rule, path, tenantRemoved(routes, path, covers)));
      case 'Refusal':
        return paths
          .filter((path) => covers(routes.pin.allow, path))
          .flatMap((path) => refusalEntries(routes, rule, path));
    }
  });
  const defaults = paths
    .filter((path) => path === '/' || isBorder(routes, path, covers))
    .map(
      (path): Entry => ({
        what: 'Default',
        match: { path },
        target: defaultTarget(routes),
        remove: [...pinHeaders(routes), ...tenantRemoved(routes, path, covers)],
      }),
    );
  return together([...headers, ...defaults]);
}

/** Every path that a rule names, and the root, sorted. */
function pathsOf({ pin, tenantKey }: ServiceRoutes, hostnames: readonly string[]): readonly string[] {
  const scopes = [pin.allow, pin.previewAllow, ...(tenantKey === undefined ? [] : [tenantKey.allow])];
  const named = scopes.flatMap((scope) => {
    const on = scopeOnRoute(scope, hostnames);
    return on.kind === 'Paths' ? on.paths : [];
  });
  return [...new Set(['/', ...named])].toSorted();
}

/** Whether a header counts on all of a path. */
function isCovered(scope: Scope, path: string, hostnames: readonly string[]): boolean {
  const on = scopeOnRoute(scope, hostnames);
  switch (on.kind) {
    case 'Everywhere':
      return true;
    case 'Paths':
      return on.paths.some((one) => path === one || path.startsWith(`${one}/`));
    case 'SomeHosts':
      throw new TypeError(`a scope of ${on.hosts.join(', ')} does not fit one route: parsers refuse it`);
  }
}

type Covers = (scope: Scope, path: string) => boolean;

function lookupEntries(
  { pin, versions }: ServiceRoutes,
  rule: LookupRule,
  path: string,
  tenant: readonly string[],
): readonly Entry[] {
  const { header, targets, otherwise } = rule;
  const misspelt = misspeltHeader(pin.header) ?? [];
  const isPin = rule.name === 'Pin' || rule.name === 'PreviewPin';
  const entries = [...targets].flatMap(([text, { version }]): readonly Entry[] => {
    // Before its Service is there a version cannot be named in a route.
    const isThere = versions.some((one) => one.version === version && isRoutable(one));
    if (!isThere) return [];
    return [
      {
        what: isPin ? 'Pin' : rule.name === 'Tenant' ? 'Tenant' : 'Cohort',
        match: { path, header: { name: header, value: { kind: 'Exactly', text } } },
        target: { kind: 'Versions', weights: [{ version, weight: 100 }] },
        remove: isPin
          ? [...[misspelt].flat(), ...tenant]
          : [pin.header, pin.markerHeader, ...[misspelt].flat()],
      },
    ];
  });
  return otherwise === 'Continue' ? entries : [...entries, refused({ path, header: any(header) })];
}

/** A version that is still Deploying has a Service for sure when it has an endpoint. */
function isRoutable({ access, endpoints }: ServiceRoutes['versions'][number]): boolean {
  return access !== 'Preview' || endpoints.length > 0;
}

/**
 * No match says that a header is missing. Where unknown pins are refused all pins are decided before this rule, so what
 * reaches it has none; elsewhere it is left out. The marker counts as `true`, which is what delegates send.
 */
function refusalEntries({ pin }: ServiceRoutes, rule: RefusalRule, path: string): readonly Entry[] {
  if (pin.onUnknown !== 'Refuse') return [];
  const header: HeaderMatch =
    rule.name === 'MisspeltPin'
      ? any(rule.header)
      : { name: rule.header, value: { kind: 'Exactly', text: 'true' } };
  return [refused({ path, header })];
}

function refused(match: RouteMatch): Entry {
  return { what: 'Refused', match, target: { kind: 'Refusals' }, remove: [] };
}

function any(name: string): HeaderMatch {
  return { name, value: { kind: 'Any' } };
}

function defaultTarget({ defaultRoute, versions }: ServiceRoutes): RouteTarget {
  if (defaultRoute.kind === 'Unavailable') return { kind: 'Refusals' };
  const shares = new Map<VersionName, number>(
    defaultRoute.kind === 'Single'
      ? [[defaultRoute.version, 100]]
      : [
          [defaultRoute.primary, 100 - defaultRoute.weight],
          [defaultRoute.candidate, defaultRoute.weight],
        ],
  );
  const open = versions.filter(({ access }) => access === 'Open').map(({ version }) => version);
  return {
    kind: 'Versions',
    weights: [...new Set([...shares.keys(), ...open])]
      .toSorted()
      .map((version) => ({ version, weight: shares.get(version) ?? 0 })),
  };
}

function pinHeaders({ pin }: ServiceRoutes): readonly string[] {
  return [pin.header, pin.markerHeader, ...[misspeltHeader(pin.header) ?? []].flat()];
}

/** The tenant's header, where it does not count. */
function tenantRemoved({ tenantKey }: ServiceRoutes, path: string, covers: Covers): readonly string[] {
  return tenantKey === undefined || covers(tenantKey.allow, path) ? [] : [tenantKey.header];
}

/** Whether the default route is another one on this path than around it: the tenant counts there. */
function isBorder({ tenantKey }: ServiceRoutes, path: string, covers: Covers): boolean {
  return tenantKey !== undefined && covers(tenantKey.allow, path) && !covers(tenantKey.allow, '/');
}

/** The order in which rules are asked: that of model/rules.ts. */
const STAGES: readonly RouteRule['what'][] = ['Pin', 'Refused', 'Tenant', 'Cohort', 'Default'];

/**
 * Matches with the same target are one rule, since a route has room for few. Within a stage no request fits two of them on one
 * path, but for cohorts, which all lead to the same version.
 */
function together(entries: readonly Entry[]): readonly RouteRule[] {
  return STAGES.flatMap((stage) => {
    const ofStage = entries.filter(({ what }) => what === stage);
    return [...Map.groupBy(ofStage, ({ target, remove }) => textOf(target, remove)).values()].flatMap(
      (same): readonly RouteRule[] => {
        const [first] = same;
        return first === undefined
          ? []
          : [{ ...withoutMatch(first), matches: same.map(({ match }) => match) }];
      },
    );
  });
}

function withoutMatch({ what, target, remove }: Entry): Omit<RouteRule, 'matches'> {
  return { what, target, remove };
}

function textOf(target: RouteTarget, remove: readonly string[]): string {
  return JSON.stringify([target, remove]);
}
