/**
 * A drain by the store that all managers share, over gRPC: a version whose own managers are dead is fenced, counted and
 * retired by another version's, and its certificate says that fence and count were one transaction (rule 8).
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWorkflowWorkSource } from '../../../src/adapters/workflow-work-source/work-source.ts';
import { findVersion } from '../../../src/model/state.ts';
import { ControllerWorld, manager, managerDocument, v1, v2 } from '../../support/controller-world.ts';
import { eventually } from '../../support/eventually.ts';
import { type Manager, SharedWork } from '../../support/shared-work.ts';

let shared: SharedWork;
let managers: Readonly<Record<'v1' | 'v2', Manager>>;
let world: ControllerWorld;
beforeEach(async () => {
  shared = new SharedWork();
  managers = { v1: await shared.manager('v1'), v2: await shared.manager('v2') };
  world = await ControllerWorld.start({ workSource: createWorkflowWorkSource({ patience: 100 }) });
  await world.apply(document('v1'));
  await world.becomes('v2', 'Standby');
  await world.operations.flip({ ...world.request(), version: v2, waiveGates: false });
});
afterEach(async () => {
  await world.stop();
  await shared.close();
});

function document(wanted: string): string {
  const versions = { v1: [managers.v1.server.port], v2: [managers.v2.server.port] };
  return managerDocument({ wanted, versions }).replace(/drain: .*/, 'drain: {workflow: {}}');
}

const drain = () =>
  world.operations.drain({
    ...world.request(),
    version: v1,
    giveUpRollback: true,
    waiveStragglers: false,
  });
const retire = () =>
  world.operations.retire({
    ...world.request(),
    version: v1,
    giveUpRollback: true,
    waiveOpenWork: false,
    waiveStragglers: false,
  });
const observed = () =>
  world.controller.activities.observations(world.operations.service(manager).record).get(v1);
const record = () => findVersion(world.operations.service(manager).record, v1);
const messages = async () =>
  (await world.operations.events({ service: manager, limit: 100 })).map(({ message }) => message);

test('a version whose managers are dead waits for its open executions, and then retires, atomic', async () => {
  await managers.v1.server.close();
  shared.work.set('v1', { executions: 1n, tasksLeased: 2n });
  await drain();
  await eventually(() => shared.fencedSince.has('v1'));
  await eventually(() => observed()?.open === 3);
  expect(observed()).toMatchObject({ fenceConfirmed: true, split: { executions: 1, tasks: { leased: 2 } } });
  expect(record()?.state).toBe('Draining');
  await expect(retire()).rejects.toMatchObject({ message: expect.stringContaining('v1 has 3 open') });

  shared.work.set('v1', {});
  await world.becomes('v1', 'Drained');
  expect(record()?.certificate).toBe('atomic');
  await retire();
  await world.becomes('v1', 'Retired');
  expect(record()?.certificate).toBeUndefined();
  const told = await messages();
  expect(told).toContainEqual(
    'manager: no open work on v1, certificate: atomic, 0 counted in one transaction with the fence',
  );
  expect(told).toContainEqual(
    expect.stringMatching(/v1 is being retired.*\(certificate: atomic, 0 open as of /),
  );
});

test('the fence is lifted by any manager before the traffic comes back', async () => {
  await drain();
  await world.becomes('v1', 'Drained');
  await managers.v1.server.close();
  await world.operations.flip({ ...world.request(), version: v1, waiveGates: false });
  expect(shared.fencedSince.has('v1')).toBe(false);
  expect(record()).toMatchObject({ state: 'Primary', fenced: false });
  expect(record()?.certificate).toBeUndefined();
});

test('while no manager answers nothing is known, and nothing retires', async () => {
  for (const { server } of Object.values(managers)) server.isAnswering = false;
  await drain();
  await eventually(() => observed()?.problem.includes('manager-v2'));
  expect(observed()).toMatchObject({ fenceConfirmed: false, open: undefined });
  await expect(retire()).rejects.toMatchObject({ message: expect.stringContaining('unknown is not zero') });
  for (const { server } of Object.values(managers)) server.isAnswering = true;
  await world.becomes('v1', 'Drained');
});
