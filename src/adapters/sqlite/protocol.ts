/** What the main thread and the store's worker say to each other: one answer for each call, in the order of the calls. */
import type { AuditEvent } from '../../model/audit.ts';
import type { Measurement } from '../../model/measurement.ts';
import type { Roll } from '../../model/parity.ts';
import type { RolloutId, RolloutRecord } from '../../model/rollout.ts';
import type { TrafficCount, TrafficCoverage } from '../../model/traffic.ts';
import type {
  Commit,
  EventQuery,
  ProxySeen,
  RolloutQuery,
  Store,
  StoredState,
  WatcherChanges,
  WatcherSeen,
} from '../../ports/store.ts';
import type { CallOf } from '../store-thread.ts';
import type { Migration } from './migrations.ts';

/** What the worker is started with. */
export interface WorkerSettings {
  readonly file: string;
  readonly eventsKept: number;
  readonly measurementsKept: number;
  readonly migrations: readonly Migration[];
}

/** The argument and result of each call. */
export type Calls = {
  open: { argument: undefined; result: undefined };
  load: { argument: undefined; result: StoredState };
  commit: { argument: Commit; result: readonly AuditEvent[] };
  saveProxies: { argument: readonly ProxySeen[]; result: undefined };
  watchers: { argument: undefined; result: readonly WatcherSeen[] };
  saveWatchers: { argument: WatcherChanges; result: undefined };
  events: { argument: EventQuery; result: readonly AuditEvent[] };
  rollouts: { argument: RolloutQuery; result: readonly RolloutRecord[] };
  roll: { argument: RolloutId; result: Roll | undefined };
  appendMeasurements: { argument: readonly Measurement[]; result: undefined };
  measurements: { argument: RolloutId; result: readonly Measurement[] };
  saveTraffic: { argument: readonly TrafficCount[]; result: undefined };
  traffic: { argument: Parameters<Store['traffic']>[0]; result: readonly TrafficCount[] };
  saveCoverage: { argument: TrafficCoverage; result: undefined };
  coverage: { argument: Parameters<Store['coverage']>[0]; result: readonly TrafficCoverage[] };
  backup: { argument: string; result: undefined };
  close: { argument: undefined; result: undefined };
};

/** One call. */
export type Call = CallOf<Calls>;
