/** Row digests and table sums: any difference in content shows, the order of rows and the way to them do not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rowDigest, TableSum } from '../../../../src/adapters/sqlite/digest.ts';
import { seed } from '../../../support/seed.ts';

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

function sumOf(digests: readonly Uint8Array[]): TableSum {
  const sum = TableSum.empty();
  for (const each of digests) sum.add(each);
  return sum;
}

/** The definition: numbers of 256 bits, lowest byte first, added modulo 2^256. */
function sumByDefinition(digests: readonly Uint8Array[]): bigint {
  return digests.reduce((sum, each) => (sum + numberOf(each)) % (1n << 256n), 0n);
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
}

describe('a table sum', () => {
  test('is the sum of all digests modulo 2^256, with the number of rows', () => {
    fc.assert(
      fc.property(fc.array(digest, { maxLength: 20 }), (digests) => {
        const [hexadecimal = '', rows] = sumOf(digests).text.split('/');
        expect(numberOf(Buffer.from(hexadecimal, 'hex'))).toBe(sumByDefinition(digests));
        expect(Number(rows)).toBe(digests.length);
      }),
      { seed: seed() },
    );
  });

  test('carries to the highest word, and beyond it', () => {
    const highest = new Uint8Array(32).fill(255);
    const one = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0));
    expect(sumOf([highest, one]).text).toBe(`${'0'.repeat(64)}/2`);
    const back = sumOf([highest, one]);
    back.subtract(one);
    expect(back.text).toBe(`${'f'.repeat(64)}/1`);
  });

  test('does not depend on the order of rows, and taking a row away undoes adding it', () => {
    fc.assert(
      fc.property(fc.array(digest, { minLength: 1, maxLength: 20 }), digest, (digests, other) => {
        expect(sumOf(digests.toReversed()).text).toBe(sumOf(digests).text);
        const sum = sumOf([...digests, other]);
        sum.subtract(other);
        expect(sum.text).toBe(sumOf(digests).text);
      }),
      { seed: seed() },
    );
  });

  test('is read back from its text, and other text is refused', () => {
    fc.assert(
      fc.property(fc.array(digest, { maxLength: 5 }), (digests) => {
        const { text } = sumOf(digests);
        expect(TableSum.parse(text).text).toBe(text);
      }),
      { seed: seed() },
    );
    expect(() => TableSum.parse('12/3')).toThrow(/"12\/3" is no table sum/);
  });
});

test('a row digest differs with the table, the key, each column and the body', () => {
  const digests = [
    rowDigest(['service', 'a', 'b']),
    rowDigest(['proxy', 'a', 'b']),
    rowDigest(['service', 'ab', '']),
    rowDigest(['event', 1, null, 'b']),
    rowDigest(['event', 1, '', 'b']),
    rowDigest(['event', 1, 'null', 'b']),
  ].map((each) => each.toString('hex'));
  expect(new Set(digests).size).toBe(digests.length);
});
