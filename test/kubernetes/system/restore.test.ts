// Backup and restore on a real API server, with real Pods and Envoys: objects that come back without a status move no traffic,
// and a whole backup goes on where it was, in another namespace too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  CONTROLLER_REVISION,
  DEPLOYMENT,
  DISRUPTION_BUDGET,
  SERVICE as KUBERNETES_SERVICE,
} from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type Kind, type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import {
  CONTROLLER_STATE,
  ROLLOUT,
  SERVICE_ROUTING,
  VERSIONED_SERVICE,
} from '../../../src/adapters/kubernetes/custom-resources.ts';
import type { RoutingObject } from '../../../src/adapters/kubernetes/store/routing-object.ts';
import type { ServiceObject } from '../../../src/custom-resources/objects.ts';
import { eventually } from '../../support/eventually.ts';
import { installKinds } from '../../support/kubernetes/custom-resources.ts';
import { type TestNamespace, testNamespace } from '../../support/kubernetes/shared-cluster.ts';
import type { Installation } from '../../support/kubernetes/system/installation.ts';
import { SERVICE } from '../../support/kubernetes/system/manager-object.ts';
import { useInstallation } from '../../support/kubernetes/system/use-installation.ts';
import { useTraffic } from '../../support/kubernetes/system/use-traffic.ts';
import { sample } from '../../support/seed.ts';
import { UNHURT } from '../../support/system/load.ts';

const WITHIN = 60_000;
/** What is made of a service, and owned by its object. */
const MADE = [DEPLOYMENT, KUBERNETES_SERVICE, CONTROLLER_REVISION, DISRUPTION_BUDGET];
const BOTH = ['v1', 'v2'];

/** As `kubectl get -o yaml` has it, without what only its cluster knows; the server leaves the status out. */
function portable({ apiVersion, kind, metadata, spec, status }: ServiceObject): ServiceObject {
  const { name, annotations = {}, finalizers = [] } = metadata;
  return { apiVersion, kind, metadata: { name, annotations, finalizers }, spec, ...(status && { status }) };
}

async function create(
  { api, namespace }: TestNamespace,
  kind: Kind,
  object: KubernetesObject,
): Promise<void> {
  await api.create(kind, { namespace }, { ...object, metadata: { ...object.metadata, namespace } });
}

/** Removes fields of the metadata of all objects of a kind that are Switchyard's. */
async function without(world: Installation, kind: Kind, metadata: object): Promise<void> {
  const { api, namespace } = world.place;
  for (const { metadata: found } of await world.all(kind)) {
    if (found.labels?.['app.kubernetes.io/managed-by'] !== 'switchyard' && kind.group !== 'switchyard.dev')
      continue;
    const path = pathOf(kind, { namespace, name: found.name });
    await api.json({
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      body: { metadata },
    });
  }
}

/** All custom resources are deleted while no controller runs; what runs of the versions stays. */
async function loseAll(world: Installation): Promise<void> {
  for (const kind of MADE) await without(world, kind, { ownerReferences: null });
  for (const kind of [VERSIONED_SERVICE, SERVICE_ROUTING, CONTROLLER_STATE, ROLLOUT]) {
    const { api, namespace } = world.place;
    await without(world, kind, { finalizers: null });
    await api.json({ method: 'DELETE', path: pathOf(kind, { namespace }) });
    await eventually(async () => (await world.all(kind)).length === 0, {
      what: `the end of all ${kind.plural}`,
      within: WITHIN,
    });
  }
}

async function podsOf(world: Installation): Promise<readonly (string | undefined)[]> {
  const pods = await Promise.all(BOTH.map((version) => world.pods(version)));
  return pods.flat().map(({ metadata }) => metadata.uid);
}

/** v2 is wanted, stands by, and waits for somebody. */
async function rolledOut(world: Installation): Promise<void> {
  await world.wish({ version: 'v2', replicas: 1 });
  await eventually(
    async () => (await world.object()).status?.conditions?.some(({ reason }) => reason === 'Paused'),
    { what: 'a rollout that waits for somebody', within: WITHIN },
  );
}

test('objects that are restored without statuses and without records leave all traffic where it is', async () => {
  const world = await useInstallation({ replicas: 1 });
  const { traffic } = await useTraffic(world, { pins: BOTH, streamPins: ['v1'], replicas: 1 });
  traffic.history.begin({
    stage: { from: 'v1', to: 'v1', weight: 100, active: BOTH },
    at: performance.now(),
  });
  await rolledOut(world);
  await traffic.move({ from: 'v1', to: 'v2', weight: 100, active: BOTH }, () => world.order('promote 1'));
  await world.primaryService('v2');
  await traffic.move({ from: 'v2', to: 'v1', weight: 100, active: BOTH }, () => world.order('rollback 2'));
  await world.primaryService('v1');
  await world.inSync();
  const backup = portable(await world.object());
  const pods = await podsOf(world);

  const [replica] = world.replicas.all;
  if (replica === undefined) throw new Error('there is a replica');
  await replica.process.stop();
  await loseAll(world);
  await create(world.place, VERSIONED_SERVICE, backup);
  await traffic.goOn();
  await world.replicas.restart(replica);
  await world.condition('Reconciling', 'True');
  await world.inSync();
  await traffic.goOn();

  const { status } = await world.object();
  expect(status).toMatchObject({
    primary: 'v1',
    order: { text: 'rollback 2', outcome: 'Refused' },
  });
  expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toMatch(
    /nothing was recorded of manager, and v1 has its default traffic: resume begins the rollout of v2/,
  );
  await world.primaryService('v1');
  expect(await podsOf(world)).toEqual(pods);
  const verdict = await traffic.stop();
  expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
}, 300_000);

/** A service in the middle of a shift, and all that a backup has of it. */
async function backedUp() {
  const world = await useInstallation({ replicas: 1 });
  await world.wish({ version: 'v1', replicas: 1 });
  await world.condition('Ready', 'True');
  await rolledOut(world);
  const [replica] = world.replicas.all;
  if (replica === undefined) throw new Error('there is a replica');
  expect(await replica.process.run('set-weight', SERVICE, 'v2', '30', '--reason=test')).toMatchObject({
    exitCode: 0,
  });
  await world.order('freeze 1');
  await eventually(async () => (await world.object()).status?.order?.outcome === 'Done', { within: WITHIN });
  const file = join(world.folder, 'backup.json');
  expect(await replica.process.run('backup', file)).toMatchObject({ exitCode: 0 });
  const { items } = JSON.parse(readFileSync(file, 'utf8')) as { readonly items: readonly KubernetesObject[] };
  const backup = [...items, portable(await world.object())];
  const before = await recordOf(world);
  expect(before?.traffic).toMatchObject({ primary: 'v1', candidate: 'v2', weight: 30 });

  return { world, replica, backup, before };
}

async function restoredInPlace(): Promise<void> {
  const { world, replica, backup, before } = await backedUp();
  await replica.process.stop();
  await loseAll(world);
  await restore(world.place, backup);
  await world.replicas.restart(replica);
  await world.condition('PrimaryServing', 'True');
  await world.startGateways();
  await world.inSync();
  expect(await recordOf(world)).toEqual(before);
  expect((await world.object()).status).toMatchObject({
    candidate: 'v2',
    weight: 30,
    order: { text: 'freeze 1', outcome: 'Refused' },
  });
}

async function restoredElsewhere(): Promise<void> {
  const { world, backup, before } = await backedUp();
  await world.stop();
  const place = await testNamespace();
  await installKinds(place, SERVICE_ROUTING, CONTROLLER_STATE, VERSIONED_SERVICE, ROLLOUT);
  await restore(place, backup);
  const second = await useInstallation({ replicas: 1, place });
  await second.condition('PrimaryServing', 'True');
  const after = await recordOf(second);
  expect(after?.traffic).toEqual({ kind: 'steady', primary: 'v1' });
  expect(after?.rollout).toMatchObject({ version: 'v2', state: 'Paused' });
  expect(after?.freeze).toEqual(before?.freeze);
}

// One of them in each run, drawn by the seed.
test.each(
  sample(
    [
      ['a whole backup goes on where it was', restoredInPlace],
      [
        'a whole backup in another namespace, where no Pod is yet, ends its shift with the primary',
        restoredElsewhere,
      ],
    ] as const,
    1,
  ),
)('%s', (_, story) => expect(story()).resolves.toBeUndefined(), 300_000);

async function recordOf(world: Installation) {
  return (await world.all<RoutingObject>(SERVICE_ROUTING))[0]?.spec.record;
}

async function restore(place: TestNamespace, backup: readonly KubernetesObject[]): Promise<void> {
  const kinds = [SERVICE_ROUTING, CONTROLLER_STATE, VERSIONED_SERVICE];
  for (const object of backup) {
    const kind = kinds.find((one) => one.kind === object.kind);
    if (kind === undefined) throw new Error(`there is no ${object.kind} in a backup`);
    await create(place, kind, object);
  }
}
