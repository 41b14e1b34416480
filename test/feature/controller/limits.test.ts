/** What would be more than there may be is refused, and told with the limit, the number and what to do. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import { instant } from '../../../src/model/instant.ts';
import { MAX_HOLDS, MAX_LIVE_VERSIONS } from '../../../src/model/limits.ts';
import { tenantName } from '../../../src/model/names.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { ControllerWorld, manager, v2 } from '../../support/controller-world.ts';
import { aVersion } from '../../support/records.ts';
import { serviceRecord } from '../../support/stored-records.ts';

let world: ControllerWorld;
let store: ReturnType<typeof createMemoryStore>;
beforeEach(() => {
  store = createMemoryStore();
});
afterEach(() => world.stop());

async function start(...services: readonly ServiceRecord[]): Promise<void> {
  await store.commit({ services });
  world = await ControllerWorld.start({ store });
}

test('a hold beyond the limit is refused, and the refusal names the hold that ends first', async () => {
  const record = serviceRecord({ name: 'manager' });
  const [hold] = record.holds;
  const holds = Array.from({ length: MAX_HOLDS }, (_, index) => ({
    ...(hold ?? expect.fail()),
    tenant: tenantName(`tenant-${index}`),
    expires: instant(Date.UTC(2100, 0, 1) - index * 1_000),
  }));
  await start({ ...record, holds });
  const order = { ...world.request(), version: v2, duration: 60_000 };
  await expect(world.operations.hold({ ...order, tenant: tenantName('another') })).rejects.toMatchObject({
    code: 'FailedPrecondition',
    message:
      'manager has 10000 holds, and 10000 is the most: release some; the first of them, of tenant-9999, ends at 2099-12-31T21:13:21Z',
  });
  // The hold of a tenant that is held already only changes.
  await world.operations.hold({ ...order, tenant: tenantName('tenant-1') });
});

test('versions listed by address beyond the limit are not taken up; an alert names the oldest that lives', async () => {
  const record = serviceRecord({ name: 'manager' });
  const versions = Array.from({ length: MAX_LIVE_VERSIONS - 2 }, (_, index) =>
    aVersion(`b${index}`, { since: instant(1_000 + index) }),
  );
  const { runtime } = record.spec;
  const listed = ['new-1', 'new-2'].map((name) => ({
    name: aVersion(name).name,
    addresses: [{ host: '127.0.0.1', port: 9_002 }],
  }));
  const spec = {
    ...record.spec,
    runtime: { ...runtime, versions: [...(runtime.kind === 'endpoints' ? runtime.versions : []), ...listed] },
  } as typeof record.spec;
  await start({ ...record, spec, versions: [...record.versions.slice(0, 2), ...versions] });
  const { alerts, record: now } = world.operations.service(manager);
  const live = now.versions.filter(({ state }) => state !== 'Retired').length;
  expect(live).toBe(MAX_LIVE_VERSIONS);
  expect(alerts).toContainEqual(
    expect.stringMatching(
      /^2 more versions are listed by address and not taken up \(new-1, new-2\): 100 live, and 100 is the most; retire some, first of all b0, which is Standby$/,
    ),
  );
});
