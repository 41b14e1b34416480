/** The example pipelines with real commands: each task goes to /bin/sh as a delegate would give it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Json } from '../../../src/model/json.ts';
import type { ShellTask } from '../../../src/workflow/pipeline/tasks.ts';
import { parsePipelines } from '../../../src/workflow/pipeline/yaml/parse.ts';
import { PipelineRun } from '../../support/pipeline-run.ts';

const run = promisify(execFile);
/** Longer than any timer of the examples; the approval gives up later. */
const WAIT_MS = 60_000;

/** Runs all tasks as they open, until none is; timers come at once. */
async function work(it: PipelineRun): Promise<void> {
  for (;;) {
    if (it.open.length === 0 && it.execution.state === 'Running') it.pass(WAIT_MS);
    if (it.open.length === 0) return;
    await Promise.all(it.open.map((key) => carryOut(it, key)));
  }
}

async function carryOut(it: PipelineRun, key: string): Promise<void> {
  const { command, env } = it.task(key).payload as unknown as ShellTask;
  try {
    const { stdout } = await run('/bin/sh', ['-c', command], { env: { PATH: process.env['PATH'], ...env } });
    it.succeedWith(key, { exitCode: 0, stdout, ...jsonOf(stdout) });
  } catch (error) {
    it.fail(key, String(error));
  }
}

function jsonOf(stdout: string): { readonly json?: Json } {
  try {
    return { json: JSON.parse(stdout) as Json };
  } catch {
    return {};
  }
}

function begun(name: string, input: Json): PipelineRun {
  const file = `examples/pipelines/${name}.yaml`;
  const [pipeline] = parsePipelines({ file, text: readFileSync(file, 'utf8') }).pipelines;
  if (pipeline === undefined) throw new Error(`${file} holds no pipeline`);
  return new PipelineRun(pipeline, input);
}

test('quick.yaml works, and reports what it did', async () => {
  const it = begun('quick', { seconds: '0' });
  await work(it);
  expect(it.execution).toMatchObject({ state: 'Succeeded', result: 'worked for 0 s' });
});

test('release.yaml builds, tests, asks a person, and deploys what was built', async () => {
  const it = begun('release', { branch: 'next', slowness: '0' });
  await work(it);
  expect(it.view('ask').waitsFor).toContain('Deploy app:next-1?');
  it.send('Approve', { step: 'ask', decision: 'Approve', by: 'ada' });
  await work(it);
  expect(it.execution).toMatchObject({
    state: 'Succeeded',
    result: {
      image: 'app:next-1',
      regions: { north: 'north runs app:next-1', south: 'south runs app:next-1' },
    },
  });
});
