/**
 * Which side of a split a request falls on, computed as Envoy computes it: XXH64 of each salted line of the tenant header,
 * or of the source address, modulo 100, compared with the candidate's weight.
 */
import type { VersionName } from '../model/names.ts';
import type { DefaultRoute } from '../model/table.ts';
import { xxhash64 } from './xxhash64.ts';

type Split = Extract<DefaultRoute, { kind: 'Split' }>;

/** What a side is chosen by: the lines of the tenant header, else the source address. */
export interface SplitKey {
  readonly tenantLines: readonly string[];
  readonly sourceAddress?: string;
}

/** The version that `key` falls on; `undefined` where there is nothing to hash and Envoy draws by weight. */
export function sideOf(split: Split, { tenantLines, sourceAddress }: SplitKey): VersionName | undefined {
  const texts = tenantLines.map((line) => `${split.salt}-${line}`);
  if (texts.length === 0 && sourceAddress !== undefined) texts.push(sourceAddress);
  if (texts.length === 0) return undefined;
  return hashAll(texts) % 100n < BigInt(split.weight) ? split.candidate : split.primary;
}

/** Lines are hashed in sorted order, each seeded with the hash before, so that their order on the wire is no matter. */
function hashAll(texts: readonly string[]): bigint {
  const encoder = new TextEncoder();
  return texts
    .map((text) => encoder.encode(text))
    .toSorted(compareBytes)
    .reduce((seed, bytes) => xxhash64(bytes, seed), 0n);
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
