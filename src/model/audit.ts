/** What happened, for the audit trail and the event stream: who, what, why, before and after. */
import type { Instant } from './instant.ts';
import type { ServiceName } from './names.ts';

/** One line of history. `sequence` is given by the store and rises without gaps within it. */
export interface AuditEvent {
  readonly sequence: number;
  readonly at: Instant;
  /** Who: an operator's name, or `controller`. */
  readonly actor: string;
  /** What: a verb in CamelCase, for example `Flip`, `SetWeight`, `VersionReady`. */
  readonly action: string;
  readonly service?: ServiceName;
  /** Why: the operator's words or the plan's `because`. */
  readonly reason: string;
  /** One sentence for people. */
  readonly message: string;
  /** The part that changed, as JSON text, before and after; empty where there was none. */
  readonly before: string;
  readonly after: string;
}

/** An event before the store has numbered it. */
export type NewAuditEvent = Omit<AuditEvent, 'sequence'>;
