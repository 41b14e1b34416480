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

const SHORT: Ending = { kind: 'StreamEnded', lived: 5_000 };
const POLLED: Ending = { kind: 'Polled', interval: 30_000 };

test('where three streams in a row did not live, it polls', () => {
  const next = follow([SHORT, failed, SHORT], FIRST_PACE, 0.5);
  expect(next.map(({ pace }) => pace.way)).toEqual(['Stream', 'Stream', 'Poll']);
});

test('a controller that was away for a moment has its streams back soon', () => {
  const next = follow([failed, failed, failed, POLLED]);
  expect(next.at(-1)?.pace.way).toBe('Stream');
  expect(next.at(-1)?.delay).toBe(10_000);
});

test('where streams still do not live it goes back to polls at once, each time for twice as long, at most ten minutes', () => {
  const polls: number[] = [];
  let pace = follow([SHORT, SHORT, SHORT])[2]?.pace ?? FIRST_PACE;
  let now = START;
  for (let round = 0; round < 9; round += 1) {
    const from = now;
    do {
      const next = nextAttempt({ pace, ending: POLLED, now, random: 0.5 });
      now = after(now, next.delay);
      pace = next.pace;
    } while (pace.way === 'Poll');
    polls.push(Math.round((now - from) / 10_000));
    pace = nextAttempt({ pace, ending: SHORT, now, random: 0.5 }).pace;
    expect(pace.way).toBe('Poll');
  }
  expect(polls).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test('where polls are not answered either, streams are not to blame: the next attempt is one', () => {
  const next = follow([failed, failed, failed, failed, failed]);
  expect(next.map(({ pace }) => pace.way)).toEqual(['Stream', 'Stream', 'Poll', 'Stream', 'Stream']);
});

test('a stream that lived is followed by another one soon, whatever was before', () => {
  const [next] = follow([{ kind: 'StreamEnded', lived: 3_600_000 }], {
    way: 'Stream',
    failures: 9,
    shortStreams: 2,
    streamAgainAt: undefined,
    pollsFor: 600_000,
  });
  expect(next).toEqual({ pace: FIRST_PACE, delay: 1000 });
});

test('one that is asked to come back does so not earlier, counts no failure, and does not wait for ever', () => {
  expect(follow([{ kind: 'ComeBack', after: 7_000 }], FIRST_PACE, 0)).toEqual([
    { pace: FIRST_PACE, delay: 7000 },
  ]);
  expect(follow([{ kind: 'ComeBack', after: 1e12 }], FIRST_PACE, 0)[0]?.delay).toBe(600_000);
});
