/** How a watcher asks again: by stream or poll, sooner or later. */
import { expect, test } from 'vitest';
import { after, instant } from '../../../src/model/instant.ts';
import {
  type Ending,
  FIRST_PACE,
  type Next,
  nextAttempt,
  type Pace,
} from '../../../src/watcher/link/pace.ts';

const START = instant(1_000_000);

/** What follows these endings, one after the other, without chance. */
function follow(endings: readonly Ending[], from: Pace = FIRST_PACE, random = 1): readonly Next[] {
  let pace = from;
  return endings.map((ending) => {
    const next = nextAttempt({ pace, ending, now: START, random });
    pace = next.pace;
    return next;
  });
}

const failed: Ending = { kind: 'Failed' };

test('while nobody answers it asks ever more slowly, by stream and by poll, at most every minute', () => {
  const next = follow(Array.from({ length: 12 }, () => failed));
  expect(next.map(({ delay }) => delay / 1000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]);
  expect(new Set(next.map(({ pace }) => pace.way))).toEqual(new Set(['Stream', 'Poll']));
});

test('those that were cut off together do not come back together', () => {
  const delays = [0, 0.25, 0.5, 0.75].map((random) => follow([failed, failed], FIRST_PACE, random)[1]?.delay);
  expect(delays).toEqual([1000, 1250, 1500, 1750]);
});

test('where three streams in a row did not live, it polls, and goes on polling while that is answered', () => {
  const short: Ending = { kind: 'StreamEnded', lived: 5_000 };
  const polled: Ending = { kind: 'Polled', interval: 30_000 };
  const next = follow([short, failed, short, polled, polled], FIRST_PACE, 0.5);
  expect(next.map(({ pace }) => pace.way)).toEqual(['Stream', 'Stream', 'Poll', 'Poll', 'Poll']);
  expect(next.at(-1)?.delay).toBe(30_000);
});

test('where polls are not answered either, streams are not to blame: the next attempt is one', () => {
  const next = follow([failed, failed, failed, failed, failed]);
  expect(next.map(({ pace }) => pace.way)).toEqual(['Stream', 'Stream', 'Poll', 'Stream', 'Stream']);
});

test('one that polls tries a stream again after ten minutes', () => {
  const polling: Pace = { way: 'Poll', failures: 0, shortStreams: 3, streamAgainAt: after(START, 600_000) };
  const ending: Ending = { kind: 'Polled', interval: 30_000 };
  const at = (now: number): Pace['way'] =>
    nextAttempt({ pace: polling, ending, now: instant(now), random: 0 }).pace.way;
  expect(at(START + 599_999)).toBe('Poll');
  expect(at(START + 600_000)).toBe('Stream');
});

test('a stream that lived is followed by another one soon, whatever was before', () => {
  const [next] = follow([{ kind: 'StreamEnded', lived: 3_600_000 }], {
    way: 'Stream',
    failures: 9,
    shortStreams: 2,
    streamAgainAt: undefined,
  });
  expect(next).toEqual({ pace: FIRST_PACE, delay: 1000 });
});

test('one that is asked to come back does so not earlier, counts no failure, and does not wait for ever', () => {
  expect(follow([{ kind: 'ComeBack', after: 7_000 }], FIRST_PACE, 0)).toEqual([
    { pace: FIRST_PACE, delay: 7000 },
  ]);
  expect(follow([{ kind: 'ComeBack', after: 1e12 }], FIRST_PACE, 0)[0]?.delay).toBe(600_000);
});
