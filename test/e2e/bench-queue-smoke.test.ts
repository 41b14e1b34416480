// The benchmark of queues runs from end to end: every engine finishes every job and leaves those of another version alone,
// and figures come out. How large they are is nobody's business here: a test machine is never quiet.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findTool } from '../../scripts/tools.ts';
import { notRun } from '../support/not-run.ts';

const root = resolve(import.meta.dirname, '../..');

test('every engine finishes every job, and is compared', async () => {
  const tool = findTool('postgres');
  if (tool.kind === 'missing') notRun('the benchmark of queues', tool.why);
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-queue-'));
  try {
    const report = join(folder, 'report.json');
    const command = [join(root, 'bench/queue/main.ts'), '--smoke', '--report', report];
    await promisify(execFile)(process.execPath, command, { cwd: root });
    const { rounds } = JSON.parse(await readFile(report, 'utf8')) as {
      readonly rounds: readonly Readonly<Record<string, Readonly<Record<string, number>>>>[];
    };
    expect(rounds).toHaveLength(1);
    const engines = Object.entries(rounds[0] ?? {});
    expect(engines.map(([name]) => name)).toEqual([
      'switchyard',
      'pg-boss',
      'pg-boss, completed in batches',
      'graphile-worker',
      'graphile-worker, in batches',
    ]);
    for (const [, figures] of engines) {
      expect(Object.keys(figures)).toHaveLength(4);
      for (const value of Object.values(figures)) expect(value).toBeGreaterThan(0);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 900_000);
