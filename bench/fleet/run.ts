/**
 * One run of the benchmark of fleets: watchers and delegates come, are told of new versions, and come again after kill -9
 * of what they were connected to.
 */
import type { Arrivals } from './load.ts';
import type { Reads } from './reads.ts';

export interface RunOptions {
  readonly watchers: number;
  readonly delegates: number;
  readonly tenants: number;
  /** Versions that watchers are told of, one after the other. */
  readonly versions: number;
  /** Time in which nothing happens, before what is measured at rest and while it is. */
  readonly restMs: number;
  /** The program of the load. */
  readonly load: string;
}

/** What both sides of the comparison measure. Memory is KB for each stream, processor time microseconds for each. */
export interface Figures {
  readonly watchers: Held;
  readonly delegates: Held;
  /** One for each version; since the order. */
  readonly informed: readonly Informed[];
}

export interface Held {
  readonly memoryKb: number;
  readonly comeCpuUs: number;
  /** After kill -9 and a start at once; times since the kill. */
  readonly again: Arrivals;
  readonly againCpuUs: number;
  /** Milliseconds from the kill until the process that was started in its place listened. */
  readonly restartMs: number;
}

export interface Informed extends Arrivals {
  readonly cpuUs: number;
}

/** What only we have. */
export interface OurFigures extends Figures {
  /** The part of memory that is JavaScript's. */
  readonly watcherHeapKb: number;
  /** Memory of the gateway for each stream of a delegate. */
  readonly gatewayKb: number;
  /** Reads of the admin API: nobody is connected; all are and nothing happens; all are told of a version, once for each. */
  readonly reads: { readonly alone: Reads; readonly atRest: Reads; readonly telling: readonly Reads[] };
  /** Milliseconds from an order until the gateway has what follows from it: nobody is connected, and all are told. */
  readonly gatewayMs: { readonly alone: number; readonly telling: readonly number[] };
  /** Milliseconds until the order is committed and answered. */
  readonly commitMs: { readonly alone: number; readonly telling: readonly number[] };
  /** All are connected and nothing happens: processor time in percent of one processor. */
  readonly atRestPercent: {
    readonly controller: number;
    readonly managers: number;
    readonly gateway: number;
  };
}
