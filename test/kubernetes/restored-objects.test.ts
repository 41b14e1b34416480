// VersionedService objects that a restore brought back without a status, and with or without what was recorded: no traffic moves
// by that.
import { expect, test } from 'vitest';
import { serviceName } from '../../src/model/names.ts';
import { v1, v2 } from '../support/controller-world.ts';
import { eventually } from '../support/eventually.ts';
import { aSpec, NAME, ObjectsWorld } from '../support/kubernetes/objects-world.ts';

const ADDRESSES = { v1: ['127.0.0.1:1'], v2: ['127.0.0.1:2'] };
const V1 = aSpec('v1', ADDRESSES);
const V2 = aSpec('v2', ADDRESSES);

const recorded = (world: ObjectsWorld, name = NAME) =>
  world.controller.controller.ledger.records().get(serviceName(name));

test('an order that was carried out before the restore is not carried out again', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(V1);
  await world.condition('Ready', 'True');
  await world.wish(V2);
  await eventually(() => recorded(world)?.rollout !== undefined, { what: 'a rollout' });
  await world.order('abort 1');
  const before = recorded(world);
  expect(before?.rollout?.state).toBe('Aborted');

  await world.restore();
  await world.condition('Stalled', 'True');
  expect((await world.object())?.status).toMatchObject({
    primary: 'v1',
    order: {
      text: 'abort 1',
      outcome: 'Refused',
      message: expect.stringMatching(/order it again/) as string,
    },
  });
  expect(recorded(world)).toEqual(before);
  expect((await world.deeds()).filter((deed) => deed.endsWith(' Abort'))).toHaveLength(1);
  expect(await world.order('retry 2')).toMatchObject({ outcome: 'Done' });
  expect(world.problems).toEqual([]);
});

test('where its record is gone too, and nothing says who was primary, nothing is shown until somebody says it', async () => {
  const world = await ObjectsWorld.create();
  const listeners = [{ name: 'other', port: 10_001, domains: ['*'] }];
  const other = { ...aSpec('v1', { v1: ['127.0.0.1:9'] }), listeners };
  await world.wish(V1);
  await world.wish(other, 'other');
  await world.condition('Ready', 'True');
  await world.condition('Ready', 'True', 'other');
  await world.loseRecords();
  await world.wish(V2);
  await world.restore();
  await world.lead();

  const asked = await world.condition('Stalled', 'True');
  expect(asked.reason).toBe('PrimaryUnknown');
  expect(asked.message).toMatch(/nothing says which version is primary: .*switchyard\.dev\/primary=VERSION/);
  const waits = await world.condition('Stalled', 'True', 'other');
  expect(waits.message).toBe('proxies are shown nothing before it is known who is primary of manager');
  expect(world.controller.controller.publications.isOpen).toBe(false);
  expect(world.controller.operations.services()).toEqual([]);

  await world.annotate('switchyard.dev/primary', 'Not a version');
  await eventually(async () => /Not a version/.test((await world.condition('Stalled', 'True')).message));
  await world.annotate('switchyard.dev/primary', 'v1');
  await eventually(() => recorded(world)?.traffic.kind === 'steady', { what: 'a primary' });
  expect(recorded(world)?.traffic).toEqual({ kind: 'steady', primary: v1 });
  expect(recorded(world)?.rollout).toMatchObject({ version: v2, state: 'Paused' });
  await world.condition('Ready', 'True', 'other');
  // They began in one change: no proxy ever saw the one without the other.
  const events = await world.controller.operations.events({ limit: 100 });
  expect(events.filter(({ action }) => action === 'Apply').map(({ at }) => at)).toHaveLength(2);
  expect(new Set(events.filter(({ action }) => action === 'Apply').map(({ at }) => at)).size).toBe(1);
  expect(await world.order('resume 1')).toMatchObject({ outcome: 'Done' });
});

test('where its record is gone, what its primary Service leads to stays primary, and all versions that run stay', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(V2);
  await world.condition('Ready', 'True');
  await world.loseRecords();
  await world.restore();
  world.traces = { selected: v1, versions: [v1, v2] };
  await world.lead();
  await world.condition('Reconciling', 'True');
  expect(recorded(world)?.traffic).toEqual({ kind: 'steady', primary: v1 });
  expect(recorded(world)?.versions.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'v1 Primary',
    'v2 Standby',
  ]);
  const { message } = await world.condition('Ready', 'False');
  expect(message).toMatch(/nothing was recorded of manager, and v1 has its default traffic: resume begins/);
});

test('a status that was restored says who was primary', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(V1);
  await world.condition('Ready', 'True');
  await world.loseRecords();
  await world.wish(V2);
  await world.lead();
  await world.condition('Reconciling', 'True');
  expect(recorded(world)?.traffic).toEqual({ kind: 'steady', primary: v1 });
});

test('one that never had a primary begins as a new one where somebody says so', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(V1);
  await world.condition('Ready', 'True');
  await world.loseRecords();
  await world.restore();
  await world.annotate('switchyard.dev/primary', '-');
  await world.lead();
  await world.condition('Ready', 'True');
  expect(recorded(world)?.rollout).toBeUndefined();
});
