// The benchmark of fleets runs from end to end with a few streams: all of them come, are told, and come again after kill -9,
// on both sides. How long that takes is nobody's business here: a test machine is never quiet.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ComparedLine, Round } from '../../bench/fleet/figures.ts';
import { envoyVersion } from '../support/envoy.ts';
import { goProgram } from '../support/go-program.ts';

const root = resolve(import.meta.dirname, '../..');
const STREAMS = 60;

test('all watchers and delegates come, are told and come again, on both sides, and are compared', async () => {
  envoyVersion();
  await goProgram('the benchmark of fleets', { name: 'bench-fleet', module: 'bench/go', package: './fleet' });
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-fleet-smoke-'));
  try {
    const report = join(folder, 'report.json');
    const command = [join(root, 'bench/fleet/main.ts'), '--smoke', '--report', report];
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root });
    expect(stdout).toMatch(/all are told, ms +\d/);
    const { rounds, comparison } = JSON.parse(await readFile(report, 'utf8')) as {
      rounds: Round[];
      comparison: ComparedLine[];
    };
    const [round] = rounds;
    expect(rounds).toHaveLength(1);
    for (const side of [round?.ours, round?.bare]) {
      expect(side?.informed.map(({ count }) => count)).toEqual([STREAMS]);
      expect(side?.watchers.again.count).toBe(STREAMS);
      expect(side?.watchers.again.last).toBeGreaterThanOrEqual(side?.watchers.again.median ?? Number.NaN);
    }
    // The gateway spreads the delegates over two managers, of which one was killed.
    expect(round?.ours.delegates.again.count).toBeGreaterThan(0);
    expect(round?.ours.delegates.again.count).toBeLessThan(STREAMS);
    expect(round?.bare.delegates.again.count).toBe(STREAMS);
    expect(round?.ours.reads.telling[0]?.count).toBeGreaterThan(0);
    for (const { name, ours, bare, ratio } of comparison) {
      // What 60 streams take may be less than what the garbage collector gives back meanwhile, or than a clock tick.
      const least = /memory|CPU/.test(name) ? Number.NEGATIVE_INFINITY : 0;
      for (const value of [ours, bare]) expect(value).toBeGreaterThanOrEqual(least);
      if (least === 0) expect(ratio.median).toBeGreaterThan(0);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 900_000);
