// The demo's story on a real API server, with three replicas of the controller, two Envoys that each began at another one, and
// a real process for each Pod, under constant traffic: nobody is hurt.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { KubernetesReport } from '../../../examples/demo-kubernetes/report.ts';
import { SLOW_VERSION, verified } from '../../support/kubernetes/system/manager-object.ts';
import { useInstallation } from '../../support/kubernetes/system/use-installation.ts';
import { useTraffic } from '../../support/kubernetes/system/use-traffic.ts';
import { full } from '../../support/seed.ts';
import { UNHURT } from '../../support/system/load.ts';

test('a good version is rolled out, a slow one goes back by itself, and an operator goes back: no request fails or is misrouted, no stream is cut', async () => {
  const world = await useInstallation();
  const { traffic, prometheus } = await useTraffic(world, {
    pins: ['v1', 'v2', SLOW_VERSION],
    streamPins: ['v1'],
  });

  const good = await traffic.follow(world, {
    version: 'v2',
    baseline: 'v1',
    active: ['v1', 'v2'],
    order: () => world.wish({ version: 'v2', more: verified(prometheus) }),
  });
  expect(good).toMatchObject({ outcome: 'Succeeded' });
  await world.condition('Ready', 'True');
  await world.primaryService('v2');

  traffic.history.leave({ version: SLOW_VERSION, at: performance.now() });
  const slow = await traffic.follow(world, {
    version: SLOW_VERSION,
    baseline: 'v2',
    active: ['v1', 'v2', SLOW_VERSION],
    order: () => world.wish({ version: SLOW_VERSION, more: verified(prometheus) }),
  });
  expect(slow).toMatchObject({ outcome: 'Aborted', deciding: ['latency'] });
  await world.condition('Stalled', 'True');
  await world.primaryService('v2');

  await traffic.move({ from: 'v2', to: 'v1', weight: 100, active: ['v1', 'v2', SLOW_VERSION] }, () =>
    world.carryOut('rollback'),
  );
  await world.primaryService('v1');
  await world.inSync();
  await traffic.goOn();

  const verdict = await traffic.stop();
  expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
}, 300_000);

const DEMO = join(import.meta.dirname, '../../../examples/demo-kubernetes/main.ts');

// Two minutes: with SWITCHYARD_FULL=1 only.
test.each(full() ? ['npm run demo:kubernetes'] : [])(
  '%s shows that, and the death of its leader; it ends well, and leaves nothing behind',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-demo-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'report.json');
    const env = { ...process.env, NO_COLOR: '1', TMPDIR: folder };
    const { stdout } = await promisify(execFile)(execPath, [DEMO, '--report', file], { env });
    const report = JSON.parse(await readFile(file, 'utf8')) as KubernetesReport;
    expect(report).toMatchObject({ failed: 0, misrouted: 0, streamsCut: 0, leadersKilled: 1 });
    expect(report.requests).toBeGreaterThan(1_000);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(await readdir(folder)).toEqual(['report.json']);
  },
  600_000,
);
