import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { Admission, LATEST_RETRY } from '../../../src/watcher-server/admission.ts';
import { seed } from '../../support/seed.ts';

const START = 1_000_000;

describe('watchers that come at once', () => {
  test('as many as the burst are let in, the others are each given a time of their own', () => {
    const admission = new Admission({ perSecond: 10, burst: 2 });
    const come = () => admission.admit(instant(START));
    expect([come(), come(), come(), come()]).toEqual([
      { kind: 'Admitted' },
      { kind: 'Admitted' },
      { kind: 'Later', after: 100 },
      { kind: 'Later', after: 200 },
    ]);
  });

  test('whoever comes back when it was told is let in, if nobody else comes', () => {
    const admission = new Admission({ perSecond: 10, burst: 1 });
    const waits = Array.from({ length: 50 }, () => admission.admit(instant(START)));
    for (const wait of waits) {
      if (wait.kind === 'Later') {
        expect(admission.admit(instant(START + wait.after))).toEqual({ kind: 'Admitted' });
      }
    }
  });

  test('nobody is sent away for longer than a minute', () => {
    const admission = new Admission({ perSecond: 1, burst: 1 });
    const waits = Array.from({ length: 500 }, () => admission.admit(instant(START)));
    const longest = Math.max(...waits.map((wait) => (wait.kind === 'Later' ? wait.after : 0)));
    expect(longest).toBe(LATEST_RETRY);
  });

  test('in no stretch of time are more let in than the rate and one burst allow, whoever comes when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(400), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (gaps, perSecond, burst) => {
          const admission = new Admission({ perSecond, burst });
          let now = START;
          const admitted: number[] = [];
          for (const gap of gaps) {
            now += gap;
            if (admission.admit(instant(now)).kind === 'Admitted') admitted.push(now);
          }
          for (const [index, from] of admitted.entries()) {
            for (const [count, to] of admitted.slice(index).entries()) {
              expect(count + 1).toBeLessThanOrEqual(burst + ((to - from) * perSecond) / 1000 + 1e-6);
            }
          }
        },
      ),
      { seed: seed(), numRuns: 50 },
    );
  });

  test('a clock that goes back lets nobody in twice and breaks nothing', () => {
    const admission = new Admission({ perSecond: 10, burst: 1 });
    expect(admission.admit(instant(START)).kind).toBe('Admitted');
    expect(admission.admit(instant(START - 5_000)).kind).toBe('Later');
  });
});
