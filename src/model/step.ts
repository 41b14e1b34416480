/** What a state machine decides for one event of an execution. */
import type { Milliseconds } from './instant.ts';
import type { Json } from './json.ts';
import type { ExecutionState } from './workflow.ts';

/** What a step appends, beside the execution's new state. */
export interface NewEvent {
  readonly kind: string;
  readonly payload: Json;
  /** Absent: at once. */
  readonly delay?: Milliseconds;
}

export interface NewTask {
  readonly key: string;
  readonly kind: string;
  readonly payload: Json;
  readonly tags: readonly string[];
  readonly timeout: Milliseconds;
  readonly maxAttempts: number;
  /** Absent: at once. */
  readonly delay?: Milliseconds;
}

/**
 * A step as a machine decided it. When it ends the execution, all its other events and its open tasks go with it; a
 * delegate that works on one learns it by its next renewal.
 */
export interface Step {
  readonly data: Json;
  readonly events: readonly NewEvent[];
  readonly tasks: readonly NewTask[];
  /** Keys of open tasks to take back. */
  readonly cancelTasks: readonly string[];
  /** Kinds of delayed events that are not wanted any more, each with the payload that it was appended with. */
  readonly cancelEvents: readonly { readonly kind: string; readonly payload: Json }[];
  /** Remarks for the history: what the machine calls the part, and a sentence. */
  readonly notes: readonly { readonly step: string; readonly detail: string }[];
  readonly end?: {
    readonly state: Exclude<ExecutionState, 'Running'>;
    readonly result?: Json;
    readonly error: string;
  };
}
