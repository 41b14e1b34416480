/**
 * Asking all instances of a version in one round: each gives a value or the reason why not, in their order. Some at a
 * time, so that a version of a thousand instances does not take all sockets.
 */
import type { Instance } from '../model/instance.ts';

/** What one instance gave. */
export type Tried<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly reason: string };

/** Instances that are asked at a time, where nobody says otherwise. */
export const CONCURRENCY = 32;

/** Reasons that are listed in full; the others are counted. */
const REASONS_SHOWN = 5;

/** Asks every instance. Never rejects. */
export async function askAll<T>(round: {
  readonly instances: readonly Instance[];
  readonly ask: (instance: Instance) => Promise<T>;
  readonly concurrency?: number;
}): Promise<readonly Tried<T>[]> {
  const { instances, ask, concurrency = CONCURRENCY } = round;
  const tried: Tried<T>[] = [];
  const waiting = instances.entries();
  const worker = async (): Promise<void> => {
    for (const [index, instance] of waiting) tried[index] = await attempt(instance, ask);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, instances.length) }, worker));
  return tried;
}

/** The values of those that gave one. */
export function valuesOf<T>(tried: readonly Tried<T>[]): readonly T[] {
  return tried.filter((one) => one.kind === 'done').map(({ value }) => value);
}

/** Why the others did not, one reason for each; empty where all did. */
export function reasonsOf(tried: readonly Tried<unknown>[]): readonly string[] {
  return tried.filter((one) => one.kind === 'failed').map(({ reason }) => reason);
}

/** Reasons in one line: the first ones, and how many more there are. */
export function inOneLine(reasons: readonly string[]): string {
  const shown = reasons.slice(0, REASONS_SHOWN);
  const others = reasons.length > shown.length ? [`and ${reasons.length - shown.length} more`] : [];
  return [...shown, ...others].join('; ');
}

/** An instance as an operator knows it: `manager-v2-1 at 127.0.0.1:9001`. */
export function instanceLabel({ id, address: { host, port } }: Instance): string {
  return `${id} at ${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function attempt<T>(instance: Instance, ask: (instance: Instance) => Promise<T>): Promise<Tried<T>> {
  try {
    return { kind: 'done', value: await ask(instance) };
  } catch (error) {
    return { kind: 'failed', reason: `${instanceLabel(instance)}: ${(error as Error).message}` };
  }
}
