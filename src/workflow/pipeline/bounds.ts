/**
 * How large a pipeline may be, and what holds where it says nothing. Together the bounds keep the state of an execution
 * below what a store takes (1 MiB): definition, input, kept outputs, and the state of each step with its error.
 */
import type { RetryPolicy } from './definition.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps within steps, sub-pipelines included. */
export const MAX_DEPTH = 8;
/** Steps of all levels, sub-pipelines included. */
export const MAX_STEPS = 300;
/** Of the definition with its sub-pipelines, as JSON. */
export const MAX_DEFINITION_BYTES = 128 * 1024;
export const MAX_INPUTS = 50;
/** Of the input of an execution, as JSON. */
export const MAX_INPUT_BYTES = 32 * 1024;
/** Of the output of one step, as JSON. A larger one is not kept. */
export const MAX_OUTPUT_BYTES = 128 * 1024;
/** Of all outputs and inputs of sub-pipelines of an execution together, as JSON. */
export const MAX_KEPT_BYTES = 256 * 1024;
/** Of the payload of a task, as JSON. */
export const MAX_TASK_BYTES = 256 * 1024;
/** UTF-16 units of an error that is kept. */
export const MAX_ERROR_LENGTH = 300;

/** Least and most; durations in milliseconds. */
export type Range = readonly [number, number];

export const RANGES = {
  timeout: [SECOND, 30 * DAY],
  wait: [1, 30 * DAY],
  attempts: [1, 100],
  backoff: [0, HOUR],
  factor: [1, 10],
  maxBackoff: [0, DAY],
  maxAttempts: [1, 100],
  status: [100, 599],
} as const satisfies Record<string, Range>;

/** The most elements of a list or mapping. */
export const SIZES = {
  env: 100,
  headers: 50,
  tags: 20,
  approvers: 50,
  expectStatus: 20,
  steps: 100,
} as const;

/** The most characters of a text. */
export const LENGTHS = { command: 32_768, url: 4_096, value: 32_768, path: 1_024, word: 128, message: 1_024 };

/** What holds where nothing is said. */
export const DEFAULTS = {
  pipelineTimeout: DAY,
  taskTimeout: 10 * MINUTE,
  approvalTimeout: DAY,
  maxAttempts: 3,
  method: 'GET',
  onFailure: 'CancelOthers',
} as const;

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 3,
  backoff: SECOND,
  factor: 2,
  maxBackoff: 5 * MINUTE,
};

const STEP_NAME = /^[a-z][a-z0-9_-]{0,62}$/i;
/** What the name of a step, an input or a pipeline must look like, in words for error messages. */
export const STEP_NAME_RULE = 'letters, digits, "-" and "_", 1 to 63 characters, beginning with a letter';

/** Whether `text` may be the name of a step, an input or a pipeline. */
export function isStepName(text: string): boolean {
  return STEP_NAME.test(text);
}

/** Bytes of a value as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? '').length;
}
