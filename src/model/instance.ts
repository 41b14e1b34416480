/** The instances of versions, as a runtime observes them. */
import type { Instant } from './instant.ts';
import type { ServiceName, VersionName } from './names.ts';
import type { SocketAddress } from './spec.ts';

/** `Ready` takes requests; `Unready` runs and does not; `Failed` is down and waits for its next start. */
export type InstanceState = 'Starting' | 'Ready' | 'Unready' | 'Failed' | 'Stopping';

/** One running (or failing) copy of a version. */
export interface Instance {
  /** Unique for the life of the instance, for example `manager-v42-1-7f3a`. */
  readonly id: string;
  readonly service: ServiceName;
  readonly version: VersionName;
  readonly address: SocketAddress;
  readonly state: InstanceState;
  /** Why, in words for an operator. */
  readonly reason: string;
  readonly since: Instant;
  readonly restarts: number;
  /** Where it runs, as its runtime calls such a place; absent: not told. */
  readonly zone?: string;
  /** It ended too often, for which this is the reason: it is not started again. Absent: it is. */
  readonly givenUp?: string;
}
