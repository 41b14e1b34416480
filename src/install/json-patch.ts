/** Changes to a plain JSON value by JSON Patch (RFC 6902): the operations that our kustomizations use. Pure. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [field: string]: Json };

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove' | 'test';
  /** A JSON pointer: `/spec/replicas`; `~1` is a slash, `~0` a tilde, `-` the place behind a list's last element. */
  readonly path: string;
  /** For all but `remove`. */
  readonly value?: Json;
}

/** A patch that does not fit the value that it is for; the message says where. */
class PatchError extends Error {}

/** The value with the operations done, one after the other; the one given stays as it is. Throws PatchError. */
export function patched(value: Json, operations: readonly PatchOperation[]): Json {
  return operations.reduce(
    (changed, operation) => at(changed, tokensOf(operation.path), { ...operation, whole: operation.path }),
    value,
  );
}

/** What is at a JSON pointer; undefined where there is nothing. */
export function valueAt(value: Json, path: string): Json | undefined {
  return tokensOf(path).reduce<Json | undefined>((found, token) => child(found, token), value);
}

type Step = PatchOperation & { readonly whole: string };

function tokensOf(path: string): readonly string[] {
  if (!path.startsWith('/')) throw new PatchError(`the path ${JSON.stringify(path)} must begin with a slash`);
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function child(value: Json | undefined, token: string): Json | undefined {
  if (isList(value)) return /^\d+$/.test(token) ? value[Number(token)] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, token) ? value[token] : undefined;
}

function at(value: Json, [token = '', ...rest]: readonly string[], step: Step): Json {
  if (rest.length > 0) {
    const below = child(value, token);
    if (below === undefined) throw new PatchError(`${step.op} ${step.whole}: there is no ${token}`);
    return withChild(value, token, at(below, rest, step));
  }
  const found = child(value, token);
  if (step.op !== 'add' && found === undefined) {
    throw new PatchError(`${step.op} ${step.whole}: there is no ${token}`);
  }
  switch (step.op) {
    case 'add':
      return isList(value) ? inserted(value, token, step) : withChild(value, token, step.value ?? null);
    case 'replace':
      return withChild(value, token, step.value ?? null);
    case 'remove':
      return without(value, token);
    case 'test':
      if (JSON.stringify(found) === JSON.stringify(step.value)) return value;
      throw new PatchError(
        `test ${step.whole}: it is ${JSON.stringify(found)} and not ${JSON.stringify(step.value)}`,
      );
  }
}

function withChild(value: Json, token: string, below: Json): Json {
  if (isList(value)) return value.with(Number(token), below);
  return { ...(value as object), [token]: below };
}

function inserted(list: readonly Json[], token: string, { whole, value = null }: Step): Json {
  const index = token === '-' ? list.length : Number(token);
  if (!Number.isInteger(index) || index < 0 || index > list.length) {
    throw new PatchError(`add ${whole}: the list has ${list.length} elements, so there is no place ${token}`);
  }
  return list.toSpliced(index, 0, value);
}

function without(value: Json, token: string): Json {
  if (isList(value)) return value.toSpliced(Number(token), 1);
  return Object.fromEntries(Object.entries(value as object).filter(([field]) => field !== token)) as Json;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
