// When somebody listened, what may be missing, how much time reading may take, and how many entries a message has.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Backlog } from '../../../../src/adapters/access-log/backlog.ts';
import { createBudget } from '../../../../src/adapters/access-log/budget.ts';
import { Listening } from '../../../../src/adapters/access-log/listening.ts';
import { countEntries, readMessage } from '../../../../src/adapters/access-log/messages.ts';
import { type Instant, instant } from '../../../../src/model/instant.ts';
import { entry, message } from '../../../support/log-stream.ts';

const at = (milliseconds: number): Instant => instant(1_700_000_000_000 + milliseconds);
const HOUR = 3_600_000;

describe('the record of listening', () => {
  test('goes on in a new one after an hour, without a hole, and the old one is given until it is saved', () => {
    const listening = new Listening(at(0));
    expect(listening.records(at(1_000))).toEqual([{ from: at(0), to: at(1_000), gaps: [] }]);
    const records = [
      { from: at(0), to: at(HOUR), gaps: [] },
      { from: at(HOUR), to: at(HOUR), gaps: [] },
    ];
    expect(listening.records(at(HOUR))).toEqual(records);
    expect(listening.records(at(HOUR))).toEqual(records);
    listening.saved();
    expect(listening.records(at(HOUR + 5))).toEqual([{ from: at(HOUR), to: at(HOUR + 5), gaps: [] }]);
  });

  test('a break is a gap from what was last heard, but not longer than a proxy may fail to notice', () => {
    const listening = new Listening(at(0));
    listening.broke({ proxy: 'a', heard: at(90_000), now: at(100_000) });
    listening.broke({ proxy: 'b', heard: at(1_000), now: at(100_000) });
    const gaps = listening.records(at(100_000))[0]?.gaps ?? [];
    expect(gaps.map(({ proxy, from, to }) => ({ proxy, from, to }))).toEqual([
      { proxy: 'a', from: at(90_000), to: at(100_000) },
      { proxy: 'b', from: at(55_000), to: at(100_000) },
    ]);
    listening.cameBack('a', at(120_000));
    expect(listening.records(at(130_000))[0]?.gaps[0]).toMatchObject({
      proxy: 'a',
      from: at(90_000),
      to: at(120_000),
    });
  });

  test('losses one after another are one gap with their sum', () => {
    const listening = new Listening(at(0));
    for (const time of [1_000, 5_000, 9_000, 60_000]) {
      listening.lost({ proxy: 'a', requests: 10, why: 'no time', now: at(time) });
      listening.lost({ proxy: 'b', requests: 1, why: 'no time', now: at(time) });
    }
    const gaps = listening.records(at(60_000))[0]?.gaps ?? [];
    expect(
      gaps.filter(({ proxy }) => proxy === 'a').map(({ requests, from, to }) => [requests, from, to]),
    ).toEqual([
      [30, at(1_000), at(9_000)],
      [10, at(60_000), at(60_000)],
    ]);
  });

  test('however many gaps there are, the record stays short and covers all of them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(HOUR - 1), fc.nat(1_000)), { minLength: 150, maxLength: 400 }),
        (losses) => {
          const listening = new Listening(at(0));
          const sorted = losses.toSorted(([one], [other]) => one - other);
          for (const [time, requests] of sorted) {
            listening.lost({ proxy: `p-${time}`, requests, why: 'no time', now: at(time) });
          }
          const gaps = listening.records(at(HOUR - 1))[0]?.gaps ?? [];
          expect(gaps.length).toBeLessThanOrEqual(100);
          expect(gaps.reduce((sum, { requests }) => sum + requests, 0)).toBe(
            losses.reduce((sum, [, requests]) => sum + requests, 0),
          );
          expect(
            sorted.every(([time]) => gaps.some(({ from, to }) => from <= at(time) && at(time) <= to)),
          ).toBe(true);
        },
      ),
    );
  });
});

describe('a backlog', () => {
  const MESSAGE = 16_384;

  /** A stream that makes a message each `every` ms; nothing arrives between `from` and `to`, and then all at once. */
  function waits(stall: { every: number; from: number; to: number; skew?: number }): (number | undefined)[] {
    const { every, from, to, skew = 0 } = stall;
    const backlog = new Backlog();
    return Array.from({ length: Math.ceil(20_000 / every) }, (_, index) => {
      const made = index * every;
      const arrives = made >= from && made < to ? to : made;
      return backlog.arrived({ bytes: MESSAGE, made: at(made) + skew, now: at(arrives + 1) });
    });
  }

  test('of more than Envoy’s buffer holds is noticed, whatever the proxy’s clock says', () => {
    for (const skew of [0, -3_600_000, 3_600_000]) {
      const noticed = waits({ every: 10, from: 5_000, to: 6_000, skew }).filter(
        (waited) => waited !== undefined,
      );
      expect(noticed.length).toBeGreaterThan(0);
      expect(Math.max(...noticed)).toBeLessThanOrEqual(1_000);
    }
  });

  test('of less is none: a slow proxy that waits, or a fast one that does not', () => {
    expect(waits({ every: 1_000, from: 5_000, to: 15_000 })).not.toContainEqual(expect.any(Number));
    expect(waits({ every: 2, from: 0, to: 0 })).not.toContainEqual(expect.any(Number));
  });
});

test('reading takes a quarter of the time, and a burst of a second', () => {
  let now = 0;
  const budget = createBudget(() => now);
  const work = (time: number): void => budget.spend(() => void (now += time));
  let read = 0;
  while (now < 100_000) {
    if (budget.allows()) {
      work(10);
      read += 10;
    } else now += 10;
  }
  expect(read).toBeGreaterThan(25_000);
  expect(read).toBeLessThan(27_000);
});

test('a message is counted without being read as it would be counted when read', () => {
  fc.assert(
    fc.property(fc.nat(60), fc.option(fc.string(), { nil: undefined }), (entries, proxy) => {
      const bytes = message(
        Array.from({ length: entries }, () => entry()),
        proxy,
      );
      expect(countEntries(bytes)).toBe(entries);
      expect(readMessage(bytes).entries).toHaveLength(entries);
    }),
  );
});
