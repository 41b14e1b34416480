/**
 * Parts of the matcher tree that a virtual host holds: inputs, conditions, lists. The input for a header sees the joined
 * text of repeated lines (on every Envoy; plain route header matchers see single lines since 1.39), as gRPC does.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { RouteListSchema, type RouteSchema } from '../../gen/envoy/config/route/v3/route_components_pb.js';
import { HttpRequestHeaderMatchInputSchema } from '../../gen/envoy/type/matcher/v3/http_inputs_pb.js';
import type {
  Matcher_MatcherList_PredicateSchema,
  Matcher_OnMatchSchema,
  MatcherSchema,
} from '../../gen/xds/type/matcher/v3/matcher_pb.js';
import type { StringMatcherSchema } from '../../gen/xds/type/matcher/v3/string_pb.js';
import type { Scope } from '../../model/spec.ts';

export type Matcher = MessageInitShape<typeof MatcherSchema>;
export type OnMatch = MessageInitShape<typeof Matcher_OnMatchSchema>;
export type Predicate = MessageInitShape<typeof Matcher_MatcherList_PredicateSchema>;
export type Route = MessageInitShape<typeof RouteSchema>;
type Text = MessageInitShape<typeof StringMatcherSchema>;

/** A condition that may be known beforehand. */
export type Condition = 'Always' | 'Never' | Predicate;

/** Ends the search with these routes, the first that matches; the last one must match everything. */
export function toRoutes(routes: readonly Route[]): OnMatch {
  const list = create(RouteListSchema, { routes: [...routes] });
  return {
    onMatch: { case: 'action', value: { name: 'routes', typedConfig: anyPack(RouteListSchema, list) } },
  };
}

/** Goes on with another matcher. */
export function toMatcher(matcher: Matcher): OnMatch {
  return { onMatch: { case: 'matcher', value: matcher } };
}

/** Looks the whole value of a header up; `entries` must not be empty. */
export function lookup(header: string, entries: ReadonlyMap<string, OnMatch>, otherwise?: OnMatch): Matcher {
  // Without a prototype: a tenant may be called `__proto__`.
  const map: Record<string, OnMatch> = Object.create(null);
  for (const [value, onMatch] of entries) map[value] = onMatch;
  return {
    matcherType: {
      case: 'matcherTree',
      value: { input: headerInput(header), treeType: { case: 'exactMatchMap', value: { map } } },
    },
    ...(otherwise === undefined ? {} : { onNoMatch: otherwise }),
  };
}

/** Asks conditions in order. A nested matcher that finds nothing lets the search go on with the next condition. */
export function firstOf(steps: readonly { when: Condition; next: OnMatch }[], otherwise: OnMatch): OnMatch {
  const asked = steps.filter(({ when }) => when !== 'Never');
  const last = asked.findIndex(({ when, next }) => when === 'Always' && next.onMatch?.case === 'action');
  const matchers = asked
    .slice(0, last === -1 ? undefined : last)
    .map(({ when, next }) => ({ predicate: isPredicate(when) ? when : ANY_REQUEST, onMatch: next }));
  const onNoMatch = asked[last]?.next ?? otherwise;
  if (matchers.length === 0) return onNoMatch;
  return toMatcher({ matcherType: { case: 'matcherList', value: { matchers } }, onNoMatch });
}

/** The header is there, whatever its value. `\C` is any byte: values need not be UTF-8. */
export function present(header: string): Predicate {
  return headerText(header, {
    matchPattern: {
      case: 'safeRegex',
      value: { engineType: { case: 'googleRe2', value: {} }, regex: '\\C*' },
    },
  });
}

/** The whole value of the header is `value`. */
export function equals(header: string, value: string): Predicate {
  return headerText(header, { matchPattern: { case: 'exact', value } });
}

/** The request is where the scope says. */
export function inScope(scope: Scope): Condition {
  switch (scope.kind) {
    case 'everywhere':
      return 'Always';
    case 'nowhere':
      return 'Never';
    case 'scoped':
      return any([
        ...scope.hosts.flatMap(hostIs),
        ...scope.paths.flatMap(pathBelow),
        ...scope.grpcServices.map((service) => pathText('prefix', `/${service}/`)),
      ]);
  }
}

/** The path without its query is exactly this one. */
export function pathIs(path: string): Condition {
  return any([pathText('exact', path), pathText('prefix', `${path}?`)]);
}

/** All of the conditions hold. */
export function all(conditions: readonly Condition[]): Condition {
  if (conditions.includes('Never')) return 'Never';
  const open = conditions.filter(isPredicate);
  if (open.length < 2) return open[0] ?? 'Always';
  return { matchType: { case: 'andMatcher', value: { predicate: open } } };
}

/** At least one of the conditions holds. */
export function any(conditions: readonly Condition[]): Condition {
  if (conditions.includes('Always')) return 'Always';
  const open = conditions.filter(isPredicate);
  if (open.length < 2) return open[0] ?? 'Never';
  return { matchType: { case: 'orMatcher', value: { predicate: open } } };
}

/** The condition does not hold. */
export function not(predicate: Predicate): Predicate {
  return { matchType: { case: 'notMatcher', value: predicate } };
}

function isPredicate(condition: Condition): condition is Predicate {
  return condition !== 'Always' && condition !== 'Never';
}

function headerInput(header: string) {
  const input = create(HttpRequestHeaderMatchInputSchema, { headerName: header });
  return { name: header, typedConfig: anyPack(HttpRequestHeaderMatchInputSchema, input) };
}

function headerText(header: string, text: Text): Predicate {
  return {
    matchType: {
      case: 'singlePredicate',
      value: { input: headerInput(header), matcher: { case: 'valueMatch', value: text } },
    },
  };
}

function hostIs(host: string): Predicate[] {
  return [
    headerText(':authority', { matchPattern: { case: 'exact', value: host }, ignoreCase: true }),
    headerText(':authority', { matchPattern: { case: 'prefix', value: `${host}:` }, ignoreCase: true }),
  ];
}

function pathBelow(path: string): Predicate[] {
  const folder = path.endsWith('/') ? path.slice(0, -1) : path;
  const inside = pathText('prefix', `${folder}/`);
  return path === folder ? [pathText('exact', folder), pathText('prefix', `${folder}?`), inside] : [inside];
}

function pathText(kind: 'exact' | 'prefix', value: string): Predicate {
  return headerText(':path', { matchPattern: { case: kind, value } });
}

/** The client speaks gRPC: what Envoy itself takes for it. */
export const IS_GRPC: Predicate = {
  matchType: {
    case: 'orMatcher',
    value: {
      predicate: [
        equals('content-type', 'application/grpc'),
        headerText('content-type', { matchPattern: { case: 'prefix', value: 'application/grpc+' } }),
      ],
    },
  },
};

/** True for every request: each has a method, and none is called like this. */
const ANY_REQUEST: Predicate = not(equals(':method', '*'));
