/**
 * What a scrape reads from the running controller. The views of operations have these fields; they are named here so
 * that telemetry imports no one but the model and the ports.
 */
import type { Check } from '../model/check.ts';
import type { BoxVersionState } from '../model/goal-state.ts';
import type { Instance } from '../model/instance.ts';
import type { CheckRun, Verdict } from '../model/measurement.ts';
import type { VersionName } from '../model/names.ts';
import type { RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord, VersionRecord } from '../model/state.ts';

/** The state of the controller at one moment. */
export interface Facts {
  /** Whether proxies are served. */
  readonly ready: boolean;
  /** The newest publication; 0 before the first. */
  readonly publication: number;
  readonly services: readonly ServiceFacts[];
  readonly proxies: readonly ProxyFacts[];
  readonly accessLog: AccessLogFacts;
}

/** Gauges that a scrape fills from the facts, a service at a time. */
export interface Filler {
  /** Forgets the scrape before, and shows what belongs to no service. */
  begin(facts: Facts): void;
  service(service: ServiceFacts): void;
}

/** What became of the entries of access logs that arrived since the start. */
export interface AccessLogFacts {
  /** Proxies that report now. */
  readonly proxies: number;
  /** Requests that ended and were counted. */
  readonly counted: number;
  /** Entries of services that nobody knows, and of streams that go on. */
  readonly notOurs: number;
  /** Entries that could not be read or counted. */
  readonly lost: number;
}

export interface ServiceFacts {
  readonly record: ServiceRecord;
  readonly versions: readonly VersionFacts[];
  /** What is wrong now, in sentences. */
  readonly alerts: readonly string[];
  /** The rollout that goes on, or the last one; absent before the first. */
  readonly rollout?: RolloutFacts;
  /** Absent where nobody runs delegates. */
  readonly delegates?: DelegateFacts;
}

/** The delegates of a service, in numbers. */
export interface DelegateFacts {
  readonly watchers: { readonly connected: number; readonly away: number };
  /** Of goal states; 0: none was made. */
  readonly generation: number;
  /** Waves that have halted. */
  readonly halted: number;
  readonly versions: readonly VersionDelegateFacts[];
}

export interface VersionDelegateFacts {
  readonly version: VersionName;
  /** Boxes by what their watchers that are connected say of it. */
  readonly states: ReadonlyMap<BoxVersionState, number>;
  /** Delegates that have a stream to it, as the source says; absent: not known. */
  readonly connected?: number;
}

export interface RolloutFacts {
  readonly record: RolloutRecord;
  /** All steps of the walk in order. */
  readonly steps: readonly { readonly progress: 'Done' | 'Current' | 'Ahead' }[];
  /** Percent of default traffic that the candidate was given. */
  readonly setWeight: number;
  /** What the proxies reported; absent where none did. */
  readonly actualWeight?: { readonly percent: number; readonly requests: number };
  readonly checks: readonly { readonly check: Check; readonly run: CheckRun }[];
  /** Absent where the present step has no checks. */
  readonly verdict?: Verdict;
  /** Open work of versions that drain; `open` is absent where it is unknown. */
  readonly openWork: readonly { readonly version: VersionName; readonly open?: number }[];
  readonly wayBack: { readonly isReady: boolean };
  /** Delegates of the candidate as the gate counts them; absent where it waits for none, or they are not known. */
  readonly delegates?: { readonly ready: number; readonly expected: number };
}

export interface VersionFacts {
  readonly record: VersionRecord;
  readonly instances: readonly Instance[];
  readonly readyEndpoints: number;
  /** Percent of default traffic. */
  readonly weight: number;
}

export interface ProxyFacts {
  readonly kind: 'envoy' | 'grpc';
  readonly connected: boolean;
  readonly inSync: boolean;
  /** Whether it has rejected something that it is still to take. */
  readonly rejecting: boolean;
  /** The newest publication that it has acknowledged in full. */
  readonly publication: number;
}
