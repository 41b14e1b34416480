// Two counts of the same publications, against what a list of all of them says.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Scale } from '../../../src/replicas/scale.ts';
import { seed } from '../../support/seed.ts';

/** Publications one after the other, each with the commit that it shows. */
const publications = fc
  .array(fc.record({ fine: fc.integer({ min: 1, max: 3 }), coarse: fc.integer({ min: 0, max: 2 }) }), {
    maxLength: 30,
  })
  .map((steps) => {
    let [fine, coarse] = [0, 1];
    return steps.map((step) => {
      fine += step.fine;
      coarse += step.coarse;
      return { fine, coarse };
    });
  });

function scaleOf(pairs: readonly { readonly fine: number; readonly coarse: number }[]): Scale {
  const scale = new Scale();
  for (const { fine, coarse } of pairs) scale.note(fine, coarse);
  return scale;
}

describe('a scale', () => {
  test('tells for a publication the newest commit that it shows', () => {
    fc.assert(
      fc.property(publications, fc.nat({ max: 100 }), (pairs, asked) => {
        const shown = pairs.filter(({ fine }) => fine <= asked).at(-1)?.coarse ?? 0;
        expect(scaleOf(pairs).coarse(asked)).toBe(shown);
      }),
      { seed: seed() },
    );
  });

  test('tells for a commit the newest publication that shows nothing beyond it', () => {
    fc.assert(
      fc.property(publications, fc.nat({ max: 60 }), (pairs, asked) => {
        const newest = pairs.at(-1)?.fine ?? 0;
        const beyond = pairs.find(({ coarse }) => coarse > asked);
        const first = pairs[0]?.coarse ?? Number.POSITIVE_INFINITY;
        const expected = asked < first ? 0 : beyond === undefined ? newest : beyond.fine - 1;
        expect(scaleOf(pairs).fine(asked, newest)).toBe(expected);
      }),
      { seed: seed() },
    );
  });

  test('a publication shows more when it is said to show a newer commit too', () => {
    const scale = scaleOf([{ fine: 1, coarse: 10 }]);
    scale.note(1, 12);
    expect(scale.coarse(1)).toBe(12);
  });

  test('refuses to go back', () => {
    const scale = scaleOf([{ fine: 5, coarse: 10 }]);
    expect(() => scale.note(4, 11)).toThrow(/must rise/);
    expect(() => scale.note(6, 9)).toThrow(/must rise/);
  });

  test('forgets what is long ago, and says then that it knows nothing of it', () => {
    const scale = scaleOf(
      Array.from({ length: 5_000 }, (_, index) => ({ fine: index + 1, coarse: index + 1 })),
    );
    expect(scale.coarse(1)).toBe(0);
    expect(scale.coarse(4_000)).toBe(4_000);
    expect(scale.fine(1, 5_000)).toBe(0);
  });
});
