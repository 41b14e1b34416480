/**
 * The HTTPRoute of a service, as it is applied: every field is written that the API server would fill in, so that what is read
 * can be compared with what was wanted. What does not fit into one route is refused, with what stands in the way.
 */
import { SERVICE_HEADER } from '../../../model/answer.ts';
import type { GatewayApiSpec, ParentRef } from '../../../model/kubernetes.ts';
import type { ServiceName, VersionName } from '../../../model/names.ts';
import type { ServiceRoutes } from '../../../model/table.ts';
import { apiVersionOf, type Kind, type KubernetesObject, type OwnerReference } from '../client/objects.ts';
import { MANAGED_BY, SERVICE_LABEL } from '../custom-resources.ts';
import { httpRouteName, objectName } from '../names.ts';
import type { Mapping } from '../runtime/objects.ts';
import type { WantedObject } from '../runtime/wanted.ts';
import { type RouteMatch, type RouteRule, type RouteTarget, routeRules } from './rules.ts';

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';
export const HTTP_ROUTE: Kind = {
  group: GATEWAY_GROUP,
  version: 'v1',
  kind: 'HTTPRoute',
  plural: 'httproutes',
  scope: 'Namespaced',
};

/** The Service of the manifests behind which every replica answers what must not reach a version. */
export const REFUSALS_SERVICE = 'switchyard-refusals';
export const REFUSALS_PORT = 18_005;

/** What the Gateway API has room for in one HTTPRoute. */
const MOST_RULES = 16;
const MOST_MATCHES_OF_A_RULE = 64;
const MOST_MATCHES = 128;
const MOST_BACKENDS = 16;

export interface RoutePlace {
  readonly namespace: string;
  readonly owner: OwnerReference | undefined;
}

export interface RouteWish {
  readonly service: ServiceName;
  readonly gatewayApi: GatewayApiSpec;
  readonly routes: ServiceRoutes;
  /** The port of a version's Service. */
  readonly portOf: (version: VersionName) => number;
}

export type WantedRoute =
  | { readonly kind: 'Fits'; readonly wanted: WantedObject }
  /** Sentences that name what is too much, and what would help. */
  | { readonly kind: 'TooMuch'; readonly blockers: readonly string[] };

/** The HTTPRoute as it must be. */
export function httpRoute({ namespace, owner }: RoutePlace, wish: RouteWish): WantedRoute {
  const { service, gatewayApi, routes } = wish;
  const rules = routeRules(routes, gatewayApi.hostnames);
  const blockers = blockersOf(rules, routes);
  if (blockers.length > 0) return { kind: 'TooMuch', blockers };
  const object: KubernetesObject & Mapping = {
    apiVersion: apiVersionOf(HTTP_ROUTE),
    kind: HTTP_ROUTE.kind,
    metadata: {
      name: httpRouteName(service),
      namespace,
      labels: { ...MANAGED_BY, [SERVICE_LABEL]: service },
      ...(owner === undefined ? {} : { ownerReferences: [{ ...owner }] }),
    },
    spec: {
      parentRefs: gatewayApi.parentRefs.map(parentRef),
      // Also where there are none: a field that we do not write would be anybody's.
      hostnames: gatewayApi.hostnames,
      rules: rules.map((rule, index) => ruleOf(wish, rule, index)),
    },
  };
  return { kind: 'Fits', wanted: { kind: HTTP_ROUTE, object } };
}

function blockersOf(rules: readonly RouteRule[], { versions, holds, pin }: ServiceRoutes): readonly string[] {
  const matches = rules.reduce((sum, rule) => sum + rule.matches.length, 0);
  const largest = Math.max(...rules.map((rule) => rule.matches.length));
  const backends = Math.max(
    ...rules.map(({ target }) => (target.kind === 'Versions' ? target.weights.length : 1)),
  );
  const made = `${versions.length} versions, ${holds.length} holds`;
  const help = 'retire versions, release holds, or name fewer paths in scopes';
  const paths = rules.flatMap((rule) => rule.matches.map(({ path }) => path));
  const strange = paths.find((path) => /%2f/i.test(path));
  return [
    ...over(rules.length, MOST_RULES, 'rules', `${made}: ${help}`),
    ...over(largest, MOST_MATCHES_OF_A_RULE, 'matches in one rule', `${made}: ${help}`),
    ...over(matches, MOST_MATCHES, 'matches', `${made}: ${help}`),
    ...over(backends, MOST_BACKENDS, 'backends in one rule', `${made}: ${help}`),
    ...(strange === undefined
      ? []
      : [`the path ${strange} in a scope of ${pin.header} or of the tenant: the Gateway API takes no %2F`]),
  ];
}

function over(count: number, most: number, what: string, why: string): readonly string[] {
  return count <= most ? [] : [`${count} ${what}, and an HTTPRoute has room for ${most} (${why})`];
}

function parentRef({ kind, name, namespace, sectionName }: ParentRef): Mapping {
  return {
    group: kind === 'Gateway' ? GATEWAY_GROUP : '',
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(sectionName === undefined ? {} : { sectionName }),
  };
}

function ruleOf(wish: RouteWish, rule: RouteRule, index: number): Mapping {
  const { target, remove, matches, what } = rule;
  const modifier =
    target.kind === 'Refusals'
      ? { set: [{ name: SERVICE_HEADER, value: wish.service }] }
      : remove.length > 0
        ? { remove }
        : undefined;
  return {
    name: `${what.toLowerCase()}-${index}`,
    matches: matches.map(matchOf),
    ...(modifier === undefined
      ? {}
      : { filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: modifier }] }),
    backendRefs: backendRefs(wish, target),
  };
}

function matchOf({ path, header }: RouteMatch): Mapping {
  const place = { type: 'PathPrefix', value: path };
  if (header === undefined) return { path: place };
  const { name, value } = header;
  const match =
    value.kind === 'Exactly'
      ? { type: 'Exact', name, value: value.text }
      : // Whether a gateway looks at a part of the value or at all of it, this is anything.
        { type: 'RegularExpression', name, value: '.+' };
  return { path: place, headers: [match] };
}

function backendRefs({ service, portOf }: RouteWish, target: RouteTarget): readonly Mapping[] {
  const toService = { group: '', kind: 'Service' };
  switch (target.kind) {
    case 'Refusals':
      return [{ ...toService, name: REFUSALS_SERVICE, port: REFUSALS_PORT, weight: 1 }];
    case 'Versions':
      return target.weights.map(({ version, weight }) => ({
        ...toService,
        name: objectName(service, version),
        port: portOf(version),
        weight,
      }));
  }
}
