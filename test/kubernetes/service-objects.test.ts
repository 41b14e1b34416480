// VersionedService objects at a real API server, over a real controller in this process whose instances are addresses: specs are
// applied, orders carried out once, deletions asked for twice, and the status says all of it.
import { expect, test } from 'vitest';
import { FINALIZER } from '../../src/custom-resources/objects.ts';
import { eventually } from '../support/eventually.ts';
import { aSpec, NAME, ObjectsWorld } from '../support/kubernetes/objects-world.ts';

const WITHIN = 20_000;

const V1 = aSpec('v1', { v1: ['127.0.0.1:1'] });

test('a spec is applied in the name of the program that wrote it, and told when its version serves', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(V1);
  await world.condition('Ready', 'True');
  const object = await world.object();
  expect(object?.metadata.finalizers).toEqual([FINALIZER]);
  expect(object?.status).toMatchObject({
    primary: 'v1',
    publication: 1,
    versions: [{ name: 'v1', ready: 1 }],
  });
  expect(await world.deeds()).toContain('switchyard-cli Apply');
  expect(world.problems).toEqual([]);
});

test('a spec that only the controller can refuse is told with its fault, and the one before goes on', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(V1);
  await world.condition('Ready', 'True');
  await world.wish(aSpec('v2', { v1: ['127.0.0.1:1'], v2: ['[::1]:1', '[0:0:0:0:0:0:0:1]:1'] }));
  const { reason, message } = await world.condition('Stalled', 'True');
  expect(reason).toBe('InvalidSpec');
  expect(message).toMatch(/is the same address as .*The spec before it is still followed/);
  expect((await world.object())?.status).toMatchObject({ primary: 'v1' });
  await world.wish(V1);
  await world.condition('Ready', 'True');
});

test('an order is carried out once, also by the next leader, and one that cannot be is refused with the reason', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(V1);
  await world.condition('Ready', 'True');
  expect(await world.order('freeze 1')).toMatchObject({
    outcome: 'Done',
    message: expect.stringContaining('manager'),
  });
  expect(await world.order('unfreeze 1')).toMatchObject({ outcome: 'Done' });
  expect(await world.order('promote 1')).toMatchObject({ outcome: 'Refused' });
  expect(await world.order('dance')).toMatchObject({
    outcome: 'Refused',
    message: expect.stringContaining('"dance" is no order'),
  });
  expect(await world.order('freeze 2')).toMatchObject({ outcome: 'Done' });
  await world.lead();
  expect(await world.order('unfreeze 2')).toMatchObject({ outcome: 'Done' });
  expect((await world.deeds()).filter((deed) => deed === 'argocd-server Freeze')).toHaveLength(2);
});

test('an object whose service has traffic goes when that is confirmed, and its service with it', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(V1);
  await world.condition('Ready', 'True');
  await world.delete();
  const { reason } = await world.condition('Stalled', 'True');
  expect(reason).toBe('DeletionNotConfirmed');
  expect(world.controller.operations.services()).toHaveLength(1);
  await world.annotate('switchyard.dev/confirm-deletion', 'other');
  await world.annotate('switchyard.dev/confirm-deletion', NAME);
  await eventually(async () => (await world.object()) === undefined, { what: 'its end', within: WITHIN });
  expect(world.controller.operations.services()).toEqual([]);
  expect(world.forgotten).toEqual([NAME]);
  expect(await world.deeds()).toContain('argocd-server DeleteService');
});
