/** How watchers reach the controller: one connects or polls, says how its box stands, and is told what should run there. */
import type { GoalState, WatcherIdentity, WatcherReport } from '../model/goal-state.ts';

/** What a watcher is told. Without a goal state nothing is to be stopped; `reason`, one sentence, says why there is none. */
export type GoalAnswer =
  | { readonly kind: 'Goal'; readonly goal: GoalState }
  | { readonly kind: 'NoGoal'; readonly reason: string };

/** Told by the controller of what concerns a connected watcher. */
export interface WatcherListener {
  /** The answer may have changed. */
  changed(): void;
  /** Another connection says that it is this watcher: this one counts no more. */
  replaced(): void;
}

/** A watcher that stays connected. */
export interface WatcherConnection {
  /** What it says of its box. */
  report(report: WatcherReport): void;
  /** What it should be told now, which it is then taken to have been told; undefined: nothing, or nothing before it reports. */
  answer(): GoalAnswer | undefined;
  /** It has gone. Once is enough; later calls do nothing. */
  close(): void;
}

/** Why a watcher is not served. */
export type WatcherRefusal = 'UnknownService' | 'TooMany' | 'OtherTenant';

export class WatcherRefusedError extends Error {
  override readonly name = 'WatcherRefusedError';
  readonly refusal: WatcherRefusal;
  constructor(refusal: WatcherRefusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

export interface Watchers {
  /** Throws WatcherRefusedError. */
  connect(identity: WatcherIdentity, listener: WatcherListener): WatcherConnection;
  /** The same for a watcher that comes and goes. Throws WatcherRefusedError. */
  poll(identity: WatcherIdentity, report: WatcherReport): GoalAnswer;
}
