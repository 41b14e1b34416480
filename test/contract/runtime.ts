/**
 * What every Runtime promises, in sentences. A world enters: how to open the adapter over the same outside world and
 * state, and specs that it can fulfil. The same suite runs over each adapter.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { RuntimeSpec } from '../../src/model/spec.ts';
import type { Runtime } from '../../src/ports/runtime.ts';

/** The outside world of one test. */
export interface RuntimeWorld {
  /** A spec under which versions v1 and v2 can be had; the same each time. */
  readonly spec: RuntimeSpec;
  /** A spec for a second service beside the first. */
  readonly otherSpec: RuntimeSpec;
  /** A spec of a runtime that this adapter is not. */
  readonly foreignSpec: RuntimeSpec;
  /** How many instances each version has. */
  readonly instancesPerVersion: number;
  /** The versions that can be had without a wish. */
  readonly offered: readonly string[];
  /** A new adapter over what is there; the one before is closed or dead. */
  open(): Promise<Runtime>;
  /** Ends whatever still runs. */
  dispose(): Promise<void>;
}

const MANAGER = serviceName('manager');
const BILLING = serviceName('billing');
const V1 = versionName('v1');
const V2 = versionName('v2');

export function runtimeContract(name: string, createWorld: () => Promise<RuntimeWorld>): void {
  describe(`the Runtime contract over ${name}`, () => {
    let world: RuntimeWorld;
    let runtime: Runtime;

    beforeEach(async () => {
      world = await createWorld();
      runtime = await world.open();
    });
    afterEach(async () => {
      await runtime.close();
      await world.dispose();
    });

    async function expectReady(versions: readonly string[], service = MANAGER): Promise<void> {
      await vi.waitFor(
        () => {
          const instances = runtime.instances(service);
          expect(instances.map(({ state, version }) => `${version} ${state}`).toSorted()).toEqual(
            versions.flatMap((version) => Array(world.instancesPerVersion).fill(`${version} Ready`)),
          );
        },
        { timeout: 20_000, interval: 20 },
      );
    }

    function wish(versions: readonly ReturnType<typeof versionName>[]): Promise<void> {
      return runtime.want({ service: MANAGER, spec: world.spec, versions });
    }

    test('the wanted versions, and only these, come to have ready instances', async () => {
      await wish([V1]);
      await expectReady(['v1']);
      await wish([V1, V2]);
      await expectReady(['v1', 'v2']);
    });

    test('an instance names its service, its version, where it listens and why it is as it is', async () => {
      await wish([V1, V2]);
      await expectReady(['v1', 'v2']);
      const instances = runtime.instances(MANAGER);
      for (const instance of instances) {
        expect(instance.service).toBe(MANAGER);
        expect(instance.id).toContain(`manager-${instance.version}`);
        expect(instance.address.port).toBeGreaterThan(0);
        expect(instance.reason).not.toBe('');
        expect(instance.since).toBeGreaterThan(0);
        expect(instance.restarts).toBe(0);
      }
      const ids = instances.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].toSorted());
      const addresses = instances.map(({ address }) => `${address.host}:${address.port}`);
      expect(new Set(addresses).size).toBe(instances.length);
    });

    test('the same wish again changes nothing and calls nobody', async () => {
      await wish([V1, V2]);
      await expectReady(['v1', 'v2']);
      const before = runtime.instances(MANAGER);
      const listener = vi.fn();
      runtime.subscribe(listener);
      await wish([V2, V1]);
      await wish([V1, V2, V1]);
      await runtime.settled(MANAGER);
      expect(runtime.instances(MANAGER)).toEqual(before);
      expect(listener).not.toHaveBeenCalled();
    });

    test('a version that is dropped loses its instances, and the others keep theirs', async () => {
      await wish([V1, V2]);
      await expectReady(['v1', 'v2']);
      const kept = runtime.instances(MANAGER).filter(({ version }) => version === V2);
      await wish([V2]);
      await expectReady(['v2']);
      expect(runtime.instances(MANAGER)).toEqual(kept);
    });

    test('a version that is dropped and wished again at once comes back', async () => {
      await wish([V1]);
      await expectReady(['v1']);
      await wish([]);
      await wish([V1]);
      await expectReady(['v1']);
    });

    test('of wishes that overlap, the last counts', async () => {
      await Promise.all([wish([V1]), wish([V1, V2]), wish([]), wish([V2])]);
      await expectReady(['v2']);
    });

    test('a wish without versions leaves no instance, and the service stays known', async () => {
      await wish([V1]);
      await expectReady(['v1']);
      await wish([]);
      await expectReady([]);
      await runtime.settled(MANAGER);
      expect(runtime.offered(MANAGER)).toEqual(world.offered);
      expect(runtime.services()).toEqual([MANAGER]);
    });

    test('versions that can be had without a wish are offered', async () => {
      await wish([]);
      await runtime.settled(MANAGER);
      expect(runtime.offered(MANAGER)).toEqual(world.offered);
      expect(runtime.problems(MANAGER)).toEqual([]);
    });

    test('services do not touch each other', async () => {
      await wish([V1]);
      await runtime.want({ service: BILLING, spec: world.otherSpec, versions: [V1] });
      await expectReady(['v1']);
      await expectReady(['v1'], BILLING);
      const before = runtime.instances(BILLING);
      expect(runtime.services()).toEqual([BILLING, MANAGER]);
      await runtime.forget(MANAGER);
      await expectReady([]);
      expect(runtime.instances(BILLING)).toEqual(before);
    });

    test('a service that is forgotten loses its instances and is not known any more, also after a restart', async () => {
      await wish([V1, V2]);
      await expectReady(['v1', 'v2']);
      await runtime.forget(MANAGER);
      await expectReady([]);
      await vi.waitFor(() => expect(runtime.services()).toEqual([]));
      expect(runtime.offered(MANAGER)).toEqual([]);
      await runtime.close();
      runtime = await world.open();
      expect(runtime.services()).toEqual([]);
      expect(runtime.instances(MANAGER)).toEqual([]);
    });

    test('a forgotten service may be wished again', async () => {
      await wish([V1]);
      await runtime.forget(MANAGER);
      await wish([V2]);
      await expectReady(['v2']);
    });

    test('subscribers are called with the service after its instances changed, until they leave', async () => {
      const listener = vi.fn();
      const leave = runtime.subscribe(listener);
      await wish([V1]);
      await expectReady(['v1']);
      await vi.waitFor(() => expect(listener).toHaveBeenCalledWith(MANAGER));
      leave();
      listener.mockClear();
      await wish([]);
      await expectReady([]);
      expect(listener).not.toHaveBeenCalled();
    });

    test('close leaves the instances as they are, and the next adapter finds the same ones ready when it has settled', async () => {
      await wish([V1, V2]);
      await expectReady(['v1', 'v2']);
      const before = runtime
        .instances(MANAGER)
        .map(({ id, address, restarts }) => ({ id, address, restarts }));
      await runtime.close();
      runtime = await world.open();
      await wish([V1, V2]);
      await runtime.settled(MANAGER);
      const found = runtime.instances(MANAGER);
      expect(found.map(({ id, address, restarts }) => ({ id, address, restarts }))).toEqual(before);
      expect(found.every(({ state }) => state === 'Ready')).toBe(true);
    });

    test('of a service that it never heard of, it knows nothing', async () => {
      await runtime.settled(MANAGER);
      expect(runtime.instances(MANAGER)).toEqual([]);
      expect(runtime.offered(MANAGER)).toEqual([]);
      expect(runtime.problems(MANAGER)).toEqual([]);
      await runtime.forget(MANAGER);
      expect(runtime.services()).toEqual([]);
    });

    test('a wish for another kind of runtime is refused and changes nothing', async () => {
      await wish([V1]);
      await expectReady(['v1']);
      const before = runtime.instances(MANAGER);
      await expect(
        runtime.want({ service: MANAGER, spec: world.foreignSpec, versions: [V2] }),
      ).rejects.toThrow(
        new RegExp(`runtime of manager must be "${world.spec.kind}", not "${world.foreignSpec.kind}"`),
      );
      expect(runtime.instances(MANAGER)).toEqual(before);
    });

    test('after close a wish is refused', async () => {
      await runtime.close();
      await expect(wish([V1])).rejects.toThrow(/closed/);
      await expect(runtime.forget(MANAGER)).rejects.toThrow(/closed/);
      runtime = await world.open();
    });
  });
}
