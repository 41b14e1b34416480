// Boundaries for repeated looks against published tables, against multivariate normal integrals of scipy, and by simulation.
import { describe, expect, test } from 'vitest';
import { normalPoint, normalTail } from '../../../../src/verification/statistics/normal.ts';
import { lookLevel } from '../../../../src/verification/statistics/sequential.ts';
import { powerSpending, spendingBoundaries } from '../../../../src/verification/statistics/spending.ts';
import { random } from '../../../support/judge/random.ts';
import { seed } from '../../../support/seed.ts';

/** Asserts that numbers agree to within 1e-3. */
function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) {
    expect(Math.abs((actual[index] ?? Number.NaN) - value), `number ${index}`).toBeLessThan(1e-3);
  }
}

describe('a planned number of looks', () => {
  test("Lan and DeMets' spending like O'Brien and Fleming gives the published boundaries", () => {
    // Five equal looks, one-sided 0.025: 4.8769, 3.3569, 2.6803, 2.2898, 2.0310 (Jennison and Turnbull 2000, chapter 7;
    // Reboussin, DeMets, Kim and Lan 2000, ld98).
    const point = normalPoint(0.0125);
    const spending = (look: number) => (look === 0 ? 0 : 2 * normalTail(point / Math.sqrt(look / 5)));
    expectNear(spendingBoundaries([1, 2, 3, 4, 5], spending), [4.8769, 3.3569, 2.6803, 2.2898, 2.031]);
  });

  test('agrees with integrals of the multivariate normal distribution, also with unequal looks', () => {
    // Each boundary solves P(stay below all before, cross here) = spend, with scipy.stats.multivariate_normal.cdf
    // (maxpts=2e6, abseps=1e-7) of the covariance sqrt(min(i, j) / max(i, j)).
    expectNear(
      spendingBoundaries([1, 3, 4, 10], powerSpending(0.05, 4)),
      [2.734368786533181, 2.320825323065401, 1.9937081508391363, 1.8852708577454573],
    );
    expectNear(
      spendingBoundaries([1, 2, 3], powerSpending(0.05, 3)),
      [2.5391848136513118, 2.0686642631690275, 1.740692507565611],
    );
  });

  test('one look is the plain test', () => {
    expect(
      lookLevel({ plan: { kind: 'Planned', looks: 1 }, falseAlarm: 0.05, information: [7] }),
    ).toBeCloseTo(0.05, 9);
  });

  test('a look beyond the plan has nothing left to spend', () => {
    expect(lookLevel({ plan: { kind: 'Planned', looks: 2 }, falseAlarm: 0.05, information: [1, 2, 3] })).toBe(
      0,
    );
  });

  test('looks that bring hardly any data, and many looks, still have a boundary', () => {
    const boundaries = spendingBoundaries([1, 1.000_000_1, 1_000, 1_000.1, 3_000], powerSpending(0.05, 5));
    const many = spendingBoundaries(
      Array.from({ length: 200 }, (_, index) => index + 1),
      powerSpending(0.05, 200),
    );
    for (const boundary of [...boundaries, ...many]) {
      expect(boundary).toBeGreaterThan(1.6);
      expect(boundary).toBeLessThan(6);
    }
  });
});

describe('looks without a known end', () => {
  test('agrees with the mixture solved by scipy', () => {
    // scipy.optimize.brentq on log(2 Phi(z r)) + log(rho / (n + rho)) / 2 + (z r)^2 / 2 = log(20), r = sqrt(n / (n + rho)),
    // with the rho that is tightest at ten looks.
    const boundary = (information: readonly number[]) =>
      normalPoint(lookLevel({ plan: { kind: 'Open', looks: 10 }, falseAlarm: 0.05, information }));
    expectNear(
      [boundary([1]), boundary([1, 10]), boundary([1, 100]), boundary([1, 10_000])],
      [3.634305089973409, 2.76607088306732, 2.9849977235811456, 3.6552115560045384],
    );
  });
});

describe('over all looks, no more candidates that are as good as the baseline fail than declared', () => {
  /** How many of these walks without drift cross their boundary at any look. */
  function crossings(walks: number, looks: number, boundaries: readonly number[]): number {
    const source = random(seed());
    let crossed = 0;
    for (let walk = 0; walk < walks; walk++) {
      let sum = 0;
      for (let look = 1; look <= looks; look++) {
        sum += source.normal();
        if (sum / Math.sqrt(look) > (boundaries[look - 1] ?? Infinity)) {
          crossed++;
          break;
        }
      }
    }
    return crossed;
  }
  const walks = 4_000;
  /** Five standard errors above 5 percent of the walks. */
  const most = walks * 0.05 + 5 * Math.sqrt(walks * 0.05 * 0.95);

  test('ten planned looks', () => {
    const information = Array.from({ length: 10 }, (_, index) => index + 1);
    const crossed = crossings(walks, 10, spendingBoundaries(information, powerSpending(0.05, 10)));
    expect(crossed).toBeLessThan(most);
    // The chance is used, too: a boundary that nothing crosses would be of no use.
    expect(crossed).toBeGreaterThan(walks * 0.05 - 5 * Math.sqrt(walks * 0.05 * 0.95));
  });

  test('five hundred looks of a soak', () => {
    const boundaries = Array.from({ length: 500 }, (_, index) =>
      normalPoint(
        lookLevel({ plan: { kind: 'Open', looks: 10 }, falseAlarm: 0.05, information: [1, index + 1] }),
      ),
    );
    expect(crossings(walks, 500, boundaries)).toBeLessThan(most);
  });
});
