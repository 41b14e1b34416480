/** What the store may rely on of an API server, simulated or real. */
import { beforeEach, describe, expect, test } from 'vitest';
import { KubernetesApiError } from '../../src/adapters/kubernetes/client/api-error.ts';
import type { ObjectMeta } from '../../src/adapters/kubernetes/client/objects.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../../src/adapters/kubernetes/custom-resources.ts';
import type { Objects } from '../../src/adapters/kubernetes/store/objects.ts';
import { routingObject, routingOf } from '../../src/adapters/kubernetes/store/routing-object.ts';
import {
  owned,
  ownerOf,
  rollObject,
  type StateObject,
} from '../../src/adapters/kubernetes/store/state-object.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName } from '../../src/model/names.ts';
import type { RolloutId } from '../../src/model/rollout.ts';
import { eventually } from '../support/eventually.ts';
import { serviceRecord } from '../support/stored-records.ts';

const manager = serviceName('manager');
const { signal } = new AbortController();

/** Runs the suite over one server. */
export function kubernetesObjectsContract(server: string, connect: () => Promise<Objects>): void {
  let objects: Objects;
  beforeEach(async () => {
    objects = await connect();
  });

  const routing = (generation: number, before?: ObjectMeta) =>
    routingObject(
      { record: serviceRecord({ name: 'manager', generation }), publication: 3, together: [] },
      { term: 1, writeId: `write-${generation}` },
      before,
    );
  const refused = async (asked: Promise<unknown>): Promise<number> =>
    asked.then(
      () => 0,
      (error: unknown) => (error instanceof KubernetesApiError ? error.code : Number.NaN),
    );

  describe(`${server}: objects of the store`, () => {
    test('an object is read as it was made, with a version and an identity of its own', async () => {
      const made = await objects.create(SERVICE_ROUTING, routing(1), { signal });
      expect(made.metadata.uid).toBeTruthy();
      expect(made.metadata.resourceVersion).toBeTruthy();
      expect(routingOf(await objects.get(SERVICE_ROUTING, 'manager', signal))).toEqual({
        ...routingOf(made),
        record: serviceRecord({ name: 'manager' }),
      });
      expect(await objects.list(SERVICE_ROUTING, signal)).toHaveLength(1);
      expect(await objects.list(CONTROLLER_STATE, signal)).toEqual([]);
    });

    test('one that is there is not made again, one that is not there is neither read nor replaced nor deleted', async () => {
      const { metadata } = await objects.create(SERVICE_ROUTING, routing(1), { signal });
      expect(await refused(objects.create(SERVICE_ROUTING, routing(2), { signal }))).toBe(409);
      const { uid = '' } = metadata;
      await objects.delete(SERVICE_ROUTING, { name: 'manager', uid }, signal);
      expect(await refused(objects.get(SERVICE_ROUTING, 'manager', signal))).toBe(404);
      expect(await refused(objects.delete(SERVICE_ROUTING, { name: 'manager', uid }, signal))).toBe(404);
      expect([404, 409]).toContain(
        await refused(objects.replace(SERVICE_ROUTING, routing(2, metadata), { signal })),
      );
    });

    test('it is replaced only as it was read', async () => {
      const first = await objects.create(SERVICE_ROUTING, routing(1), { signal });
      const second = await objects.replace(SERVICE_ROUTING, routing(2, first.metadata), { signal });
      expect(second.metadata.uid).toBe(first.metadata.uid);
      expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
      expect(await refused(objects.replace(SERVICE_ROUTING, routing(3, first.metadata), { signal }))).toBe(
        409,
      );
      const stranger = { ...second.metadata, uid: '00000000-0000-4000-8000-000000000000' };
      expect(await refused(objects.replace(SERVICE_ROUTING, routing(3, stranger), { signal }))).toBe(409);
      expect(routingOf(await objects.get(SERVICE_ROUTING, 'manager', signal)).record.generation).toBe(2);
    });

    test('another one of its name is not deleted for it', async () => {
      await objects.create(SERVICE_ROUTING, routing(1), { signal });
      const uid = '00000000-0000-4000-8000-000000000000';
      expect(await refused(objects.delete(SERVICE_ROUTING, { name: 'manager', uid }, signal))).toBe(409);
      expect(await objects.list(SERVICE_ROUTING, signal)).toHaveLength(1);
    });

    test('a rehearsal refuses what would be refused, and writes nothing', async () => {
      const rehearsal = { signal, isRehearsal: true };
      await objects.create(SERVICE_ROUTING, routing(1), rehearsal);
      expect(await objects.list(SERVICE_ROUTING, signal)).toEqual([]);
      const { metadata } = await objects.create(SERVICE_ROUTING, routing(1), { signal });
      expect(await refused(objects.create(SERVICE_ROUTING, routing(1), rehearsal))).toBe(409);
      await objects.replace(SERVICE_ROUTING, routing(2, metadata), rehearsal);
      await objects.replace(SERVICE_ROUTING, routing(2, metadata), { signal });
      expect(await refused(objects.replace(SERVICE_ROUTING, routing(3, metadata), rehearsal))).toBe(409);
      expect(routingOf(await objects.get(SERVICE_ROUTING, 'manager', signal)).record.generation).toBe(2);
    });

    test('what it owns goes with it', async () => {
      const { uid = '' } = (await objects.create(SERVICE_ROUTING, routing(1), { signal })).metadata;
      const roll = { kind: 'counted', fixedAt: instant(1), tenants: [] } as const;
      const record = { rollout: 'manager_v2_1' as RolloutId, roll };
      const state = rollObject('roll-1', record, { term: 1, writeId: 'a' });
      await objects.create<StateObject>(CONTROLLER_STATE, owned(state, ownerOf(manager, uid)), { signal });
      await objects.create<StateObject>(
        CONTROLLER_STATE,
        { ...state, metadata: { name: 'roll-2' } },
        { signal },
      );
      await objects.delete(SERVICE_ROUTING, { name: 'manager', uid }, signal);
      await eventually(async () => (await objects.list(CONTROLLER_STATE, signal)).length === 1, {
        within: 60_000,
      });
      expect((await objects.list(CONTROLLER_STATE, signal))[0]?.metadata.name).toBe('roll-2');
    });
  });
}
