/** What a watcher is told on its box: who it is, by whoever installed it, and what the customer allows. */
import type { WatcherIdentity, WatcherReport } from './goal-state.ts';
import type { Instant, Milliseconds } from './instant.ts';
import type { MaintenanceWindow } from './spec.ts';

/** The document of kind `Watcher`, with every default filled in. */
export interface WatcherSettings {
  readonly identity: Omit<WatcherIdentity, 'release'>;
  readonly controller: ControllerAddress;
  readonly publicKeyFiles: readonly string[];
  /** Absent: the defaults of a policy hold. */
  readonly policyFile?: string;
  readonly dataFolder: string;
  /** Ports that delegates are given, both ends included. */
  readonly ports: { readonly from: number; readonly to: number };
  readonly environment: Readonly<Record<string, string>>;
  /** A version that is not ready so long after its start is reported as never healthy. */
  readonly startDeadline: Milliseconds;
}

/** Where a watcher finds its controller. */
export interface ControllerAddress {
  /** `host:port`. */
  readonly address: string;
  readonly tls: boolean;
  /** Certificates that are trusted instead of the system's. */
  readonly caFile?: string;
}

/** The document of kind `WatcherPolicy`, with every default filled in. */
export interface WatcherPolicy {
  /** When versions may be fetched, started and drained; empty: at any time. */
  readonly windows: readonly MaintenanceWindow[];
  readonly maxVersions: number;
  /** Patterns: `*` stands for any characters. */
  readonly allowedVersions: readonly string[];
  /** `*`, `*.example.com`, or a host; files are of `localhost`. */
  readonly allowedHosts: readonly string[];
  readonly decommission: boolean;
  readonly limits: WatcherLimits;
  /** Absent: a drain may last for ever. */
  readonly drainTimeout?: Milliseconds;
}

/** What the delegates of each version may use. Sizes in bytes. */
export interface WatcherLimits {
  /** Of each process; absent: no limit. */
  readonly memory?: number;
  /** 0 to 19. */
  readonly niceness: number;
  /** Of artifacts and delegates' data together; absent: no limit. */
  readonly disk?: number;
  /** That stays free. */
  readonly keepFree: number;
  readonly artifact: number;
}

/** What a watcher says on its own box, to `switchyard watcher status`. */
export interface WatcherStatus {
  readonly identity: WatcherIdentity;
  readonly report: WatcherReport;
  /** The way to the controller; while there is none the box goes on with the goal state that it has. */
  readonly link:
    | { readonly kind: 'Connected'; readonly since: Instant; readonly way: 'Stream' | 'Poll' }
    | { readonly kind: 'Connecting'; readonly since: Instant; readonly reason: string };
  /** Why the controller has no goal state for this box; empty where it has. */
  readonly answer: string;
  /** The slot that the watcher runs from, `a` or `b`; `installed` where it was never upgraded. */
  readonly slot: string;
  /** Releases of the watcher that were tried and did not prove themselves. */
  readonly badReleases: readonly string[];
  /** When this was said. */
  readonly at: Instant;
}
