/**
 * XXH64, the hash by which Envoy chooses a side of a split, after the specification of xxHash
 * (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md). Written for clarity: explain hashes one short text at a time.
 */

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

const STRIPE = 32;

/** The hash of `input` as an unsigned 64-bit number. `seed` is one too. */
export function xxhash64(input: Uint8Array, seed = 0n): bigint {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const stripesEnd = input.length - (input.length % STRIPE);
  let hash = input.length < STRIPE ? wrap(seed + PRIME_5) : accumulate(view, stripesEnd, seed);
  hash = wrap(hash + BigInt(input.length));
  return avalanche(addTail(view, stripesEnd, hash));
}

/** Four lanes over all whole stripes of 32 bytes, merged. */
function accumulate(view: DataView, end: number, seed: bigint): bigint {
  let lanes: readonly bigint[] = [seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1].map(wrap);
  for (let at = 0; at < end; at += STRIPE) {
    lanes = lanes.map((lane, index) => round(lane, view.getBigUint64(at + index * 8, true)));
  }
  const [one = 0n, two = 0n, three = 0n, four = 0n] = lanes;
  const sum = wrap(rotate(one, 1n) + rotate(two, 7n) + rotate(three, 12n) + rotate(four, 18n));
  return lanes.reduce((hash, lane) => wrap((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4), sum);
}

/** The last bytes that fill no stripe: by eight, by four, one by one. */
function addTail(view: DataView, start: number, before: bigint): bigint {
  let hash = before;
  let at = start;
  for (; at + 8 <= view.byteLength; at += 8) {
    hash = wrap(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
  }
  if (at + 4 <= view.byteLength) {
    hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
    at += 4;
  }
  for (; at < view.byteLength; at += 1) {
    hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint8(at)) * PRIME_5), 11n) * PRIME_1);
  }
  return hash;
}

function avalanche(before: bigint): bigint {
  let hash = before;
  hash = wrap((hash ^ (hash >> 33n)) * PRIME_2);
  hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}

function round(lane: bigint, word: bigint): bigint {
  return wrap(rotate(wrap(lane + word * PRIME_2), 31n) * PRIME_1);
}

function rotate(value: bigint, bits: bigint): bigint {
  return wrap((value << bits) | (value >> (64n - bits)));
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
