/** Tells the world outside of events: signed, retried, in order for each receiver, and never in anybody's way. */
import type { AuditEvent } from '../model/audit.ts';
import type { Notification } from '../model/spec.ts';

export interface Notifier {
  /**
   * Takes the event and returns at once; one whose action the receiver did not ask for is left out. What cannot be
   * delivered after all retries is logged and counted.
   */
  notify(receiver: Notification, event: AuditEvent): void;
  /** Gives up what is still waiting. */
  close(): Promise<void>;
}
