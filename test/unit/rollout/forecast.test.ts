/** The forecast of a drain: near where the counts show a course, and none where they do not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { type DrainForecast, drainForecast, type OpenCount } from '../../../src/rollout/forecast.ts';
import { seed } from '../../support/seed.ts';

const START = 1_700_000_000_000;
const EVERY = 5;

/** Counts each five seconds from 0 to `seconds`, of a curve over seconds. */
function curve(seconds: number, open: (at: number) => number): readonly OpenCount[] {
  return Array.from({ length: Math.floor(seconds / EVERY) + 1 }, (_, index) => ({
    at: instant(START + index * EVERY * 1000),
    open: Math.max(0, Math.round(open(index * EVERY))),
  }));
}

const now = (seconds: number) => instant(START + seconds * 1000);

/** When it is expected to be empty, in seconds from the first count. */
function expectedAt(forecast: DrainForecast): number {
  if (forecast.kind !== 'Expected') throw new Error(JSON.stringify(forecast));
  return (forecast.at - START) / 1000;
}

describe('a drain that goes on', () => {
  test('at a steady pace ends where the line does', () => {
    const counts = curve(100, (at) => 200 - at);
    expect(expectedAt(drainForecast({ counts, now: now(100) }))).toBeCloseTo(200, -1);
  });

  test('ever slower ends when nothing is left of it', () => {
    // Half of the work ends each minute: 200 pieces are down to half a piece after 60 * log2(400) seconds.
    const counts = curve(180, (at) => 200 * 0.5 ** (at / 60));
    const expected = expectedAt(drainForecast({ counts, now: now(180) }));
    expect(expected / (60 * Math.log2(400))).toBeGreaterThan(0.85);
    expect(expected / (60 * Math.log2(400))).toBeLessThan(1.15);
  });

  test('and rose before counts from its height', () => {
    const counts = curve(200, (at) => (at < 100 ? 100 + at : 300 - at));
    expect(expectedAt(drainForecast({ counts, now: now(200) }))).toBeCloseTo(300, -1);
  });

  test('says what it was made of', () => {
    const forecast = drainForecast({ counts: curve(100, (at) => 200 - at), now: now(100) });
    expect(forecast).toMatchObject({ because: '100 of 200 ended within 100 s' });
  });

  test('of work whose length is by chance is promised when its course shows, and then near its end', () => {
    // Evenly spread: fast-check's doubles are not.
    const chance = fc
      .noBias(fc.integer({ min: 1, max: 1_000_000 }))
      .map((millionth) => millionth / 1_000_000);
    const lengths = {
      steady: chance.map((share) => 600 * share),
      everSlower: chance.map((share) => -150 * Math.log(share)),
    };
    for (const length of Object.values(lengths)) {
      const works = fc.sample(fc.array(length, { minLength: 120, maxLength: 120, size: 'max' }), {
        seed: seed(),
        numRuns: 300,
      });
      const ratios = works
        .flatMap((work) => {
          const watched = work.toSorted((one, other) => one - other)[84] ?? 0;
          const end = Math.max(...work);
          const counts = curve(watched, (at) => work.filter((each) => each > at).length);
          const forecast = drainForecast({ counts, now: now(watched) });
          return forecast.kind === 'Expected' ? [(expectedAt(forecast) - watched) / (end - watched)] : [];
        })
        .toSorted((one, other) => one - other);
      expect(ratios.length).toBeGreaterThan(90);
      const at = (share: number) => ratios[Math.floor(ratios.length * share)] ?? 0;
      // Half of the forecasts are off by no more than this, of the time that was left.
      expect(at(0.25)).toBeGreaterThan(0.6);
      expect(at(0.75)).toBeLessThan(1.7);
    }
  });
});

describe('nothing is promised', () => {
  const steady = curve(100, (at) => 200 - at);

  test.each<[string, readonly OpenCount[], number, RegExp]>([
    ['before anything was counted', [], 0, /nothing was counted/],
    ['after a few counts', steady.slice(0, 4), 15, /too short/],
    ['while it does not fall', curve(100, () => 7), 100, /too short|only 0 ended/],
    ['while it rises', curve(100, (at) => 7 + at), 100, /too short/],
    ['where only two have ended', curve(100, (at) => (at < 60 ? 9 : 7)), 100, /only 2 ended/],
    [
      'where it has stalled',
      curve(200, (at) => Math.max(100, 200 - at)),
      200,
      /nothing has ended for a third/,
    ],
    ['where the last count is old', steady, 140, /too old/],
    [
      'while both courses fit',
      curve(300, (at) => (300 - 0.6 * at + 300 * Math.exp(-at / 370)) / 2),
      300,
      /cannot be told yet/,
    ],
    ['where it falls hardly at all', curve(1000, (at) => 1000 - at / 100), 1000, /falls too slowly/],
  ])('%s', (_, counts, seconds, because) => {
    expect(drainForecast({ counts, now: now(seconds) })).toEqual({
      kind: 'None',
      because: expect.stringMatching(because),
    });
  });
});

test('a drain that has ended says since when', () => {
  const counts = curve(100, (at) => 80 - at);
  expect(drainForecast({ counts, now: now(100) })).toEqual({ kind: 'Drained', at: now(80) });
});

test('whatever the counts are, an expected end lies ahead and not too far, and times only shift it', () => {
  const anyCounts = fc
    .array(fc.record({ step: fc.integer({ min: 1, max: 60_000 }), open: fc.nat(300) }), { maxLength: 40 })
    .map((steps) => {
      let at = START;
      return steps.map(({ step, open }) => ({ at: instant((at += step)), open }));
    });
  const falling = anyCounts.map((counts) => {
    const opens = counts.map(({ open }) => open).toSorted((one, other) => other - one);
    return counts.map(({ at }, index) => ({ at, open: opens[index] ?? 0 }));
  });
  let expected = 0;
  fc.assert(
    fc.property(fc.oneof(anyCounts, falling), fc.nat(100_000), fc.nat(1_000_000), (counts, later, shift) => {
      const at = instant((counts.at(-1)?.at ?? START) + later);
      const forecast = drainForecast({ counts, now: at });
      if (forecast.kind === 'None') return;
      if (forecast.kind === 'Drained') {
        expect(counts.at(-1)?.open).toBe(0);
        return;
      }
      expected += 1;
      expect(forecast.at).toBeGreaterThanOrEqual(at);
      expect(counts.at(-1)?.open).toBeGreaterThan(0);
      const watched = (counts.at(-1)?.at ?? 0) - (counts[0]?.at ?? 0);
      expect(forecast.at - at).toBeLessThanOrEqual(10 * watched + 1);
      const moved = counts.map((count) => ({ ...count, at: instant(count.at + shift) }));
      const movedForecast = drainForecast({ counts: moved, now: instant(at + shift) });
      expect(movedForecast).toMatchObject({ kind: 'Expected', because: forecast.because });
      if (movedForecast.kind === 'Expected') {
        expect(Math.abs(movedForecast.at - shift - forecast.at)).toBeLessThanOrEqual(2);
      }
    }),
    { seed: seed(), numRuns: 3_000 },
  );
  expect(expected).toBeGreaterThan(20);
});
