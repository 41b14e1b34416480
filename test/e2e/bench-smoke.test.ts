// The benchmark runs from end to end: both servers serve the same content to every stream, and figures come out. How
// large they are is nobody's business here: a test machine is never quiet.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Comparison, Round } from '../../bench/figures.ts';
import { goProgram } from '../support/go-program.ts';

const root = resolve(import.meta.dirname, '../..');

test('both servers bring every flip to every stream, with the same content, and are compared', async () => {
  for (const name of ['peer', 'load']) {
    await goProgram('the benchmark', { name: `bench-${name}`, module: 'bench/go', package: `./${name}` });
  }
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-smoke-'));
  try {
    const report = join(folder, 'report.json');
    const command = [join(root, 'bench/main.ts'), '--smoke', '--report', report];
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root });
    expect(stdout).toMatch(/last receipt, ms +\d/);
    const { rounds, comparisons } = JSON.parse(await readFile(report, 'utf8')) as {
      rounds: Round[];
      comparisons: Comparison[];
    };
    const [round] = rounds;
    expect(rounds).toHaveLength(1);
    for (const figures of [round?.ours, round?.peer]) {
      expect(figures?.flips).toHaveLength(4);
      // 50 streams, 4 types at the start, and routes again for each flip, one of which is not measured.
      expect(figures?.responses).toBe(50 * (4 + 5));
      for (const { median, p99, last } of figures?.flips ?? []) {
        expect(median).toBeGreaterThan(0);
        expect(p99).toBeGreaterThanOrEqual(median);
        expect(last).toBeGreaterThanOrEqual(p99);
      }
    }
    // A version and a name are longer with us; the resources are the same.
    const beyond = round?.ours.responseBytes.map(
      (size, type) => size - (round.peer.responseBytes[type] ?? 0),
    );
    expect(new Set(beyond).size).toBe(1);
    for (const { measure, ours, peer, ratio } of comparisons) {
      // What 50 streams take may be less than what the garbage collector gives back meanwhile.
      const least = measure === 'memory per stream, KB' ? Number.NEGATIVE_INFINITY : 0;
      for (const { median } of [ours, peer, ratio]) expect(median).toBeGreaterThan(least);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 900_000);
