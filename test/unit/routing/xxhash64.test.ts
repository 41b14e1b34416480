import { describe, expect, test } from 'vitest';
import { xxhash64 } from '../../../src/routing/xxhash64.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Computed with the reference implementation, xxHash 0.8. */
const VECTORS: readonly (readonly [text: string, seed: bigint, hash: bigint])[] = [
  ['', 0x0n, 0xef46db3751d8e999n],
  ['a', 0x0n, 0xd24ec4f1a98c6e5bn],
  ['abc', 0x0n, 0x44bc2cf5ad770999n],
  ['abcd', 0x1n, 0xf5dcbd6dee3c9553n],
  ['s1-tenant-4711', 0x0n, 0xa99586eb18ec9cc5n],
  ['127.0.0.1', 0x0n, 0xc08b1587df65b7a7n],
  ['exactly eight', 0xffffffffffffffffn, 0xf5653962a71989f1n],
  ['a text of thirty-one bytes, yes.', 0x0n, 0x66b991d1a7a50f4cn],
  ['a text that is longer than thirty-two bytes', 0x0n, 0x7792f72f9ef1f667n],
  ['a text that is longer than thirty-two bytes', 0x9e3779b97f4a7c15n, 0x357c57f24b086174n],
  ['xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 0x7n, 0xab48120df74ba91n],
  [
    'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy',
    0x0n,
    0xcd300b25f4b8a0bfn,
  ],
  ['Grüße', 0x0n, 0x29964875bfe3cb55n],
];

describe('xxhash64', () => {
  test.each(VECTORS)('of %j with the seed %s', (text, seed, hash) => {
    expect(xxhash64(bytes(text), seed)).toBe(hash);
  });

  test('reads a part of a larger buffer', () => {
    const [, seed = 0n, hash] = VECTORS[4] ?? [];
    const larger = bytes(`xxx${VECTORS[4]?.[0]}yyy`);
    expect(xxhash64(larger.subarray(3, -3), seed)).toBe(hash);
  });
});
