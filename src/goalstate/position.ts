/**
 * The place of a box in the order of a rollout: by chance, but the same every time, so that no customer is always first
 * and a controller that crashed goes on with the same order.
 */
import type { RolloutId } from '../model/rollout.ts';
import type { DelegateId } from '../model/workflow.ts';

/** Above every position. */
export const EVERYBODY = 2 ** 53 - 1;

/** From 0 up to, not including, EVERYBODY; 53 bits, so that two boxes of a fleet hardly ever share one. */
export function positionOf(rollout: RolloutId, box: DelegateId): number {
  return digestOf(`${rollout}/${box}`);
}

/** 53 bits of a text: two walks over it that begin differently, each mixed at its end so that close texts lie far apart. */
export function digestOf(text: string): number {
  const high = mixed(walk(text, 0x811c9dc5)) >>> 11;
  const low = mixed(walk(text, 0x9747b28c));
  return Math.min(high * 2 ** 32 + low, EVERYBODY - 1);
}

/** FNV-1a over UTF-16 units. */
function walk(text: string, from: number): number {
  let hash = from;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

/** The finalizer of MurmurHash3. */
function mixed(hash: number): number {
  let mix = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}
