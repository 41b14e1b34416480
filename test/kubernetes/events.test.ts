/**
 * Events at a real API server, as kubectl shows them: what becomes of a service stands under its object and under that of its
 * rollout, what repeats is a series, and a leader that takes over tells nothing again.
 */
import { expect, test } from 'vitest';
import { list } from '../../src/adapters/kubernetes/client/watch.ts';
import { EVENT, type EventObject } from '../../src/adapters/kubernetes/events/event.ts';
import { eventually } from '../support/eventually.ts';
import { outputOf } from '../support/kubernetes/manifest-tools.ts';
import { aSpec, NAME, ObjectsWorld } from '../support/kubernetes/objects-world.ts';

const WITHIN = 30_000;
const ADDRESSES = { v1: ['127.0.0.1:1'], v2: ['127.0.0.1:2'] };

async function events({ place: { api, namespace } }: ObjectsWorld): Promise<readonly EventObject[]> {
  const { items } = await list<EventObject>(api, { kind: EVENT, namespace }, AbortSignal.timeout(WITHIN));
  return items;
}

/** Waits until there is such an Event about a kind. */
async function told(world: ObjectsWorld, kind: string, reason: string): Promise<EventObject> {
  let found: EventObject | undefined;
  await eventually(
    async () => {
      found = (await events(world)).find((one) => one.regarding.kind === kind && one.reason === reason);
      return found !== undefined;
    },
    { what: `${reason} about a ${kind}`, within: WITHIN },
  );
  return found as EventObject;
}

test('what becomes of a service and its rollout is under both, also as kubectl describe has it', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(aSpec('v1', ADDRESSES));
  await world.condition('Ready', 'True');
  await world.wish(aSpec('v2', ADDRESSES));
  const began = await told(world, 'Rollout', 'RolloutBegan');
  expect(began.note).toMatch(/brings v2 up beside v1/);
  await told(world, 'Rollout', 'RolloutPaused');
  await world.order('abort 1');
  expect(await told(world, 'VersionedService', 'AbortOrdered')).toMatchObject({
    type: 'Normal',
    note: expect.stringMatching(/\(argocd-server: by the annotation abort 1\)$/) as string,
  });
  expect(await world.order('dance')).toMatchObject({ outcome: 'Refused' });
  const refused = await told(world, 'VersionedService', 'OrderRefused');
  expect(refused).toMatchObject({
    type: 'Warning',
    note: expect.stringContaining('"dance" is no order') as string,
  });
  await world.wish(aSpec('v3', { v1: ['127.0.0.1:1'], v3: ['[::1]:1', '[0:0:0:0:0:0:0:1]:1'] }));
  await told(world, 'VersionedService', 'InvalidSpec');

  const { namespace, kubeconfig } = world.place;
  const kubectl = (...words: readonly string[]): Promise<string> =>
    outputOf('kubectl', '--kubeconfig', kubeconfig, '--namespace', namespace, ...words);
  const described = await kubectl('describe', `versionedservices.switchyard.dev/${NAME}`);
  expect(described).toMatch(/Normal +SpecApplied/);
  expect(described).toMatch(/Warning +OrderRefused .*"dance" is no order/);
  expect(described).toMatch(/Warning +InvalidSpec/);
  expect(await kubectl('describe', `rollouts.switchyard.dev/${began.regarding.name}`)).toMatch(
    /Normal +RolloutBegan .*switchyard\.dev\/controller/,
  );

  // The next leader finds all of this as it is, and has nothing to tell.
  const before = (await events(world)).map(({ metadata }) => metadata.name).toSorted();
  await world.lead();
  expect(await world.order('freeze 1')).toMatchObject({ outcome: 'Done' });
  await told(world, 'VersionedService', 'FreezeOrdered');
  const after = (await events(world)).filter(({ reason }) => reason !== 'FreezeOrdered');
  expect(after.map(({ metadata }) => metadata.name).toSorted()).toEqual(before);
  expect(world.problems).toEqual([]);
}, 120_000);

test('what repeats is a series with its count', async () => {
  const world = await ObjectsWorld.create();
  await world.wish(aSpec('v1', ADDRESSES));
  await world.condition('Ready', 'True');
  for (const round of [1, 2, 3]) {
    await world.controller.operations.freeze({
      caller: { actor: 'ada', reason: 'a test' },
      service: NAME as never,
      dryRun: false,
    });
    await world.controller.operations.unfreeze({
      caller: { actor: 'ada', reason: `round ${round}` },
      service: NAME as never,
      dryRun: false,
    });
  }
  await eventually(
    async () => (await events(world)).filter(({ reason }) => reason === 'UnfreezeOrdered').length === 3,
    { what: 'three that differ in what they say', within: WITHIN },
  );
  const freezes = (await events(world)).filter(({ reason }) => reason === 'FreezeOrdered');
  expect(freezes).toMatchObject([{ series: { count: 2 } }]);
  // The third is counted, and its count is written at the end at the latest.
  await world.lead();
  const [freeze] = (await events(world)).filter(({ reason }) => reason === 'FreezeOrdered');
  expect(freeze?.series?.count).toBe(3);
  expect(world.problems).toEqual([]);
}, 60_000);
