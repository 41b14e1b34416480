/** Who is told of history, and of what somebody should look at. */
import type { AuditEvent } from '../../../model/audit.ts';
import type { Measurement } from '../../../model/measurement.ts';
import type { RolloutRecord } from '../../../model/rollout.ts';
import type { TrafficCount } from '../../../model/traffic.ts';

/** Told in the order in which things happened, once they are committed. It must not throw, and nobody waits for it. */
export interface StoreObserver {
  happened(events: readonly AuditEvent[]): void;
  /** Rollouts that have ended, each as it ended. */
  ended(rollouts: readonly RolloutRecord[]): void;
  measured(measurements: readonly Measurement[]): void;
  counted(counts: readonly TrafficCount[]): void;
  /** One sentence: what did not go well, although nobody was refused anything. */
  trouble(sentence: string): void;
}
