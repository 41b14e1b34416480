/** What an execution of a pipeline keeps in its `data`: its definition for life, its input, and the state of each step. */
import type { Instant } from '../../model/instant.ts';
import type { Json } from '../../model/json.ts';
import type { Pipeline } from './definition.ts';

/** Stands in `Execution.machine`. */
export const PIPELINE_MACHINE = 'pipeline';

export interface PipelineData {
  /** Of this shape of data. */
  readonly format: 1;
  /** With every pipeline that it calls in its place. */
  readonly pipeline: Pipeline;
  readonly input: Readonly<Record<string, Json>>;
  /** By path, `tests/unit`; a step that has not begun is not there. */
  readonly steps: Readonly<Record<string, StepRun>>;
}

/**
 * How a step stands, beside Pending, which has no entry. `Running`: a delegate has its task or will have it, it waits, or
 * steps within it go on. `BackingOff`: it failed and begins again at `until`. The others are ends.
 */
export const STEP_STATES = ['Running', 'BackingOff', 'Succeeded', 'Failed', 'Skipped', 'Cancelled'] as const;
export type StepState = (typeof STEP_STATES)[number];

/** A step that has begun. */
export interface StepRun {
  readonly state: StepState;
  /** How often it began in this execution: never the same twice, so an event of an earlier attempt is told by it. */
  readonly attempt: number;
  /** Attempts since the steps around it began: what its retry policy counts. */
  readonly tries: number;
  /** When its first attempt began, and this one; of one that was skipped: when. */
  readonly startedAt: Instant;
  readonly since: Instant;
  /** When a step that waits goes on, one that backs off begins again, one that is limited gives up. */
  readonly until?: Instant;
  /** Absent while it is Running or BackingOff. */
  readonly endedAt?: Instant;
  /** What it came to. Only leaves and pipelines keep one: that of other steps is made of those within. */
  readonly output?: Json;
  /** Bytes of an output that was too large to be kept. */
  readonly droppedBytes?: number;
  /** Of a pipeline that was called: what it was given. */
  readonly input?: Readonly<Record<string, Json>>;
  /** Why it failed, was skipped or was cancelled; of one that backs off: why the attempt before failed. */
  readonly error?: string;
}
