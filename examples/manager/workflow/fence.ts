/**
 * Lets an instance hear of its version's fence. Switchyard fences a version in the store, by any one instance; the streams
 * that are open on the others must be told as well.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../instance.ts';
import type { Engine } from './engine.ts';

const LOOK_EVERY_MS = 1_000;

/** Fences the instance when its version is fenced, and lifts that with it, until the signal. Never rejects. */
export async function followFence(
  instance: Pick<Instance, 'fence' | 'lift'>,
  { store, version, log }: Pick<Engine, 'store' | 'version' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  // Only a change counts: an instance may have been fenced by itself.
  let wasFenced = false;
  while (!signal.aborted) {
    try {
      const isFenced = (await store.fencedSince(version)) !== undefined;
      if (isFenced !== wasFenced && !signal.aborted) {
        if (isFenced) instance.fence();
        else instance.lift();
        wasFenced = isFenced;
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, `asking whether ${version} is fenced`);
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}
