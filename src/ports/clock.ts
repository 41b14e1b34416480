/** The only way to the time of day. Pure code receives instants as fields instead. */
import type { Instant, Milliseconds } from '../model/instant.ts';

export interface Clock {
  now(): Instant;
  /** Resolves after `length`; rejects with the signal's reason when it is aborted first. */
  sleep(length: Milliseconds, signal: AbortSignal): Promise<void>;
}
