/**
 * A pipeline as data: what it takes, its steps, and what it comes to. A YAML document and the functions of `build.ts`
 * make the same. Text and JSON in it may hold `${...}` references, which are replaced when a step begins (`template.ts`).
 */
import type { Milliseconds } from '../../model/instant.ts';
import type { Json } from '../../model/json.ts';

export interface Pipeline {
  readonly name: string;
  /** From the start of an execution to its end, whatever it waits for. */
  readonly timeout: Milliseconds;
  readonly inputs: readonly PipelineInput[];
  /** One after the other. */
  readonly steps: readonly PipelineStep[];
  /** What it comes to, with references to its steps and inputs; absent: the output of its last step. */
  readonly output?: Json;
}

export interface PipelineInput {
  readonly name: string;
  /** Absent: it must be given. */
  readonly default?: Json;
}

export type PipelineStep =
  | ShellStep
  | HttpStep
  | WaitStep
  | ApprovalStep
  | SequenceStep
  | ParallelStep
  | SubPipelineStep;

interface StepFacts {
  /** Unique among the steps beside it. */
  readonly name: string;
  /** Where it does not hold as the step would begin, the step is skipped. */
  readonly when?: Condition;
  /** Absent: the first failure is final. */
  readonly retry?: RetryPolicy;
}

/** What a delegate needs to do a step. */
interface DelegateFacts {
  /** Tags that a delegate must have, all of them. */
  readonly tags: readonly string[];
  /** How long a delegate may take; the time until a delegate has it is not counted. */
  readonly timeout: Milliseconds;
  /** How many delegates may be given one attempt, where those before were lost with it. */
  readonly maxAttempts: number;
}

/** A command for `/bin/sh -c`. Nothing is replaced in the command: values come by `env`. */
export interface ShellStep extends StepFacts, DelegateFacts {
  readonly kind: 'shell';
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** Below the delegate's folder for the task; empty: that folder. */
  readonly workingDirectory: string;
}

export interface HttpStep extends StepFacts, DelegateFacts {
  readonly kind: 'http';
  readonly method: HttpMethod;
  /** A reference that it begins with is taken as it is; others are percent-encoded. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Text is sent as it is, anything else as JSON; absent: none. */
  readonly body?: Json;
  /** Answers that are a success; empty: 200 to 299. */
  readonly expectStatus: readonly number[];
}

export interface WaitStep extends StepFacts {
  readonly kind: 'wait';
  readonly duration: Milliseconds;
}

/** Waits for a person. A rejection and the timeout are failures. */
export interface ApprovalStep extends StepFacts {
  readonly kind: 'approval';
  /** Who may decide; empty: everybody whom the manager lets. */
  readonly approvers: readonly string[];
  /** What is asked; may be empty. */
  readonly message: string;
  readonly timeout: Milliseconds;
}

interface ContainerFacts extends StepFacts {
  /** For one attempt of all that is in it; absent: no limit of its own. */
  readonly timeout?: Milliseconds;
}

/** Steps one after the other. The first failure is its failure; its output is that of its last step. */
export interface SequenceStep extends ContainerFacts {
  readonly kind: 'sequence';
  readonly steps: readonly PipelineStep[];
}

/** Steps beside each other. Its output has that of each step under the step's name. */
export interface ParallelStep extends ContainerFacts {
  readonly kind: 'parallel';
  readonly steps: readonly PipelineStep[];
  readonly onFailure: OnFailure;
}

/** Another pipeline as a step. It sees its own inputs only. */
export interface SubPipelineStep extends ContainerFacts {
  readonly kind: 'pipeline';
  /** Its name, until `expandPipeline` has put the pipeline itself here. */
  readonly pipeline: string | Pipeline;
  readonly input: Readonly<Record<string, Json>>;
}

export interface RetryPolicy {
  /** All attempts, the first included. */
  readonly attempts: number;
  /** Before the second attempt. */
  readonly backoff: Milliseconds;
  /** What the wait is multiplied by before each further attempt. */
  readonly factor: number;
  readonly maxBackoff: Milliseconds;
}

/** Compares a value with one that was written down. */
export interface Condition {
  readonly kind: 'Equals' | 'NotEquals';
  /** With references. */
  readonly value: Json;
  readonly operand: Json;
}

/**
 * What a parallel does when a step in it has failed. `CancelOthers`: takes the others back, and fails. `FinishOthers`:
 * lets them end, then fails. `Continue`: lets them end and succeeds; a step that failed has the output null.
 */
export const ON_FAILURE = ['CancelOthers', 'FinishOthers', 'Continue'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof HTTP_METHODS)[number];

/** The steps within a step, one level down. */
export function childrenOf(step: PipelineStep): readonly PipelineStep[] {
  if (step.kind === 'sequence' || step.kind === 'parallel') return step.steps;
  if (step.kind === 'pipeline' && typeof step.pipeline !== 'string') return step.pipeline.steps;
  return [];
}
