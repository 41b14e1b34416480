/**
 * Which resources of one type a proxy has asked for. The two dialects of xDS change it by different rules (sotw.ts and
 * delta.ts); here is only what both need. A subscription is immutable.
 */
import { digest } from './digest.ts';

export interface Subscription {
  /** All resources of the type, beside the named ones. */
  readonly wildcard: boolean;
  readonly names: ReadonlySet<string>;
  /** Whether a name was ever given: from then on an empty list of names no longer means all. */
  readonly everNamed: boolean;
  /** The same for subscriptions to the same names. */
  readonly key: string;
}

/** The name that stands for all resources of a type. */
export const WILDCARD = '*';
const LONG_KEY = 200;

/** Makes a subscription; `names` may contain the wildcard. */
export function makeSubscription(from: { names: Iterable<string>; everNamed: boolean }): Subscription {
  const names = new Set(from.names);
  const wildcard = names.delete(WILDCARD);
  const joined = [...names].toSorted().join('\n');
  const key = joined.length > LONG_KEY ? digest([joined]) : joined;
  return { wildcard, names, everNamed: from.everNamed, key };
}

/** Whether a resource of that name is wanted. */
export function covers(subscription: Subscription, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

/** The names of one subscription that another does not cover by name. */
export function namesAdded(before: Subscription, after: Subscription): string[] {
  return [...after.names].filter((name) => !before.names.has(name));
}

/** Whether these are the subscription's names, each once, and nothing else is meant. */
export function namesExactly({ names, wildcard }: Subscription, given: readonly string[]): boolean {
  return (
    !wildcard &&
    names.size > 0 &&
    given.length === names.size &&
    new Set(given).size === names.size &&
    given.every((name) => names.has(name))
  );
}
