/** docs/pipelines.md says what the code does: its examples are read, its figures compared. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatDuration } from '../../../../src/spec/duration.ts';
import {
  DEFAULT_RETRY,
  DEFAULTS,
  LENGTHS,
  MAX_DEFINITION_BYTES,
  MAX_DEPTH,
  MAX_ERROR_LENGTH,
  MAX_INPUT_BYTES,
  MAX_INPUTS,
  MAX_KEPT_BYTES,
  MAX_OUTPUT_BYTES,
  MAX_STEPS,
  MAX_TASK_BYTES,
  RANGES,
  type Range,
  SIZES,
} from '../../../../src/workflow/pipeline/bounds.ts';
import { STEP_STATES } from '../../../../src/workflow/pipeline/state.ts';
import { parsePipelines } from '../../../../src/workflow/pipeline/yaml/parse.ts';

const page = readFileSync('docs/pipelines.md', 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| '));

/** The row of a field, in the part of the page with this heading. */
function row(part: string, field: string): string {
  const own = page.split(/^##+ /m).find((text) => text.startsWith(`${part}\n`)) ?? '';
  const found = own.split('\n').find((line) => line.startsWith(`| ${field} |`));
  if (found === undefined) throw new Error(`docs/pipelines.md has no row ${field} under ${part}`);
  return found;
}

const between = ([least, most]: Range) => `${formatDuration(least)} to ${formatDuration(most)}`;

describe('docs/pipelines.md', () => {
  test('its pipelines are valid', () => {
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '');
    expect(blocks.length).toBeGreaterThan(0);
    for (const text of blocks)
      expect(parsePipelines({ file: 'docs/pipelines.md', text }).problems).toEqual([]);
  });

  test.each([
    ['Pipeline', '`timeout`', between(RANGES.timeout), '`24h`'],
    ['Pipeline', '`input`', `up to ${MAX_INPUTS}`, 'none'],
    ['Pipeline', '`steps`', `1 to ${SIZES.steps}`, 'required'],
    ['Step', '`timeout`', between(RANGES.timeout), '`10m` for `shell` and `http`, `24h` for `approval`'],
    ['Step', '`shell`', `up to ${LENGTHS.command} characters`, 'none'],
    ['Step', '`env`', `up to ${SIZES.env}`, 'none'],
    ['Step', '`workingDirectory`', `up to ${LENGTHS.path} characters`, 'folder'],
    ['Step', '`tags`', `up to ${SIZES.tags}`, 'any delegate'],
    ['Step', '`maxAttempts`', RANGES.maxAttempts.join(' to '), `\`${DEFAULTS.maxAttempts}\``],
    ['Step', '`wait`', between(RANGES.wait), 'none'],
    ['Step', '`onFailure`', '`FinishOthers`', `\`${DEFAULTS.onFailure}\``],
    ['Call', '`url`', `up to ${LENGTHS.url} characters`, 'required'],
    ['Call', '`method`', '`PATCH`', `\`${DEFAULTS.method}\``],
    ['Call', '`headers`', `up to ${SIZES.headers}`, 'none'],
    ['Call', '`expectStatus`', `${RANGES.status.join(' to ')}, up to ${SIZES.expectStatus}`, '200 to 299'],
    ['Approval', '`approvers`', `up to ${SIZES.approvers}`, 'none'],
    ['Approval', '`message`', `up to ${LENGTHS.message} characters`, 'none'],
    ['Retry', '`attempts`', RANGES.attempts.join(' to '), `\`${DEFAULT_RETRY.attempts}\``],
    ['Retry', '`backoff`', between(RANGES.backoff), `\`${formatDuration(DEFAULT_RETRY.backoff)}\``],
    ['Retry', '`factor`', RANGES.factor.join(' to '), `\`${DEFAULT_RETRY.factor}\``],
    ['Retry', '`maxBackoff`', between(RANGES.maxBackoff), `\`${formatDuration(DEFAULT_RETRY.maxBackoff)}\``],
  ])('%s %s has the bounds and the default of the code', (part, field, bounds, otherwise) => {
    expect(row(part, field)).toContain(bounds);
    expect(row(part, field)).toContain(otherwise);
  });

  test('the defaults that it writes as durations are those of the code', () => {
    const durations = [DEFAULTS.pipelineTimeout, DEFAULTS.taskTimeout, DEFAULTS.approvalTimeout];
    expect(durations.map(formatDuration)).toEqual(['24h', '10m', '24h']);
  });

  test('its bounds of the whole are those of the code', () => {
    const figures = rows
      .slice(rows.indexOf('| what | at most |') + 1)
      .flatMap((line) => /\| (\d+)[^|]*\|$/.exec(line)?.[1] ?? []);
    expect(figures.map(Number)).toEqual([
      MAX_STEPS,
      MAX_DEPTH,
      MAX_DEFINITION_BYTES,
      MAX_INPUT_BYTES,
      MAX_OUTPUT_BYTES,
      MAX_KEPT_BYTES,
      MAX_TASK_BYTES,
      MAX_ERROR_LENGTH,
    ]);
  });

  test('it tells every state of a step', () => {
    const told = rows.slice(
      rows.indexOf('| state of a step | meaning |') + 1,
      rows.indexOf('| state of a step | meaning |') + 5,
    );
    expect(told.flatMap((line) => (/^\| ([\w, ]+) \|/.exec(line)?.[1] ?? '').split(', '))).toEqual([
      ...STEP_STATES,
    ]);
  });

  test('the machine that it shows is one that is tested', () => {
    const shown = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text ?? '').at(-1) ?? '';
    expect(shown).toContain('regionsMachine');
    expect(readFileSync('test/support/workflow/regions-machine.ts', 'utf8')).toContain(shown);
  });
});
