import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../src/model/json.ts';
import {
  approval,
  parallel,
  pipeline,
  retry,
  sequence,
  shell,
  wait,
} from '../../../../src/workflow/pipeline/build.ts';
import type { PipelineStep } from '../../../../src/workflow/pipeline/definition.ts';
import { PipelineRun } from '../../../support/pipeline-run.ts';
import { PipelineWorld } from '../../../support/pipeline-simulation/world.ts';
import { seed } from '../../../support/seed.ts';

function run(...steps: readonly PipelineStep[]): PipelineRun {
  return new PipelineRun(pipeline('p', steps));
}

const decided = (step: string, decision: string, by: string, more: object = {}) => ({
  step,
  decision,
  by,
  comment: '',
  ...more,
});

describe('approvals', () => {
  test('an approval waits for a person, and what follows sees who it was', () => {
    const it = run(
      approval('ask', { approvers: ['ada', 'grace'], message: 'Ship?' }),
      shell('b', 'two', { env: { BY: '${steps.ask.output.by}' } }),
    );
    expect(it.view('ask').waitsFor).toBe('a decision by ada or grace until 1970-01-02T00:16:40Z: Ship?');
    it.send('Approve', decided('ask', 'Approve', 'grace', { comment: 'go' }));
    expect(it.task('b#1').payload).toMatchObject({ env: { BY: 'grace' } });
    expect(it.timers).toEqual([]);
  });

  test('a rejection fails the step for good, with who and why', () => {
    const it = run(retry({ attempts: 3 }, approval('ask')));
    it.send('Approve', decided('ask', 'Reject', 'ada', { comment: 'too early' }));
    expect(it.execution).toMatchObject({ state: 'Failed', error: 'ask: rejected by ada: too early' });
  });

  test('a decision by somebody who may not, about another attempt or another step does not count, and is noted', () => {
    const it = run(approval('ask', { approvers: ['ada'] }));
    const before = it.execution.data;
    it.send('Approve', decided('ask', 'Approve', 'mallory'));
    expect(it.notes).toEqual(['ask: Approve by mallory does not count: only ada may decide']);
    it.send('Approve', decided('ask', 'Approve', 'ada', { attempt: 2 }));
    expect(it.notes).toEqual([
      'ask: Approve by ada does not count: it was about attempt 2, and attempt 1 waits',
    ]);
    it.send('Approve', decided('nowhere', 'Approve', 'ada'));
    expect(it.notes).toEqual(['nowhere: Approve by ada does not count: there is no approval of that name']);
    it.send('Approve', { step: 'ask', decision: 'Perhaps', by: 'ada' });
    expect(it.notes).toEqual([
      ': ignored: an event Approve without a right decision (one of Approve, Reject)',
    ]);
    expect(it.execution.data).toEqual(before);
  });

  test('where nobody decides in time it fails', () => {
    const it = run(approval('ask', { timeout: 60_000 }));
    it.pass(60_000);
    expect(it.execution.error).toBe('ask: nobody decided within 1m');
  });
});

describe('cancel', () => {
  test('everything that is open is taken back, and what had ended stays as it was', () => {
    const it = run(
      shell('a', 'one'),
      parallel('p', [shell('b', 'two'), wait('c', 9_000), retry({}, shell('d', 'three'))], {
        timeout: 60_000,
        onFailure: 'FinishOthers',
      }),
      shell('e', 'four'),
    );
    it.succeed('a#1');
    it.fail('p/d#1');
    it.send('Cancel', { by: 'ada', reason: 'not needed' });
    expect(it.states).toEqual({
      a: 'Succeeded',
      p: 'Cancelled',
      'p/b': 'Cancelled',
      'p/c': 'Cancelled',
      'p/d': 'Cancelled',
      e: 'Pending',
    });
    expect(it.open).toEqual([]);
    const { cancelTasks, cancelEvents } = it.world.log.at(-1)?.step ?? {};
    expect(cancelTasks).toEqual(['p/b#1']);
    expect(cancelEvents?.map(({ payload }) => payload)).toEqual([
      { step: 'p', attempt: 1, purpose: 'timeout' },
      { step: 'p/c', attempt: 1, purpose: 'wait' },
      { step: 'p/d', attempt: 1, purpose: 'backoff' },
    ]);
    expect(it.execution).toMatchObject({ state: 'Cancelled', error: 'cancelled by ada: not needed' });
  });

  test('an execution can be cancelled before its Start came', () => {
    const world = new PipelineWorld(pipeline('p', [shell('a', 'one')]));
    const { step } = world.apply({ kind: 'Cancel', payload: null, dueAt: world.now });
    expect(step.end).toEqual({ state: 'Cancelled', error: 'cancelled by somebody' });
    expect(step.tasks).toEqual([]);
  });

  test('one whose time was over before its Start came begins with a Retry', () => {
    const world = new PipelineWorld(pipeline('p', [shell('a', 'one')]));
    expect(world.apply({ kind: 'Timeout', payload: null, dueAt: world.now }).step.end?.state).toBe('Failed');
    const { step } = world.apply({ kind: 'Retry', payload: { by: 'ada' }, dueAt: world.now });
    expect(step.tasks.map(({ key }) => key)).toEqual(['a#1']);
  });
});

describe('retry of an execution that failed', () => {
  const begun = () => {
    const it = run(
      shell('a', 'one'),
      parallel(
        'p',
        [shell('b', 'two'), shell('c', 'three'), sequence('s', [shell('d', 'four'), shell('e', 'five')])],
        { timeout: 60_000 },
      ),
      shell('f', 'six', { env: { A: '${steps.a.output.json}', B: '${steps.p.output.b.json}' } }),
    );
    it.succeed('a#1', 'A');
    it.succeed('p/b#1', 'B');
    it.succeed('p/s/d#1');
    it.fail('p/c#1');
    return it;
  };

  test('it goes on from the steps that did not end well; what succeeded is not done again', () => {
    const it = begun();
    expect(it.execution.state).toBe('Failed');
    it.send('Retry', { by: 'ada', reason: '' });
    expect(it.execution.state).toBe('Running');
    expect(it.open).toEqual(['p/c#2', 'p/s/e#2']);
    expect(it.timers).toEqual(['p#2 timeout']);
    it.succeed('p/c#2');
    it.succeed('p/s/e#2');
    expect(it.task('f#1').payload).toMatchObject({ env: { A: 'A', B: 'B' } });
    it.succeed('f#1');
    expect(it.execution.state).toBe('Succeeded');
  });

  test('a result of the attempt before counts for nothing', () => {
    const it = begun();
    it.send('Retry', { by: 'ada', reason: '' });
    const before = it.execution.data;
    it.send('TaskFinished', { key: 'p/s/e#1', outcome: { kind: 'Succeeded', result: 'late' } });
    expect(it.execution.data).toEqual(before);
    expect(it.notes).toEqual(['p/s/e#1: a result came that nobody waits for, and changes nothing']);
  });

  test('a retry policy counts from the beginning', () => {
    const it = run(retry({ attempts: 2, backoff: 0 }, shell('a', 'one')));
    it.fail('a#1');
    it.fail('a#2');
    it.send('Retry', { by: 'ada', reason: '' });
    it.fail('a#3');
    expect(it.open).toEqual(['a#4']);
  });

  test('an execution that runs is not begun twice', () => {
    const it = run(shell('a', 'one'));
    it.send('Retry', { by: 'ada', reason: '' });
    it.send('Start', {});
    expect(it.open).toEqual(['a#1']);
    expect(it.notes).toEqual([': Start came again and changes nothing']);
  });
});

test('data of a format that this release does not know is a fault of the machine, not a guess', () => {
  const { world } = run(shell('a', 'one'));
  world.execution = { ...world.execution, data: { format: 2 } };
  expect(() => world.apply({ kind: 'Cancel', payload: null, dueAt: world.now })).toThrow(
    'format 2; this release knows 1',
  );
});

test('whatever an event carries, the machine answers; what it cannot read changes nothing', () => {
  const it = run(approval('ask'), shell('a', 'one'));
  const { data } = it.execution;
  const kinds = ['TaskFinished', 'Timer', 'Approve', 'Retry', 'Start', 'another'];
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.jsonValue(), (kind, payload) => {
      const { step } = it.world.apply({ kind, payload: payload as Json, dueAt: it.world.now });
      expect(step).toMatchObject({ data, events: [], tasks: [], cancelTasks: [], cancelEvents: [] });
      expect(step.notes).toHaveLength(1);
    }),
    { seed: seed(), numRuns: 500 },
  );
});
