// VersionedService objects at a real API server, over a real controller in this process whose instances are addresses: specs are
// applied, orders carried out once, deletions asked for twice, and the status says all of it.
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { isNotFound } from '../../src/adapters/kubernetes/client/api-error.ts';
import { pathOf } from '../../src/adapters/kubernetes/client/objects.ts';
import { VERSIONED_SERVICE } from '../../src/adapters/kubernetes/custom-resources.ts';
import { ServiceObjectCache } from '../../src/custom-resources/cache.ts';
import type { Condition } from '../../src/custom-resources/conditions.ts';
import { FINALIZER, type ServiceObject } from '../../src/custom-resources/objects.ts';
import { ServiceObjects } from '../../src/custom-resources/services.ts';
import { ControllerWorld } from '../support/controller-world.ts';
import { eventually } from '../support/eventually.ts';
import { installKinds } from '../support/kubernetes/custom-resources.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/shared-cluster.ts';

const WITHIN = 20_000;
const NAME = 'manager';

class World {
  readonly #place: TestNamespace;
  readonly #cache: ServiceObjectCache;
  readonly controller: ControllerWorld;
  readonly problems: unknown[] = [];
  /** The services whose primary's Service was let go. */
  readonly forgotten: string[] = [];
  #hand: ServiceObjects | undefined;

  private constructor(place: TestNamespace, cache: ServiceObjectCache, controller: ControllerWorld) {
    this.#place = place;
    this.#cache = cache;
    this.controller = controller;
  }

  static async create(): Promise<World> {
    const place = await testNamespace();
    await installKinds(place, VERSIONED_SERVICE);
    const cache = new ServiceObjectCache({ ...place, clock: systemClock, random: Math.random });
    await cache.start();
    const world = new World(place, cache, await ControllerWorld.start());
    onTestFinished(async () => {
      await world.#hand?.stop();
      await cache.stop();
      await world.controller.stop();
    });
    await world.lead();
    return world;
  }

  /** Another leader takes the objects over, on the same records. */
  async lead(): Promise<void> {
    await this.#hand?.stop();
    this.#hand = new ServiceObjects({
      cache: this.#cache,
      ...this.#place,
      operations: this.controller.operations,
      records: () => this.controller.controller.ledger.records(),
      primaryServices: { forget: async (service) => void this.forgotten.push(service) },
      routesShown: () => 1,
      clock: systemClock,
      random: Math.random,
      onProblem: (problem) => this.problems.push(problem),
    });
    this.#hand.start();
  }

  async wish(spec: object): Promise<void> {
    const { api, namespace } = this.#place;
    const metadata = { name: NAME, namespace };
    const object = { apiVersion: 'switchyard.dev/v1alpha1', kind: 'VersionedService', metadata, spec };
    await api.apply(VERSIONED_SERVICE, metadata, { object, manager: 'switchyard-cli', force: true });
  }

  async annotate(name: string, text: string): Promise<void> {
    await this.#place.api.json({
      method: 'PATCH',
      path: pathOf(VERSIONED_SERVICE, { namespace: this.#place.namespace, name: NAME }),
      query: { fieldManager: 'argocd-server' },
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [name]: text } } },
    });
  }

  async delete(): Promise<void> {
    await this.#place.api.delete(VERSIONED_SERVICE, { namespace: this.#place.namespace, name: NAME });
  }

  /** Undefined where there is none. */
  async object(): Promise<ServiceObject | undefined> {
    const place = { namespace: this.#place.namespace, name: NAME };
    return this.#place.api.get<ServiceObject>(VERSIONED_SERVICE, place).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  }

  /** Waits until a condition says so of the newest spec. */
  async condition(type: string, status: Condition['status']): Promise<Condition> {
    let found: Condition | undefined;
    await eventually(
      async () => {
        const { status: said, metadata } = (await this.object()) ?? {};
        found = said?.conditions?.find((one) => one.type === type);
        return said?.observedGeneration === metadata?.generation && found?.status === status;
      },
      { what: `${type}=${status}`, within: WITHIN },
    );
    return found as Condition;
  }

  async order(text: string): Promise<unknown> {
    await this.annotate('switchyard.dev/order', text);
    let order: { readonly text: string; readonly outcome: string } | undefined;
    await eventually(
      async () => {
        order = (await this.object())?.status?.order;
        return order?.text === text && order.outcome !== 'Taken';
      },
      { what: `an answer to ${text}`, within: WITHIN },
    );
    return order;
  }

  /** What the controller did, by whom. */
  async deeds(): Promise<readonly string[]> {
    const events = await this.controller.operations.events({ limit: 100 });
    return events.map(({ actor, action }) => `${actor} ${action}`);
  }
}

function aSpec(version: string, addresses: Readonly<Record<string, readonly string[]>>): object {
  return {
    version,
    listeners: [{ name: 'gateway', domains: ['*'] }],
    pin: { allow: { everywhere: true } },
    runtime: {
      endpoints: { versions: Object.entries(addresses).map(([name, of]) => ({ name, addresses: of })) },
    },
  };
}

const V1 = aSpec('v1', { v1: ['127.0.0.1:1'] });

test('a spec is applied in the name of the program that wrote it, and told when its version serves', async () => {
  const world = await World.create();
  await world.wish(V1);
  await world.condition('Ready', 'True');
  const object = await world.object();
  expect(object?.metadata.finalizers).toEqual([FINALIZER]);
  expect(object?.status).toMatchObject({
    primary: 'v1',
    publication: 7,
    versions: [{ name: 'v1', ready: 1 }],
  });
  expect(await world.deeds()).toContain('switchyard-cli Apply');
  expect(world.problems).toEqual([]);
});

test('a spec that only the controller can refuse is told with its fault, and the one before goes on', async () => {
  const world = await World.create();
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
  const world = await World.create();
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
  const world = await World.create();
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
