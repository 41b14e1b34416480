/** Rule 2 by hand: where checks guard a version, an operator gives it traffic by promoting, or waives by name and reason. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ControllerWorld, manager, managerDocument, v2 } from '../../support/controller-world.ts';
import { eventually } from '../../support/eventually.ts';

const VERIFIED = `  verification:
    prometheus: {url: "http://127.0.0.1:9"}
    checks: [{name: errors, builtin: {metric: SuccessRate}, limit: {min: 99}}]
`;

let world: ControllerWorld;
beforeEach(async () => {
  world = await ControllerWorld.start();
  const versions = { v1: [9001], v2: [9011] };
  await world.apply(managerDocument({ versions }) + VERIFIED);
  await world.apply(managerDocument({ versions, wanted: 'v2' }) + VERIFIED);
  await eventually(() => world.operations.rollout(manager).record.step.kind === 'Verify');
});
afterEach(() => world.stop());

const primary = () => world.operations.service(manager).record.traffic;

test('a candidate that has not passed its checks is neither flipped to nor given a share', async () => {
  const refused = expect.objectContaining({
    code: 'FailedPrecondition',
    message: expect.stringContaining('v2 has not passed the checks of manager (manager_v2_'),
  });
  const request = { ...world.request(), version: v2, waiveGates: false };
  await expect(world.operations.flip(request)).rejects.toEqual(refused);
  await expect(world.operations.setWeight({ ...request, weight: 5 })).rejects.toEqual(refused);
  expect(primary()).toEqual({ kind: 'steady', primary: 'v1' });
});

test('a waiver with a reason lets it through, and the rollout pauses', async () => {
  await world.operations.flip({ ...world.request(), version: v2, waiveGates: true });
  expect(primary()).toMatchObject({ primary: 'v2' });
  expect(world.operations.rollout(manager).record).toMatchObject({
    state: 'Paused',
    stateReason: 'OperatorOverride',
  });
});

test('after it was primary once the way back to it needs no waiver', async () => {
  await world.operations.flip({ ...world.request(), version: v2, waiveGates: true });
  await world.operations.rollback(world.request());
  await world.operations.flip({ ...world.request(), version: v2, waiveGates: false });
  expect(primary()).toMatchObject({ primary: 'v2' });
});

test('abort goes by the traffic, not by the step: what was flipped by hand goes back, in one flip', async () => {
  await world.operations.flip({ ...world.request(), version: v2, waiveGates: true });
  const { message } = await world.operations.abort(world.request());
  expect(message).toMatch(/manager_v2_\d+ is RolledBack; default traffic goes to v1$/);
  expect(primary()).toEqual({ kind: 'steady', primary: 'v1' });
});

test('promote --full gives all traffic and keeps the soak, so that a failure still goes back by itself', async () => {
  await world.operations.promote({ ...world.request(), full: true });
  await eventually(() => world.operations.rollout(manager).record.step.kind === 'Soak');
  expect(primary()).toMatchObject({ primary: 'v2', previous: 'v1' });
});

test('retry takes the checks as they are wanted now', async () => {
  const versions = { v1: [9001], v2: [9011] };
  await world.operations.abort(world.request());
  await world.apply(managerDocument({ versions, wanted: 'v2' }) + VERIFIED.replace('min: 99', 'min: 90'));
  await world.operations.retry(world.request());
  const [check] = world.operations.rollout(manager).record.policy.verification?.checks ?? [];
  expect(check?.condition).toEqual({ limit: { min: 90 } });
});
