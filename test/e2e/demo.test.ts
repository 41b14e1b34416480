/** The demo as a stranger runs it: its exit status and its report say that nobody was hurt, and it cleans up. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoReport } from '../../examples/demo/report.ts';
import { envoyVersion } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { aliveIn } from '../support/executions/machine.ts';

/** It takes two minutes where nothing else runs. */
const WITHIN_MS = 900_000;
const DEMO = join(import.meta.dirname, '..', '..', 'examples', 'demo', 'main.ts');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-demo-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the demo with its temporary files in `folder`; resolves with its exit code and what it printed. */
function runDemo(reportFile: string): Promise<{ exitCode: number; output: string }> {
  const env = { ...process.env, TMPDIR: folder, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(execPath, [DEMO, '--report', reportFile], { env }, (error, stdout, stderr) => {
      resolve({ exitCode: Number(error?.code ?? 0), output: `${stdout}${stderr}` });
    });
  });
}

describe('the demo', () => {
  it(
    'rolls out by itself, catches a bad version, rolls back, loses its controller and retires versions; it hurts nobody, and every execution ends on its version',
    async () => {
      const version = envoyVersion();
      const reportFile = join(folder, 'report.json');
      const { exitCode, output } = await runDemo(reportFile);
      if (exitCode !== 0) throw new Error(`the demo ended with exit code ${exitCode}:\n${output}`);

      const report = JSON.parse(readFileSync(reportFile, 'utf8')) as DemoReport;
      const query = {
        query: expect.stringContaining('envoy_cluster'),
        value: expect.any(Number),
        limit: expect.any(String),
      };
      const delegates = { ready: 4, expected: 4 };
      const { started } = report.executions;
      expect(started).toBeGreaterThan(50);
      const latency = { p50: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) };
      expect(report).toEqual({
        requests: expect.any(Number),
        failed: 0,
        misrouted: 0,
        refusedExpected: report.refusedSeen,
        refusedSeen: expect.any(Number),
        streamsOpened: 20,
        streamsCut: 0,
        tenantsMovedWrongly: 0,
        flips: expect.any(Number),
        rollbacks: expect.any(Number),
        flipMs: latency,
        rollbackMs: latency,
        controllerKills: 1,
        executions: {
          started,
          finished: started,
          failed: 0,
          lost: 0,
          appliedTwice: 0,
          wrongVersion: 0,
          wrongDelegate: 0,
        },
        parity: { boxes: 4, moves: 52, movesAtParity: 52 },
        retired: ['v1', 'v3'].map((name) => ({
          version: name,
          openWhenFenced: expect.any(Number),
          drainSeconds: expect.any(Number),
          certificate: 'atomic',
        })),
        rollouts: [
          {
            version: 'v2',
            outcome: 'Succeeded',
            detectMs: null,
            rollbackMs: null,
            delegates,
            queries: expect.arrayContaining([query]),
          },
          {
            version: 'v2',
            outcome: 'RolledBack',
            detectMs: null,
            rollbackMs: expect.any(Number),
            delegates: null,
            queries: [],
          },
          {
            version: 'v3',
            outcome: 'Aborted',
            detectMs: expect.any(Number),
            rollbackMs: expect.any(Number),
            delegates,
            queries: expect.arrayContaining([query]),
          },
          {
            version: 'v4',
            outcome: 'Succeeded',
            detectMs: null,
            rollbackMs: null,
            delegates,
            queries: expect.arrayContaining([query]),
          },
        ],
        badVersionShare: expect.any(Number),
        envoy: version,
        prometheus: expect.stringMatching(/^\d+\.\d+\.\d+/),
      });
      const bad = report.rollouts.find(({ version: name }) => name === 'v3');
      const [v1] = report.retired;
      expect(v1?.openWhenFenced).toBeGreaterThan(0);
      expect(bad?.detectMs).toBeGreaterThan(0);
      expect(bad?.rollbackMs).toBeGreaterThanOrEqual(0);
      // Copies do not show what is wrong with it: it was flipped back while it had ten percent of the tenants.
      expect(report.badVersionShare).toBeGreaterThan(0);
      expect(report.badVersionShare).toBeLessThan(0.1);
      const { requests, refusedSeen, flips, rollbacks } = report;
      expect(Math.min(requests, refusedSeen, flips, rollbacks)).toBeGreaterThan(0);
      for (const { p50, p99, max } of [report.flipMs, report.rollbackMs]) {
        expect(p50).toBeGreaterThan(0);
        expect([p50, p99, max]).toEqual([p50, p99, max].toSorted((one, other) => one - other));
      }

      const tooLong = output.split('\n').filter((line) => line.length > 80);
      expect(tooLong).toEqual([]);
      expect(readdirSync(folder)).toEqual(['report.json']);
    },
    WITHIN_MS,
  );

  it(
    'leaves nothing behind when somebody at the terminal stops it half way',
    async () => {
      envoyVersion();
      const own = mkdtempSync(join(tmpdir(), 'switchyard-'));
      // A terminal tells the whole group.
      const demo = spawn(execPath, [DEMO], {
        env: { ...process.env, TMPDIR: own, NO_COLOR: '1' },
        detached: true,
      });
      const ended = new Promise<number | null>((resolve) => demo.once('exit', resolve));
      let output = '';
      for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (text) => (output += String(text)));
      try {
        await eventually(() => output.includes('get delegates manager') || demo.exitCode !== null, {
          what: 'delegates',
          within: WITHIN_MS,
        });
        const world = readdirSync(own).find((name) => name.startsWith('switchyard-demo-'));
        if (world === undefined) throw new Error(`the demo ended by itself: ${output}`);
        const path = join(own, world);
        expect(aliveIn(path).length).toBeGreaterThan(4);
        process.kill(-(demo.pid ?? 0), 'SIGINT');
        expect(await ended).toBe(1);
        expect(output).toContain('the demo broke off: stopped by SIGINT');
        expect(aliveIn(path)).toEqual([]);
        expect(readdirSync(own)).toEqual([]);
      } finally {
        demo.kill('SIGTERM');
        await ended;
        rmSync(own, { recursive: true, force: true });
      }
    },
    WITHIN_MS,
  );
});
