/**
 * What a gateway does with a request by an HTTPRoute, as the Gateway API's specification says it: of all matches that fit, the
 * longest path, then the method, then the most headers, then the first rule in the route.
 */

/** The parts of an HTTPRoute's spec that decide. */
export interface RouteSpec {
  readonly hostnames?: readonly string[];
  readonly rules: readonly {
    readonly matches: readonly {
      readonly path: { readonly type: string; readonly value: string };
      readonly headers?: readonly { readonly type: string; readonly name: string; readonly value: string }[];
    }[];
    readonly filters?: readonly {
      readonly requestHeaderModifier: {
        readonly set?: readonly { readonly name: string; readonly value: string }[];
        readonly remove?: readonly string[];
      };
    }[];
    readonly backendRefs: readonly {
      readonly name: string;
      readonly port: number;
      readonly weight: number;
    }[];
  }[];
}

export interface GatewayRequest {
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The rule that takes the request; undefined: the gateway answers 404. */
export function ruleFor(route: RouteSpec, request: GatewayRequest): RouteSpec['rules'][number] | undefined {
  const values = headersOf(request);
  const fitting = route.rules.flatMap((rule, index) =>
    rule.matches
      .filter(({ path, headers = [] }) => {
        if (path.type !== 'PathPrefix') throw new Error(`this reader knows no ${path.type} of a path`);
        return isBelow(request.path, path.value) && headers.every((match) => fits(match, values));
      })
      .map(({ path, headers = [] }) => ({ rule, index, length: path.value.length, headers: headers.length })),
  );
  const [first] = fitting.toSorted(
    (one, other) => other.length - one.length || other.headers - one.headers || one.index - other.index,
  );
  return first?.rule;
}

/** The headers that the backend gets. */
export function forwarded(
  rule: RouteSpec['rules'][number],
  request: GatewayRequest,
): ReadonlyMap<string, string> {
  const values = new Map(headersOf(request));
  for (const { requestHeaderModifier } of rule.filters ?? []) {
    for (const name of requestHeaderModifier.remove ?? []) values.delete(name.toLowerCase());
    for (const { name, value } of requestHeaderModifier.set ?? []) values.set(name.toLowerCase(), value);
  }
  return values;
}

/** Lower-case names; repeated lines are joined, as most gateways do it. */
function headersOf({ headers }: GatewayRequest): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = values.get(key);
    const trimmed = value.replace(/^[ \t]+|[ \t]+$/g, '');
    values.set(key, before === undefined ? trimmed : `${before},${trimmed}`);
  }
  return values;
}

function fits(
  { type, name, value }: { readonly type: string; readonly name: string; readonly value: string },
  values: ReadonlyMap<string, string>,
): boolean {
  const found = values.get(name.toLowerCase());
  if (found === undefined) return false;
  return type === 'Exact' ? found === value : new RegExp(value, 'u').test(found);
}

/** On segment borders; a slash at the end of the prefix is not looked at. */
function isBelow(path: string, prefix: string): boolean {
  const bare = prefix.replace(/\/$/, '');
  return path === bare || path.startsWith(`${bare}/`);
}
