// The demo's story on a real API server, with three replicas of the controller, two Envoys that each began at another one, and
// a real process for each Pod, under constant traffic: nobody is hurt.
import { expect, test } from 'vitest';
import { SLOW_VERSION, verified } from '../../support/kubernetes/system/manager-object.ts';
import { useInstallation } from '../../support/kubernetes/system/use-installation.ts';
import { useTraffic } from '../../support/kubernetes/system/use-traffic.ts';
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
    world.order(`rollback ${Date.now()}`),
  );
  await world.primaryService('v1');
  await world.inSync();
  await traffic.goOn();

  const verdict = await traffic.stop();
  expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
}, 300_000);
