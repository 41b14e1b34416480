import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { versionName } from '../../../src/model/names.ts';
import { sideOf } from '../../../src/routing/split.ts';
import { seed } from '../../support/seed.ts';

const primary = versionName('v1');
const candidate = versionName('v2');
const split = (weight: number, salt = 'salt') =>
  ({ kind: 'Split', primary, candidate, weight, salt }) as const;
const tenant = (name: string) => ({ tenantLines: [name] });
const weight = fc.integer({ min: 1, max: 99 });

describe('the side of a split', () => {
  test('of a tenant changes at most once while the weight rises, from primary to candidate', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), weight, weight, (name, salt, one, other) => {
        const [lower, higher] = [Math.min(one, other), Math.max(one, other)];
        const before = sideOf(split(lower, salt), tenant(name));
        if (before === candidate) expect(sideOf(split(higher, salt), tenant(name))).toBe(candidate);
      }),
      { seed: seed() },
    );
  });

  test('gives the candidate about its share of the tenants', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `tenant-${index}`);
    const moved = names.filter((name) => sideOf(split(25), tenant(name)) === candidate).length;
    expect(moved / names.length).toBeGreaterThan(0.23);
    expect(moved / names.length).toBeLessThan(0.27);
  });

  test('takes other tenants first with another salt', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `tenant-${index}`);
    const moved = (salt: string) =>
      new Set(names.filter((name) => sideOf(split(10, salt), tenant(name)) === candidate));
    const both = moved('one').intersection(moved('two')).size;
    expect(both).toBeLessThan(200);
  });

  test('does not depend on the order of repeated tenant lines', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), weight, (lines, share) => {
        const there = sideOf(split(share), { tenantLines: lines });
        expect(sideOf(split(share), { tenantLines: lines.toReversed() })).toBe(there);
      }),
      { seed: seed() },
    );
  });

  test('is chosen by the source address where there is no tenant', () => {
    const sides = Array.from({ length: 50 }, (_, index) =>
      sideOf(split(50), { tenantLines: [], sourceAddress: `10.0.0.${index}` }),
    );
    expect(new Set(sides)).toEqual(new Set([primary, candidate]));
  });

  test('is open where there is neither', () => {
    expect(sideOf(split(50), { tenantLines: [] })).toBeUndefined();
  });
});
