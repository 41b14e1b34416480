/**
 * Pipelines written in TypeScript: one function for each kind of step, with the defaults of a YAML document filled in.
 *
 *     pipeline('release', [
 *       shell('build', 'make'),
 *       parallel('checks', [shell('unit', 'make test'), retry({ attempts: 3 }, shell('e2e', 'make e2e'))]),
 *     ])
 *
 * The functions check nothing: `startPipeline` and `checkPipeline` do.
 */
import type { Json } from '../../model/json.ts';
import { DEFAULT_RETRY, DEFAULTS } from './bounds.ts';
import type {
  ApprovalStep,
  Condition,
  HttpStep,
  ParallelStep,
  Pipeline,
  PipelineStep,
  RetryPolicy,
  SequenceStep,
  ShellStep,
  SubPipelineStep,
  WaitStep,
} from './definition.ts';

type Options<Step extends PipelineStep> = Partial<Omit<Step, 'kind' | 'name' | 'when' | 'retry'>>;

const delegateDefaults = { tags: [], timeout: DEFAULTS.taskTimeout, maxAttempts: DEFAULTS.maxAttempts };

/** A pipeline of these steps, one after the other. */
export function pipeline(
  name: string,
  steps: readonly PipelineStep[],
  options: Partial<Omit<Pipeline, 'name' | 'steps'>> = {},
): Pipeline {
  return { name, timeout: DEFAULTS.pipelineTimeout, inputs: [], ...options, steps };
}

export function shell(
  name: string,
  command: string,
  options: Omit<Options<ShellStep>, 'command'> = {},
): ShellStep {
  return { kind: 'shell', name, command, env: {}, workingDirectory: '', ...delegateDefaults, ...options };
}

export function http(name: string, url: string, options: Omit<Options<HttpStep>, 'url'> = {}): HttpStep {
  const defaults = { method: DEFAULTS.method, headers: {}, expectStatus: [], ...delegateDefaults };
  return { kind: 'http', name, url, ...defaults, ...options };
}

/** `duration` in milliseconds. */
export function wait(name: string, duration: number): WaitStep {
  return { kind: 'wait', name, duration };
}

export function approval(name: string, options: Options<ApprovalStep> = {}): ApprovalStep {
  return {
    kind: 'approval',
    name,
    approvers: [],
    message: '',
    timeout: DEFAULTS.approvalTimeout,
    ...options,
  };
}

export function sequence(
  name: string,
  steps: readonly PipelineStep[],
  options: Omit<Options<SequenceStep>, 'steps'> = {},
): SequenceStep {
  return { kind: 'sequence', name, steps, ...options };
}

export function parallel(
  name: string,
  steps: readonly PipelineStep[],
  options: Omit<Options<ParallelStep>, 'steps'> = {},
): ParallelStep {
  return { kind: 'parallel', name, steps, onFailure: DEFAULTS.onFailure, ...options };
}

/** Another pipeline: itself, or the name under which it will be found. */
export function subPipeline(
  name: string,
  called: string | Pipeline,
  options: Omit<Options<SubPipelineStep>, 'pipeline'> = {},
): SubPipelineStep {
  return { kind: 'pipeline', name, pipeline: called, input: {}, ...options };
}

/** The step with attempts after a failure. */
export function retry<Step extends PipelineStep>(policy: Partial<RetryPolicy>, step: Step): Step {
  return { ...step, retry: { ...DEFAULT_RETRY, ...policy } };
}

/** The step, to be skipped unless `value` is `operand` when it would begin. */
export function when<Step extends PipelineStep>(value: Json, operand: Json, step: Step): Step {
  const condition: Condition = { kind: 'Equals', value, operand };
  return { ...step, when: condition };
}

/** The step, to be skipped where `value` is `operand` when it would begin. */
export function unless<Step extends PipelineStep>(value: Json, operand: Json, step: Step): Step {
  const condition: Condition = { kind: 'NotEquals', value, operand };
  return { ...step, when: condition };
}
