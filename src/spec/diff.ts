/**
 * What differs between two specs, by field path, for `apply --dry-run`. Elements of a list that have names of their own are
 * compared by it (`spec.listeners[gateway].port`), so that taking one away does not change all others; lists of
 * plain values are compared as a whole.
 */
import type { VersionedService } from '../model/spec.ts';
import { serviceDocument } from './format.ts';
import type { Plain } from './plain.ts';

/** One field that differs; an absent value is empty text, a value that is no text is JSON. */
export interface SpecDifference {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** The fields that differ, in the order of the document; `before` is absent for a new service. */
export function diffServices(
  before: VersionedService | undefined,
  after: VersionedService,
): readonly SpecDifference[] {
  return differences('', before && serviceDocument(before), serviceDocument(after));
}

function differences(
  path: string,
  before: Plain | undefined,
  after: Plain | undefined,
): readonly SpecDifference[] {
  const left = childrenOf(path, before);
  const right = childrenOf(path, after);
  if (left === undefined || right === undefined) {
    const [beforeText, afterText] = [textOf(before), textOf(after)];
    return beforeText === afterText ? [] : [{ field: path, before: beforeText, after: afterText }];
  }
  const paths = new Set([...left.keys(), ...right.keys()]);
  return [...paths].flatMap((child) => differences(child, left.get(child), right.get(child)));
}

/** The parts of a value by their path, or undefined where it is compared as a whole. */
function childrenOf(path: string, value: Plain | undefined): ReadonlyMap<string, Plain> | undefined {
  if (typeof value !== 'object') return undefined;
  if (!Array.isArray(value)) {
    return new Map(
      Object.entries(value).map(([key, child]) => [path === '' ? key : `${path}.${key}`, child]),
    );
  }
  const named = value.map((element: Plain) => [nameOf(element), element] as const);
  // Headers of a cohort may share a name.
  const names = new Set(named.map(([name]) => name));
  if (names.has(undefined) || names.size < named.length) return undefined;
  return new Map(named.map(([name, element]) => [`${path}[${name}]`, element]));
}

function nameOf(element: Plain): string | undefined {
  if (typeof element !== 'object' || Array.isArray(element)) return undefined;
  const { name } = element as { readonly [key: string]: Plain };
  return typeof name === 'string' ? name : undefined;
}

function textOf(value: Plain | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
