import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../src/model/json.ts';
import { MAX_PAYLOAD_BYTES } from '../../../../src/ports/workflow-store.ts';
import {
  jsonBytes,
  MAX_DEFINITION_BYTES,
  MAX_DEPTH,
  MAX_INPUT_BYTES,
  MAX_KEPT_BYTES,
} from '../../../../src/workflow/pipeline/bounds.ts';
import {
  parallel,
  pipeline,
  sequence,
  shell,
  subPipeline,
  wait,
} from '../../../../src/workflow/pipeline/build.ts';
import type { PipelineStep } from '../../../../src/workflow/pipeline/definition.ts';
import { startPipeline } from '../../../../src/workflow/pipeline/start.ts';
import { PipelineRun } from '../../../support/pipeline-run.ts';

const inputs = [{ name: 'branch', default: 'main' }, { name: 'target' }];
const taking = pipeline('taking', [shell('a', 'one')], { inputs, timeout: 60_000 });

function problemsOf(request: Parameters<typeof startPipeline>[0]): readonly string[] {
  const started = startPipeline(request);
  return started.kind === 'Ready' ? [] : started.problems.map(({ field, message }) => `${field}: ${message}`);
}

describe('the start of an execution', () => {
  test('it has the whole definition, and the input with its defaults, for life', () => {
    const library = new Map([['taking', taking]]);
    const called = subPipeline('c', 'taking', { input: { target: 1 } });
    const started = startPipeline({
      pipeline: pipeline('p', [called], { inputs }),
      library,
      input: { target: 'north' },
    });
    expect(started).toMatchObject({
      kind: 'Ready',
      start: {
        machine: 'pipeline',
        name: 'p',
        timeout: 86_400_000,
        data: {
          format: 1,
          input: { branch: 'main', target: 'north' },
          pipeline: { steps: [{ kind: 'pipeline', pipeline: { name: 'taking' } }] },
          steps: {},
        },
      },
    });
  });

  test.each<[what: string, input: Json, problem: string]>([
    ['lacks one', {}, 'input.target: is needed by "taking"'],
    [
      'has one too many',
      { target: 1, other: 2 },
      'input.other: is no input of "taking": it takes branch, target',
    ],
    ['is no mapping', ['target'], 'input: must be a mapping of inputs to values'],
    [
      'is too large',
      { target: 'x'.repeat(MAX_INPUT_BYTES) },
      'input: has 32797 bytes as JSON; at most 32768 are allowed',
    ],
  ])('an input that %s is refused', (_, input, problem) => {
    expect(problemsOf({ pipeline: taking, input })).toEqual([problem]);
  });

  test('a pipeline that TypeScript made is checked like one of a document', () => {
    const steps = [shell('a b', '', { env: { X: '${steps.a.output}' }, timeout: 0.5 }), wait('w', 0)];
    expect(problemsOf({ pipeline: pipeline('p', steps) })).toEqual([
      'steps[0].name: "a b" must be letters, digits, "-" and "_", 1 to 63 characters, beginning with a letter',
      'steps[0].timeout: 0.5ms must be 1s to 720h',
      'steps[0].shell: is empty: 1 to 32768 characters are needed',
      'steps[0].env.X: ${steps.a.output} names no step before it: there is none',
      'steps[1].wait: 0s must be 1ms to 720h',
    ]);
  });

  test('the definition with all that it calls is bounded', () => {
    const long = 'x'.repeat(30_000);
    const steps = ['a', 'b', 'c', 'd', 'e'].map((name) => shell(name, long));
    expect(problemsOf({ pipeline: pipeline('p', steps) })).toEqual([
      expect.stringMatching(/^: has \d+ bytes as JSON with all that it calls; at most 131072 are allowed$/),
    ]);
  });

  test('a pipeline that calls itself is refused, whatever its name leads to', () => {
    const self = pipeline('self', [subPipeline('a', 'self')]);
    expect(problemsOf({ pipeline: self, library: new Map([['self', self]]) })).toEqual([
      'steps[0].pipeline: leads back to where it began: self calls self',
    ]);
  });
});

test('the largest state that the bounds allow is one that a store takes', () => {
  // Almost as many steps as there may be, as deep as may be, with the longest names and errors in wide characters.
  const named = (text: string) => text.padEnd(63, 'x');
  const onFailure = 'FinishOthers';
  const leaves = Array.from({ length: 95 }, (_, index) => shell(named(`leaf${index}-`), 'x'));
  const rows = ['a', 'b', 'c'].map((row) => parallel(named(row), leaves, { onFailure }));
  let steps: readonly PipelineStep[] = [parallel(named('rows'), rows, { onFailure })];
  for (let depth = 3; depth < MAX_DEPTH; depth += 1) steps = [sequence(named('s'), steps)];
  const it = new PipelineRun(pipeline('whole', steps));
  expect(it.open).toHaveLength(285);
  for (const key of it.open) it.fail(key, '\u{20ac}'.repeat(2_000));
  expect(it.execution.state).toBe('Failed');
  const state = jsonBytes((it.execution.data as { readonly steps: Json }).steps);
  expect(state + MAX_KEPT_BYTES + MAX_INPUT_BYTES + MAX_DEFINITION_BYTES).toBeLessThan(MAX_PAYLOAD_BYTES);
  // Near enough for the bounds not to be tighter than they must be.
  expect(state).toBeGreaterThan(300_000);
});
