/**
 * How many watchers are let in at a time: when a controller restarts, thousands come at once, and each needs a goal state.
 * Pure: the time is given. Those that are not let in are told when to come back, each at a time of its own, so that
 * they come at the rate at which they can be served.
 */
import type { Instant, Milliseconds } from '../model/instant.ts';

export interface AdmissionRate {
  /** Watchers in a second. */
  readonly perSecond: number;
  /** Watchers that are let in at once after a quiet time. */
  readonly burst: number;
}

export type Admitted =
  | { readonly kind: 'Admitted' }
  | { readonly kind: 'Later'; readonly after: Milliseconds };

/** The latest that anybody is asked to come back: beyond it a place in the row is worth nothing. */
export const LATEST_RETRY: Milliseconds = 60_000;

/** A bucket of tokens that fills at the rate, and behind it the row of those that were told to come back. */
export class Admission {
  readonly #interval: Milliseconds;
  readonly #burst: number;
  #tokens: number;
  #filledAt: Instant | undefined;
  /** When the next one that is sent away should be back. */
  #nextReturn = 0;

  constructor({ perSecond, burst }: AdmissionRate) {
    this.#interval = 1000 / perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Lets one in, or says after how many milliseconds it should come back. */
  admit(now: Instant): Admitted {
    this.#fill(now);
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return { kind: 'Admitted' };
    }
    const back = Math.max(this.#nextReturn, now) + this.#interval;
    this.#nextReturn = Math.min(back, now + LATEST_RETRY);
    return { kind: 'Later', after: Math.ceil(this.#nextReturn - now) };
  }

  #fill(now: Instant): void {
    const passed = Math.max(0, now - (this.#filledAt ?? now));
    this.#tokens = Math.min(this.#burst, this.#tokens + passed / this.#interval);
    this.#filledAt = now;
  }
}
