import { describe, expect, test } from 'vitest';
import {
  http,
  parallel,
  pipeline,
  retry,
  sequence,
  shell,
  subPipeline,
  unless,
  wait,
  when,
} from '../../../../src/workflow/pipeline/build.ts';
import type { PipelineStep } from '../../../../src/workflow/pipeline/definition.ts';
import { PipelineRun } from '../../../support/pipeline-run.ts';

function run(...steps: readonly PipelineStep[]): PipelineRun {
  return new PipelineRun(pipeline('p', steps, { inputs: [{ name: 'x', default: 'given' }] }));
}

describe('steps one after the other', () => {
  test('a step begins when the one before it has succeeded, and the last one ends the execution', () => {
    const it = run(shell('a', 'one'), shell('b', 'two'));
    expect(it.open).toEqual(['a#1']);
    it.succeed('a#1');
    expect(it.open).toEqual(['b#1']);
    it.succeed('b#1', { image: 'app' });
    expect(it.execution).toMatchObject({
      state: 'Succeeded',
      result: { exitCode: 0, stdout: '', json: { image: 'app' } },
    });
  });

  test('the first failure ends them: what comes after never begins', () => {
    const it = run(shell('a', 'one'), shell('b', 'two'));
    it.fail('a#1', 'the command exited with 2');
    expect(it.states).toEqual({ a: 'Failed', b: 'Pending' });
    expect(it.execution).toMatchObject({ state: 'Failed', error: 'a: the command exited with 2' });
  });

  test('a task carries what the step says, with every reference replaced', () => {
    const it = run(
      shell('a', 'one', { tags: ['linux'], timeout: 5_000, maxAttempts: 7 }),
      http('b', 'https://example.com/${steps.a.output.json.name}?q=${input.x}', {
        method: 'POST',
        headers: { 'x-execution': '${execution.id} of ${execution.tenant}' },
        body: { all: '${steps.a.output.json}', text: 'is ${steps.a.output.json.count}', kept: '$${x}' },
      }),
    );
    expect(it.task('a#1')).toMatchObject({ kind: 'shell', tags: ['linux'], timeout: 5_000, maxAttempts: 7 });
    it.succeed('a#1', { name: '../a b', count: 3 });
    expect(it.task('b#1')).toMatchObject({
      kind: 'http',
      payload: {
        method: 'POST',
        url: 'https://example.com/..%2Fa%20b?q=given',
        headers: { 'x-execution': 'x1 of acme' },
        body: { all: { name: '../a b', count: 3 }, text: 'is 3', kept: '${x}' },
        expectStatus: [],
      },
    });
    it.answer('b#1', { ok: true });
    expect(it.execution.result).toEqual({ status: 200, body: { ok: true } });
  });

  test('a reference to a field that the output has not is a failure that says what there is', () => {
    const it = run(
      shell('a', 'one'),
      retry({ attempts: 5 }, shell('b', 'two', { env: { X: '${steps.a.output.json.image}' } })),
    );
    it.succeed('a#1', { name: 'app' });
    expect(it.execution.error).toBe(
      'b: ${steps.a.output.json.image} is not there: no field "image" among name',
    );
    expect(it.timers).toEqual([]);
  });

  test('a header or URL that a value would break is a failure', () => {
    const broken = run(
      shell('a', 'one'),
      http('b', 'https://e.example/', { headers: { h: '${steps.a.output.json}' } }),
    );
    broken.succeed('a#1', 'x\r\nhost: other');
    expect(broken.execution.error).toBe('b: headers.h has a line break or a character NUL');
    const elsewhere = run(shell('a', 'one'), http('b', '${steps.a.output.json}'));
    elsewhere.succeed('a#1', 'file:///etc/passwd');
    expect(elsewhere.execution.error).toMatch(/^b: url is "file:/);
  });

  test('a wait goes on by its timer', () => {
    const it = run(wait('a', 2_000), shell('b', 'two'));
    expect(it.view('a')).toMatchObject({ state: 'Running', waitsFor: 'the time 1970-01-01T00:16:42Z' });
    it.pass(1_999);
    expect(it.open).toEqual([]);
    it.pass(1);
    expect(it.open).toEqual(['b#1']);
  });
});

describe('conditions', () => {
  test('a step whose condition does not hold is skipped, and its output is null', () => {
    const it = run(
      when('${input.x}', 'other', shell('a', 'one')),
      shell('b', 'two', { env: { A: '${steps.a.output.json}' } }),
    );
    expect(it.view('a')).toMatchObject({ state: 'Skipped', error: '"${input.x}" is not "other"' });
    expect(it.task('b#1').payload).toMatchObject({ env: { A: 'null' } });
  });

  test('values are compared as JSON, whatever the order of their fields', () => {
    const value = { a: [1, '${input.x}'], b: null };
    expect(run(when(value, { b: null, a: [1, 'given'] }, shell('a', 'one'))).open).toEqual(['a#1']);
    expect(run(unless(value, { b: null, a: [1, 'given'] }, shell('a', 'one'))).execution.state).toBe(
      'Succeeded',
    );
    expect(run(when(value, { b: null, a: [1] }, shell('a', 'one'))).states).toEqual({ a: 'Skipped' });
  });
});

describe('retry', () => {
  test('a step that fails begins again after its backoff, until its attempts are used up', () => {
    const it = run(retry({ attempts: 3, backoff: 1_000, factor: 3, maxBackoff: 2_000 }, shell('a', 'one')));
    it.fail('a#1');
    expect(it.view('a')).toMatchObject({
      state: 'BackingOff',
      error: 'status 1',
      waitsFor: 'attempt 2 of 3 at 1970-01-01T00:16:41Z',
    });
    it.pass(1_000);
    it.fail('a#2');
    it.pass(1_999);
    expect(it.open).toEqual([]);
    it.pass(1);
    expect(it.view('a')).toMatchObject({ state: 'Running', attempt: 3, tries: 3, maxTries: 3 });
    it.fail('a#3', 'status 3');
    expect(it.execution).toMatchObject({ state: 'Failed', error: 'a: status 3' });
  });

  test('steps within one that is retried begin anew, under keys that were never used', () => {
    const inner = retry({ attempts: 2, backoff: 0 }, shell('b', 'two'));
    const it = run(retry({ attempts: 2, backoff: 0 }, sequence('s', [shell('a', 'one'), inner])));
    it.succeed('s/a#1');
    it.fail('s/b#1');
    it.fail('s/b#2');
    expect(it.states).toEqual({ s: 'Running', 's/a': 'Running', 's/b': 'Pending' });
    it.succeed('s/a#2');
    it.fail('s/b#3');
    expect(it.open).toEqual(['s/b#4']);
    it.fail('s/b#4');
    expect(it.execution.error).toBe('s/b: status 1');
  });
});

describe('steps beside each other', () => {
  const both = [shell('a', 'one'), shell('b', 'two')];

  test('all begin at once, and the output has that of each by name', () => {
    const it = run(
      parallel('p', both),
      shell('c', 'three', { env: { A: '${steps.p.output.a.json}', B: '${steps.p.output.b.json}' } }),
    );
    expect(it.open).toEqual(['p/a#1', 'p/b#1']);
    it.succeed('p/b#1', 'second');
    it.succeed('p/a#1', 'first');
    expect(it.task('c#1').payload).toMatchObject({ env: { A: 'first', B: 'second' } });
  });

  test('CancelOthers takes the others back with the first failure', () => {
    const it = run(parallel('p', [...both, wait('w', 60_000)]));
    it.fail('p/a#1');
    expect(it.states).toEqual({ p: 'Failed', 'p/a': 'Failed', 'p/b': 'Cancelled', 'p/w': 'Cancelled' });
    expect(it.view('p/b').error).toBe('p/a failed');
    expect([...it.open, ...it.timers]).toEqual([]);
    expect(it.execution.error).toBe('p/a: status 1');
  });

  test('FinishOthers lets the others end, then fails with the first in its order', () => {
    const it = run(parallel('p', [...both, shell('c', 'three')], { onFailure: 'FinishOthers' }));
    it.fail('p/b#1', 'second');
    expect(it.open).toEqual(['p/a#1', 'p/c#1']);
    it.fail('p/a#1', 'first');
    it.succeed('p/c#1');
    expect(it.execution).toMatchObject({ state: 'Failed', error: 'p/a: first (1 more of p failed)' });
  });

  test('Continue goes on: what failed has the output null', () => {
    const it = run(
      parallel('p', both, { onFailure: 'Continue' }),
      shell('c', 'three', { env: { A: '${steps.p.output.a}' } }),
    );
    it.fail('p/a#1');
    it.succeed('p/b#1');
    expect(it.task('c#1').payload).toMatchObject({ env: { A: 'null' } });
  });
});

describe('limits of time', () => {
  test('a container that takes too long fails, and what is open in it is taken back', () => {
    const it = run(sequence('s', [shell('a', 'one')], { timeout: 60_000 }));
    it.pass(60_000);
    expect(it.states).toEqual({ s: 'Failed', 's/a': 'Cancelled' });
    expect(it.open).toEqual([]);
    expect(it.execution.error).toBe('s: it took longer than 1m');
  });

  test('its timer goes with its end', () => {
    const it = run(sequence('s', [shell('a', 'one')], { timeout: 60_000 }), shell('b', 'two'));
    it.succeed('s/a#1');
    expect(it.timers).toEqual([]);
  });

  test('a timer that was never set counts for nothing', () => {
    const it = run(shell('a', 'one'));
    const before = it.execution.data;
    for (const step of ['a', '']) it.send('Timer', { step, attempt: 1, purpose: 'timeout' });
    expect(it.execution.data).toEqual(before);
    expect(it.open).toEqual(['a#1']);
  });

  test('the whole has a limit', () => {
    const it = new PipelineRun(pipeline('p', [shell('a', 'one')], { timeout: 5_000 }));
    it.pass(5_000);
    expect(it.execution).toMatchObject({ state: 'Failed', error: 'it took longer than 5s' });
    expect(it.open).toEqual([]);
  });
});

describe('pipelines that are called', () => {
  const called = pipeline('called', [shell('a', 'one', { env: { X: '${input.x}', Y: '${input.y}' } })], {
    inputs: [{ name: 'x' }, { name: 'y', default: 'otherwise' }],
    output: { got: '${steps.a.output.json}', x: '${input.x}' },
    timeout: 30_000,
  });

  test('they see their own inputs only, and their output is what they say', () => {
    const it = run(
      subPipeline('c', called, { input: { x: 'for ${input.x}' } }),
      shell('b', 'two', { env: { C: '${steps.c.output}' } }),
    );
    expect(it.task('c/a#1').payload).toMatchObject({ env: { X: 'for given', Y: 'otherwise' } });
    it.succeed('c/a#1', 7);
    expect(it.task('b#1').payload).toMatchObject({ env: { C: '{"got":7,"x":"for given"}' } });
  });

  test('their own limit holds where the call has none', () => {
    const it = run(subPipeline('c', called, { input: { x: 1 } }));
    it.pass(30_000);
    expect(it.execution.error).toBe('c: it took longer than 30s');
  });
});

describe('outputs that are too large', () => {
  test('the step has succeeded all the same; whoever refers to its output fails and is told why', () => {
    const it = run(
      shell('a', 'one'),
      shell('b', 'two'),
      shell('c', 'three', { env: { A: '${steps.a.output.json}' } }),
    );
    it.succeed('a#1', 'x'.repeat(200_000));
    expect(it.view('a')).toMatchObject({ state: 'Succeeded', output: '(200036 bytes, not kept)' });
    it.succeed('b#1');
    expect(it.execution.error).toMatch(/^c: the output of a has 200036 bytes, which is too large to be kept/);
  });

  test('all together are bounded too', () => {
    const it = run(
      parallel(
        'p',
        ['a', 'b', 'c'].map((name) => shell(name, 'one')),
      ),
    );
    for (const key of ['p/a#1', 'p/b#1', 'p/c#1']) it.succeed(key, 'x'.repeat(100_000));
    expect(it.view('p/c')).toMatchObject({ state: 'Succeeded', output: '(100036 bytes, not kept)' });
    expect(it.execution).toMatchObject({ state: 'Succeeded' });
    expect(it.execution.result).toBeUndefined();
    expect(it.notes.at(-1)).toMatch(/^: it has no result: the output of p\/c has 100036 bytes/);
  });

  test('references that would stand for too much together are a failure of the step', () => {
    const env = Object.fromEntries(['A', 'B', 'C'].map((name) => [name, '${steps.a.output.json}']));
    const it = run(shell('a', 'one'), shell('b', 'two', { env }));
    it.succeed('a#1', 'x'.repeat(100_000));
    expect(it.execution.error).toBe('b: its references stand for more than 262144 bytes');
  });
});
