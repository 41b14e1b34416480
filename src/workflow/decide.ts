/** The step that an event leads to, for executions that run and for those that have ended. Pure. */
import type { Step } from '../model/step.ts';
import type { Machine, StepInput } from './machine.ts';

/**
 * Asks the machine, unless the execution has ended: then nothing changes, but for a `Retry` of one that failed. Throws
 * what the machine throws.
 */
export function decide(machine: Machine, input: StepInput): Step {
  const { execution, event } = input;
  const isLate = execution.state !== 'Running' && !(execution.state === 'Failed' && event.kind === 'Retry');
  return isLate ? unchanged(input) : machine.step(input);
}

function unchanged({ execution }: StepInput): Step {
  return {
    data: execution.data,
    events: [],
    tasks: [],
    cancelTasks: [],
    cancelEvents: [],
    notes: [],
  };
}
