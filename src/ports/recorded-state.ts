/**
 * What is recorded, as a replica sees it that does not write: from a cache of its own that follows the leader's writes.
 */
import type { ServiceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';

export interface RecordedState {
  /** The records, all of one commit. */
  records(): ReadonlyMap<ServiceName, ServiceRecord>;
  /** The number of the newest commit that `records` shows; rises with every commit, whoever leads. 0: nothing was committed. */
  readonly commit: number;
  /** Whether it has been read once; before, `records` says nothing. */
  readonly isLoaded: boolean;
  /** Calls back after each change. Returns the way to stop that. */
  subscribe(listener: () => void): () => void;
}
