import { expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import type { Step } from '../../../src/model/step.ts';
import type { EventId, Execution, ExecutionState } from '../../../src/model/workflow.ts';
import { decide } from '../../../src/workflow/decide.ts';
import type { Machine, StepInput } from '../../../src/workflow/machine.ts';

const asked: Step = {
  data: 'changed',
  events: [],
  tasks: [],
  cancelTasks: [],
  cancelEvents: [],
  notes: [{ step: '', detail: 'asked' }],
};
const machine: Machine = { name: 'm', step: () => asked };

function input(state: ExecutionState, kind: string): StepInput {
  const execution = { state, data: 'kept' } as unknown as Execution;
  const event = { id: 'e' as EventId, kind } as StepInput['event'];
  return { execution, event, now: instant(1) };
}

test.each([
  ['Running', 'Start'],
  ['Running', 'Retry'],
  ['Failed', 'Retry'],
] as const)('an execution that is %s gets %s: the machine decides', (state, kind) => {
  expect(decide(machine, input(state, kind))).toBe(asked);
});

test.each([
  ['Succeeded', 'TaskFinished'],
  ['Succeeded', 'Retry'],
  ['Cancelled', 'Retry'],
  ['Failed', 'Timer'],
] as const)(
  'an execution that is %s gets %s: nothing changes, and the machine is not asked',
  (state, kind) => {
    expect(decide(machine, input(state, kind))).toMatchObject({
      data: 'kept',
      events: [],
      tasks: [],
      notes: [],
    });
  },
);
