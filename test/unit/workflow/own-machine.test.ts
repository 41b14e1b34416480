import { expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import type { Json } from '../../../src/model/json.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import type { EventId, Execution, ExecutionId } from '../../../src/model/workflow.ts';
import { decide } from '../../../src/workflow/decide.ts';
import { regionsMachine } from '../../support/workflow/regions-machine.ts';

const NOW = instant(1_000);
const identity = { tenant: tenantName('acme'), version: versionName('v1'), priority: 5 };

function executionOf(data: Json, state: Execution['state'] = 'Running'): Execution {
  const times = { startedAt: NOW, updatedAt: NOW };
  return {
    id: 'x1' as ExecutionId,
    ...identity,
    machine: 'regions',
    name: 'x',
    state,
    data,
    revision: 1,
    ...times,
    error: '',
  };
}

function stepOf(execution: Execution, kind: string, payload: Json = null) {
  const event = {
    id: '1' as EventId,
    execution: execution.id,
    ...identity,
    kind,
    payload,
    dueAt: NOW,
    attempt: 1,
  };
  return decide(regionsMachine, { execution, event, now: NOW });
}

const done = (key: string) => ({ key, outcome: { kind: 'Succeeded', result: null } });

test("the example of a machine of one's own does its regions in order and ends with them", () => {
  const first = stepOf(executionOf({ done: [], regions: ['north', 'south'] }), 'Start');
  expect(first.tasks.map(({ key }) => key)).toEqual(['north']);
  const second = stepOf(executionOf(first.data), 'TaskFinished', done('north'));
  expect(second.tasks.map(({ key }) => key)).toEqual(['south']);
  const late = stepOf(executionOf(second.data), 'TaskFinished', done('north'));
  expect(late).toMatchObject({ data: second.data, tasks: [], notes: [{ detail: 'nobody waits for it' }] });
  const last = stepOf(executionOf(second.data), 'TaskFinished', done('south'));
  expect(last.end).toEqual({ state: 'Succeeded', result: ['north', 'south'], error: '' });
});

test('it ends where a region fails, and where it is told to', () => {
  const running = executionOf({ done: [], regions: ['north'] });
  const failed = { key: 'north', outcome: { kind: 'Failed', error: 'status 1', retryable: false } };
  expect(stepOf(running, 'TaskFinished', failed).end).toEqual({ state: 'Failed', error: 'status 1' });
  expect(stepOf(running, 'Cancel').end?.state).toBe('Cancelled');
});

test('events of an execution that has ended do not reach its machine', () => {
  const ended = executionOf({ done: ['north'], regions: [] }, 'Succeeded');
  expect(stepOf(ended, 'TaskFinished', done('north'))).toMatchObject({
    data: ended.data,
    tasks: [],
    notes: [],
  });
});
