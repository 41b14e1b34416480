import { expect, test } from 'vitest';
import { isoTime } from '../../../../src/model/instant.ts';
import {
  approval,
  parallel,
  pipeline,
  retry,
  sequence,
  shell,
  unless,
  wait,
} from '../../../../src/workflow/pipeline/build.ts';
import { pipelineView, type StepView } from '../../../../src/workflow/pipeline/view.ts';
import { PipelineRun } from '../../../support/pipeline-run.ts';

/** One line for each step, as a command line could show it. */
function lines(view: StepView, depth = 0): readonly string[] {
  const { name, kind, state, attempt, since, output, error, waitsFor } = view;
  const times = since === undefined ? '' : ` since ${isoTime(since).slice(11, 19)}`;
  const facts = [output, error, waitsFor === '' ? '' : `waits for ${waitsFor}`].filter((text) => text !== '');
  const line = `${'  '.repeat(depth)}${name} (${kind}) ${state}#${attempt}${times} ${facts.join(' | ')}`;
  return [line.trimEnd(), ...view.steps.flatMap((step) => lines(step, depth + 1))];
}

test('an operator sees each step, how it stands and since when, what it came to, and what it waits for', () => {
  const it = new PipelineRun(
    pipeline('release', [
      shell('build', 'make'),
      unless('${steps.build.output.json}', 'ok', shell('mend', 'make mend')),
      parallel(
        'checks',
        [
          shell('unit', 'make unit', { tags: ['linux', 'large'] }),
          retry({ attempts: 4, backoff: 60_000 }, shell('flaky', 'make flaky')),
          sequence('slow', [wait('pause', 90_000), shell('soak', 'make soak')], { timeout: 600_000 }),
          approval('ask', { approvers: ['ada'], message: 'Ship?' }),
        ],
        { onFailure: 'FinishOthers' },
      ),
      shell('last', 'make last'),
    ]),
  );
  it.pass(5_000);
  it.succeed('build#1', 'ok');
  it.pass(5_000);
  it.fail('checks/flaky#1', 'status 7');
  expect(lines(pipelineView(it.execution))).toEqual([
    'release (pipeline) Running#1 since 00:16:40 waits for checks',
    '  build (shell) Succeeded#1 since 00:16:45 {"exitCode":0,"stdout":"","json":"ok"}',
    '  mend (shell) Skipped#1 since 00:16:45 "${steps.build.output.json}" is "ok"',
    '  checks (parallel) Running#1 since 00:16:45 waits for checks/unit, checks/flaky, checks/slow, checks/ask',
    '    unit (shell) Running#1 since 00:16:45 waits for a delegate with the tags linux, large and its result',
    '    flaky (shell) BackingOff#1 since 00:16:50 status 7 | waits for attempt 2 of 4 at 1970-01-01T00:17:50Z',
    '    slow (sequence) Running#1 since 00:16:45 waits for checks/slow/pause',
    '      pause (wait) Running#1 since 00:16:45 waits for the time 1970-01-01T00:18:15Z',
    '      soak (shell) Pending#0',
    '    ask (approval) Running#1 since 00:16:45 waits for a decision by ada until 1970-01-02T00:16:45Z: Ship?',
    '  last (shell) Pending#0',
  ]);
});
