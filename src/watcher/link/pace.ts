/**
 * How a watcher asks again: by a stream while streams live, by polls where they do not, and ever more slowly while nobody
 * answers. Pure.
 */
import { type Backoff, retryDelay } from '../../model/backoff.ts';
import { after, type Instant, type Milliseconds } from '../../model/instant.ts';

export interface Pace {
  readonly way: 'Stream' | 'Poll';
  /** In a row. */
  readonly failures: number;
  /** Streams in a row that did not live. */
  readonly shortStreams: number;
  /** When a stream is tried again by one that polls. */
  readonly streamAgainAt: Instant | undefined;
  /** How long polls go on before that: ever longer where streams do not live. */
  readonly pollsFor: Milliseconds;
}

/** A controller that was away for a moment is no reason to do without streams for long. */
const FIRST_POLLS: Milliseconds = 10_000;
const LONGEST_POLLS: Milliseconds = 10 * 60_000;

export const FIRST_PACE: Pace = {
  way: 'Stream',
  failures: 0,
  shortStreams: 0,
  streamAgainAt: undefined,
  pollsFor: FIRST_POLLS,
};

/** How an attempt ended. */
export type Ending =
  /** A stream that had been answered. */
  | { readonly kind: 'StreamEnded'; readonly lived: Milliseconds }
  | { readonly kind: 'Polled'; readonly interval: Milliseconds }
  | { readonly kind: 'Failed' }
  /** It was asked to come back. */
  | { readonly kind: 'ComeBack'; readonly after: Milliseconds };

export interface Next {
  readonly pace: Pace;
  readonly delay: Milliseconds;
}

const BACKOFF: Backoff = { initial: 1_000, max: 60_000 };
const LONGEST_COME_BACK: Milliseconds = 10 * 60_000;
/** A stream that lived so long is one that lives. */
const LIVES: Milliseconds = 60_000;
/** So many streams that did not live, and polls are tried. */
const ENOUGH_SHORT = 3;

/** `random` is from 0 to below 1: those that were cut off together must not come back together. */
export function nextAttempt(input: {
  readonly pace: Pace;
  readonly ending: Ending;
  readonly now: Instant;
  readonly random: number;
}): Next {
  const { pace, ending, now, random } = input;
  switch (ending.kind) {
    case 'ComeBack': {
      const delay = Math.min(ending.after, LONGEST_COME_BACK);
      return { pace, delay: Math.round(delay * (1 + random / 10)) };
    }
    case 'StreamEnded': {
      if (ending.lived >= LIVES)
        return { pace: FIRST_PACE, delay: retryDelay({ ...BACKOFF, failures: 1, random }) };
      return again({ ...pace, shortStreams: pace.shortStreams + 1 }, random);
    }
    case 'Polled': {
      const streamAgainAt = pace.streamAgainAt ?? after(now, pace.pollsFor);
      const delay = Math.round(ending.interval * (0.9 + random / 5));
      if (after(now, delay) < streamAgainAt) {
        return { pace: { ...pace, failures: 0, streamAgainAt }, delay };
      }
      const pollsFor = Math.min(LONGEST_POLLS, pace.pollsFor * 2);
      // If it does not live either, it polls again at once.
      const shortStreams = ENOUGH_SHORT - 1;
      return {
        pace: { ...FIRST_PACE, shortStreams, pollsFor },
        delay: Math.max(0, Math.round((streamAgainAt - now) * (0.9 + random / 10))),
      };
    }
    case 'Failed':
      // Where a poll fails too, nobody is there, and streams are not to blame.
      return again(
        pace.way === 'Stream'
          ? { ...pace, shortStreams: pace.shortStreams + 1 }
          : { ...pace, way: 'Stream', shortStreams: 0 },
        random,
      );
  }
}

/** After a failure. Where streams have not lived for a while, a poll shows whether the way is the reason. */
function again(pace: Pace, random: number): Next {
  const failures = pace.failures + 1;
  const poll = pace.way === 'Stream' && pace.shortStreams >= ENOUGH_SHORT;
  return {
    pace: { ...pace, failures, streamAgainAt: undefined, ...(poll && { way: 'Poll' }) },
    delay: retryDelay({ ...BACKOFF, failures, random }),
  };
}
