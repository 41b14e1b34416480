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
  /** By path, `tests/unit`, and '' for the pipeline itself; a step that never began is not there. */
  readonly steps: Readonly<Record<string, StepRun>>;
}

/**
 * How a step stands. `Pending`: it has not begun, or is to begin again. `Running`: a delegate has its task or will have it,
 * it waits, or steps within it go on. `BackingOff`: it failed and begins again at `until`. The others are ends.
 */
export const STEP_STATES = [
  'Pending',
  'Running',
  'BackingOff',
  'Succeeded',
  'Failed',
  'Skipped',
  'Cancelled',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/** A step that has begun. */
export interface StepRun {
  readonly state: StepState;
  /** How often it began in this execution: never the same twice, so that an event of an earlier attempt is told by it. */
  readonly attempt: number;
  /** Attempts since the steps around it began: what its retry policy counts. */
  readonly tries: number;
  /** When its first attempt began. */
  readonly startedAt: Instant;
  /** When it came to stand as it stands. */
  readonly since: Instant;
  /** When a step that waits goes on, one that backs off begins again, one that is limited gives up: a timer is set for it. */
  readonly until?: Instant;
  /** Absent while it is not at an end. */
  readonly endedAt?: Instant;
  /** What it came to. A sequence and a parallel keep none: theirs is made of those of the steps within. */
  readonly output?: Json;
  /** Bytes of an output that was too large to be kept. */
  readonly droppedBytes?: number;
  /** Of a pipeline that was called: what it was given. */
  readonly input?: Readonly<Record<string, Json>>;
  /** Of an approval that waits: what is asked. */
  readonly message?: string;
  /** Why it failed, was skipped or was cancelled; of one that backs off: why the attempt before failed. */
  readonly error?: string;
}

/** True when it will not go on by itself. */
export function hasEnded(state: StepState): boolean {
  return state !== 'Pending' && state !== 'Running' && state !== 'BackingOff';
}

/** The data of an execution. Throws where a release wrote it that this one does not know. */
export function readData(data: Json): PipelineData {
  const { format } = (data ?? {}) as { readonly format?: unknown };
  if (format !== 1)
    throw new Error(`the data of a pipeline has format ${JSON.stringify(format)}; this release knows 1`);
  return data as unknown as PipelineData;
}

export function toJson(data: PipelineData): Json {
  return data as unknown as Json;
}
