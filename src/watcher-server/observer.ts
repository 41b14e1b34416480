/** What the watcher server tells of itself, for metrics and the log. */
import type { Milliseconds } from '../model/instant.ts';

/** How a watcher that came was received. `Later`: it was asked to come back. `Refused`: it can never be served like this. */
export type Reception = 'Admitted' | 'Later' | 'Refused';

export interface WatcherObserver {
  received?(event: { readonly way: 'follow' | 'poll'; readonly reception: Reception }): void;
  /** A stream was refused or ended by the server, and why. */
  ended?(event: { readonly address: string; readonly reason: string }): void;
  /** An answer went out; `waited`: since it was known to have changed. */
  told?(event: { readonly waited: Milliseconds }): void;
  /** An error that no watcher caused. */
  fault?(error: unknown): void;
}
