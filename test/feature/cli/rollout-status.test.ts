/** What `status` says of a service by its rollout, and the walk of a real one from the command line. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RolloutState } from '../../../src/model/rollout.ts';
import type { Finished } from '../../support/admin/cli.ts';
import {
  applyManager,
  startTestController,
  type TestController,
  until,
} from '../../support/admin/controller.ts';
import { runHere } from '../../support/admin/here.ts';
import { ScriptedRollouts } from '../../support/admin/scripted-rollouts.ts';
import { aRollout } from '../../support/rollout-records.ts';
import { aRolloutView } from '../../support/rollout-views.ts';

let controller: TestController;
afterEach(() => controller.close());

function cli(...args: string[]): Promise<Finished> {
  return runHere([...args, '--server', controller.server]);
}

describe('status of a service with a rollout', () => {
  let rollouts: ScriptedRollouts;
  beforeEach(async () => {
    rollouts = new ScriptedRollouts();
    controller = await startTestController({ replace: rollouts.replace });
    await applyManager(controller);
  });
  const wanted = { version: 'v2' as never, baseline: 'v1' as never };

  test.each<[RolloutState, number]>([
    ['Paused', 2],
    ['Inconclusive', 2],
    ['Aborted', 1],
    ['RolledBack', 1],
    ['Failed', 1],
    ['Succeeded', 0],
  ])('%s exits with %d', async (state, code) => {
    rollouts.view = aRolloutView({ record: aRollout({ ...wanted, state }) });
    expect((await cli('status', 'manager')).code).toBe(code);
  });

  test('that goes on exits with 3 when the time is over', async () => {
    rollouts.view = aRolloutView({ record: aRollout(wanted) });
    expect((await cli('status', 'manager', '--timeout', '50ms')).code).toBe(3);
  });

  test('whose version nobody wants any more is healthy, however it ended', async () => {
    rollouts.view = aRolloutView({ record: aRollout({ state: 'RolledBack' }) });
    expect((await cli('status', 'manager')).code).toBe(0);
  });
});

describe('a real rollout that nobody verifies', () => {
  beforeEach(async () => {
    controller = await startTestController();
    await applyManager(controller);
  });
  const state = () => controller.operations.services()[0]?.record.rollout?.state;

  test('is promoted, succeeds, and is listed', async () => {
    expect((await cli('explain', 'manager')).stdout).toMatch(/Paused \(Approval\)/);
    expect((await cli('promote', 'manager', '--reason', 'looks fine')).code).toBe(0);
    await until(controller.operations, () => state() === 'Succeeded');
    expect((await cli('status', 'manager')).code).toBe(0);
    expect((await cli('get', 'rollouts')).stdout).toMatch(/^manager_v2_\d+ +✔ Succeeded /m);
    expect((await cli('get', 'rollout', 'manager')).stdout).toMatch(/ada@\S+ .*promoted/);
  });

  test('is waited for by status while it goes on, and what changed is told meanwhile', async () => {
    controller.proxies.connect('late', 'slow');
    await cli('promote', 'manager', '--wait', '0');
    await until(controller.operations, () => state() === 'Progressing');
    const waiting = cli('status', 'manager');
    controller.proxies.acknowledge('late');
    await until(controller.operations, () => state() === 'Succeeded');
    const { code, stdout } = await waiting;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '✔ Healthy manager: v2 gets all default traffic\n' });
  });

  test('that is aborted leaves its service Degraded until another version is wanted', async () => {
    await cli('abort', 'manager', '--reason', 'not today');
    expect(await cli('status', 'manager')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/is Aborted \(Operator\).*not today/),
    });
    await cli('deploy', 'manager', 'v1', '--reason', 'stay');
    expect((await cli('status', 'manager')).code).toBe(0);
  });
});
