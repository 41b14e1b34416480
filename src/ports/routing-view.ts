/**
 * What is recorded, as a replica that does not write it sees it: enough to serve proxies. It may be behind what the leader has
 * committed, never ahead, never half of a change, and it does not go back.
 */
import type { ServiceRecord } from '../model/state.ts';

export interface RoutingView {
  /** True from when everything was read, and each service is known whole. Before, proxies are to be refused (rule 7). */
  readonly isSynced: boolean;
  /** Whether anything was ever recorded: an empty record that meets configured proxies answers nothing (rule 7). */
  readonly everWritten: boolean;
  /** Sorted by name. */
  services(): readonly RoutedService[];
  /** All changes up to this number are shown; 0 where none has one. It does not go back. */
  readonly publication: number;
  /** Of the newest leader that has written anything; -1 before the first. */
  readonly term: number;
  /** Why it may be behind; empty: it follows. */
  readonly trouble: string;
  /** Calls back after each change, the first complete reading included. Returns the way to stop that. */
  subscribe(listener: () => void): () => void;
}

export interface RoutedService {
  readonly record: ServiceRecord;
  /** The number under which the record was published; 0 where that was not said. */
  readonly publication: number;
}
