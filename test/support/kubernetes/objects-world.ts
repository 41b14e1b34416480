/**
 * VersionedService objects of a namespace of a real API server, over a real controller in this process whose instances are
 * addresses.
 */
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { unlessNotFound } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { ROLLOUT, VERSIONED_SERVICE } from '../../../src/adapters/kubernetes/custom-resources.ts';
import { EventRecorder } from '../../../src/adapters/kubernetes/events/recorder.ts';
import type { Traces } from '../../../src/custom-resources/beginning.ts';
import { ServiceObjectCache } from '../../../src/custom-resources/cache.ts';
import type { Condition } from '../../../src/custom-resources/conditions.ts';
import { ObjectEvents } from '../../../src/custom-resources/events.ts';
import { type ServiceObject } from '../../../src/custom-resources/objects.ts';
import { RolloutObjects } from '../../../src/custom-resources/rollouts.ts';
import { ServiceObjects } from '../../../src/custom-resources/services.ts';
import { ControllerWorld } from '../controller-world.ts';
import { eventually } from '../eventually.ts';
import { installKinds } from './custom-resources.ts';
import { type TestNamespace, testNamespace } from './shared-cluster.ts';

const WITHIN = 20_000;
/** Of the object that is meant where none is named. */
export const NAME = 'manager';

export class ObjectsWorld {
  readonly place: TestNamespace;
  readonly #cache: ServiceObjectCache;
  controller: ControllerWorld;
  readonly problems: unknown[] = [];
  /** The services whose primary's Service was let go. */
  readonly forgotten: string[] = [];
  /** What the cluster runs of the service. */
  traces: Traces = { selected: undefined, versions: [] };
  #hand: ServiceObjects | undefined;
  #stopTelling = async (): Promise<void> => undefined;

  private constructor(place: TestNamespace, cache: ServiceObjectCache, controller: ControllerWorld) {
    this.place = place;
    this.#cache = cache;
    this.controller = controller;
  }

  static async create(): Promise<ObjectsWorld> {
    const place = await testNamespace();
    await installKinds(place, VERSIONED_SERVICE, ROLLOUT);
    const cache = new ServiceObjectCache({ ...place, clock: systemClock, random: Math.random });
    await cache.start();
    const world = new ObjectsWorld(place, cache, await ControllerWorld.start());
    onTestFinished(async () => {
      await world.#stopLeading();
      await cache.stop();
      await world.controller.stop();
    });
    await world.lead();
    return world;
  }

  /** Another leader takes the objects over, on the same records. */
  async lead(): Promise<void> {
    await this.#stopLeading();
    this.#hand = new ServiceObjects({
      cache: this.#cache,
      ...this.place,
      operations: this.controller.operations,
      records: () => this.controller.controller.ledger.records(),
      isOpen: () => this.controller.controller.publications.isOpen,
      tracesOf: () => this.traces,
      primaryServices: { forget: async (service) => void this.forgotten.push(service) },
      routesShown: () => 1,
      clock: systemClock,
      random: Math.random,
      onProblem: (problem) => this.problems.push(problem),
    });
    this.#hand.start();
    this.#tell();
  }

  async #stopLeading(): Promise<void> {
    await this.#hand?.stop();
    await this.#stopTelling();
  }

  /** Rollout objects, and Events about them and the service. */
  #tell(): void {
    const { operations, controller } = this.controller;
    const records = (): ReturnType<typeof controller.ledger.records> => controller.ledger.records();
    const shared = { ...this.place, services: this.#cache, operations, records, clock: systemClock };
    const rollouts = new RolloutObjects({
      ...shared,
      random: Math.random,
      onProblem: (problem) => this.problems.push(problem),
    });
    const recorder = new EventRecorder({
      ...shared,
      instance: 'test',
      onTrouble: (sentence) => this.problems.push(sentence),
    });
    const followEvents: typeof controller.ledger.subscribe = (listener) =>
      controller.ledger.subscribe(listener);
    const events = new ObjectEvents({ ...shared, recorder, rollouts, followEvents });
    rollouts.start();
    events.start();
    this.#stopTelling = async () => {
      this.#stopTelling = async () => undefined;
      events.stop();
      await Promise.all([rollouts.stop(), recorder.stop()]);
    };
  }

  /** The next leader finds none of what was recorded. */
  async loseRecords(): Promise<void> {
    await this.#stopLeading();
    await this.controller.stop();
    this.controller = await ControllerWorld.start();
  }

  /** Deletes the object as if its namespace were lost, and creates it as a backup has it: without a status, and another one. */
  async restore(name = NAME): Promise<void> {
    const { api, namespace } = this.place;
    const object = await api.get<ServiceObject>(VERSIONED_SERVICE, { namespace, name });
    const { annotations = {}, finalizers = [] } = object.metadata;
    await api.json({
      method: 'PATCH',
      path: pathOf(VERSIONED_SERVICE, { namespace, name }),
      contentType: 'application/merge-patch+json',
      body: { metadata: { finalizers: null } },
    });
    await api.delete(VERSIONED_SERVICE, { namespace, name });
    await eventually(async () => (await this.object(name)) === undefined, { what: 'its end' });
    const { apiVersion, kind, spec, status } = object;
    const metadata = { name, namespace, annotations, finalizers };
    // The server leaves the status out.
    await api.create(VERSIONED_SERVICE, { namespace }, { apiVersion, kind, metadata, spec, status });
  }

  async wish(spec: object, name = NAME): Promise<void> {
    const { api, namespace } = this.place;
    const metadata = { name, namespace };
    const object = { apiVersion: 'switchyard.dev/v1alpha1', kind: 'VersionedService', metadata, spec };
    await api.apply(VERSIONED_SERVICE, metadata, { object, manager: 'switchyard-cli', force: true });
  }

  async annotate(name: string, text: string): Promise<void> {
    await this.place.api.json({
      method: 'PATCH',
      path: pathOf(VERSIONED_SERVICE, { namespace: this.place.namespace, name: NAME }),
      query: { fieldManager: 'argocd-server' },
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [name]: text } } },
    });
  }

  async delete(): Promise<void> {
    await this.place.api.delete(VERSIONED_SERVICE, { namespace: this.place.namespace, name: NAME });
  }

  /** Undefined where there is none. */
  async object(name = NAME): Promise<ServiceObject | undefined> {
    const place = { namespace: this.place.namespace, name };
    return this.place.api.get<ServiceObject>(VERSIONED_SERVICE, place).catch(unlessNotFound);
  }

  /** Waits until a condition says so of the newest spec. */
  async condition(type: string, status: Condition['status'], name = NAME): Promise<Condition> {
    let found: Condition | undefined;
    await eventually(
      async () => {
        const { status: said, metadata } = (await this.object(name)) ?? {};
        found = said?.conditions?.find((one) => one.type === type);
        return said?.observedGeneration === metadata?.generation && found?.status === status;
      },
      { what: `${type}=${status} of ${name}`, within: WITHIN },
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

/** A spec of instances by address. */
export function aSpec(version: string, addresses: Readonly<Record<string, readonly string[]>>): object {
  return {
    version,
    listeners: [{ name: 'gateway', domains: ['*'] }],
    pin: { allow: { everywhere: true } },
    runtime: {
      endpoints: { versions: Object.entries(addresses).map(([name, of]) => ({ name, addresses: of })) },
    },
  };
}
