/**
 * What a manager's author writes: a state machine as a pure function. The library calls it once for each event of an
 * execution and again where another event was applied in between, so it must not do anything but decide.
 */
import type { Instant } from '../model/instant.ts';
import type { Step } from '../model/step.ts';
import type { Execution, WorkflowEvent } from '../model/workflow.ts';

/** One kind of execution. */
export interface Machine {
  /** Stands in `Execution.machine`. */
  readonly name: string;
  /** The step that the event leads to. What it throws is a fault of the machine: the event is given back, and given up in the end. */
  step(input: StepInput): Step;
}

export interface StepInput {
  readonly execution: Execution;
  readonly event: WorkflowEvent;
  readonly now: Instant;
}
