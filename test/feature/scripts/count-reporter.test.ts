// The count at the end of `npm test` misses nothing: a real run of vitest with one test of each outcome.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Count } from '../../../scripts/count-reporter.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-count-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function countedRun(variables: Record<string, string>): Count {
  const file = join(folder, 'count.json');
  spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      `--config=${join(import.meta.dirname, 'outcomes/vitest.config.ts')}`,
    ],
    { env: { ...process.env, SWITCHYARD_COUNT: file, ...variables } },
  );
  return JSON.parse(readFileSync(file, 'utf8')) as Count;
}

test('tests are counted by outcome, failures are named, also files that do not load, and what was not run says why', () => {
  expect(countedRun({ CI: '' })).toEqual({
    passed: 1,
    failed: [
      'test/feature/scripts/outcomes/broken.ts: this file does not load',
      'test/feature/scripts/outcomes/outcomes.ts > fails',
    ],
    notRun: [
      'the real thing: no such program; run: bring-it',
      'gives no reason: it did not run, and gives no reason',
    ],
  });
});

test('with CI=true what cannot be had has failed', () => {
  expect(countedRun({ CI: 'true' })).toMatchObject({
    passed: 1,
    failed: [
      'test/feature/scripts/outcomes/broken.ts: this file does not load',
      'test/feature/scripts/outcomes/outcomes.ts > fails',
      'test/feature/scripts/outcomes/outcomes.ts > cannot be had',
    ],
  });
});
