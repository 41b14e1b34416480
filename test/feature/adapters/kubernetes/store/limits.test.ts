// What would be more than custom resources hold is refused before it is sent, and says what is in the way.
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { StoreLimitError } from '../../../../../src/adapters/kubernetes/store/errors.ts';
import { instant } from '../../../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../../../src/model/names.ts';
import type { ServiceRecord } from '../../../../../src/model/state.ts';
import { intervened } from '../../../../support/kubernetes/intervened.ts';
import { SimulatedServer } from '../../../../support/kubernetes/simulated-server.ts';
import { openedStore } from '../../../../support/kubernetes/stores.ts';
import { serviceRecord } from '../../../../support/stored-records.ts';

async function world() {
  const asked: string[] = [];
  const server = new SimulatedServer();
  const objects = intervened(server.connect(), (request, carryOut) => {
    if (request.kind !== 'list' && request.kind !== 'get') asked.push(`${request.kind} ${request.name}`);
    return carryOut();
  });
  const opened = await openedStore(objects);
  asked.length = 0;
  return { ...opened, asked };
}

function withHolds(count: number): ServiceRecord {
  const record = serviceRecord({ name: 'manager' });
  const [hold] = record.holds;
  if (hold === undefined) throw new Error('the record has a hold');
  const holds = Array.from({ length: count }, (_, number) => ({
    ...hold,
    tenant: tenantName(`tenant-${number}`),
  }));
  return { ...record, holds };
}

describe('the size of an object', () => {
  test('above a megabyte is refused, with the service and what takes the room, and nothing was sent', async () => {
    const { store, asked } = await world();
    const refused = store.commit({ services: [serviceRecord({ name: 'other' }), withHolds(12_000)] });
    await expect(refused).rejects.toThrow(StoreLimitError);
    await expect(refused).rejects.toMatchObject({ service: 'manager' });
    await expect(refused).rejects.toThrow(
      /manager would take \d+ bytes of the 1000000 .* most of it is its holds/,
    );
    expect(asked).toEqual([]);
    expect((await store.load()).services).toEqual([]);
  });

  test('of the object that carries a change of several services counts too', async () => {
    const { store, asked } = await world();
    const services = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      serviceRecord({ name, document: randomBytes(250_000).toString('hex') }),
    );
    await expect(store.commit({ services })).rejects.toThrow(
      /a would take \d+ bytes .* most of it is its change together with that of other services/,
    );
    expect(asked).toEqual([]);
    for (const one of services) await store.commit({ services: [one] });
  });

  test('that comes near it is told', async () => {
    const { store, told } = await world();
    await store.commit({ services: [withHolds(7_000)] });
    expect(told.troubles.join()).toMatch(/manager would take \d+ bytes .* its holds/);
  });
});

test('more versions than may live are refused, with the one to retire first', async () => {
  const { store } = await world();
  const versions = Array.from({ length: 101 }, (_, number) => ({
    name: versionName(`v${number}`),
    state: 'Draining' as const,
    reason: 'OpenWork',
    since: instant(1_000 - number),
    fenced: true,
  }));
  const record = { ...serviceRecord({ name: 'manager' }), versions };
  await expect(store.commit({ services: [record] })).rejects.toThrow(
    /manager would have 101 versions, at most 100 .* v100, which is Draining \(OpenWork\)/,
  );
  const retired = versions.map((version) => ({ ...version, state: 'Retired' as const }));
  await store.commit({ services: [{ ...record, versions: [...retired, ...versions.slice(0, 100)] }] });
});

test('more services than an installation has are refused, with the first that is one too many', async () => {
  const { store } = await world();
  const services = Array.from({ length: 1_001 }, (_, number) => serviceRecord({ name: `service-${number}` }));
  await expect(store.commit({ services })).rejects.toThrow(
    /service-1000 would be service 1001; .*at most 1000/,
  );
});

test.each(['a..b', 'a.-b'])('a name that no object can have is refused: %s', async (name) => {
  const { store, asked } = await world();
  await expect(store.commit({ services: [serviceRecord({ name })] })).rejects.toThrow(
    /cannot be the name of an object/,
  );
  expect(asked).toEqual([]);
});

test('a publication goes back neither below what its service has nor above what is reserved', async () => {
  const { store } = await world();
  await store.commit({ services: [serviceRecord({ name: 'manager' })], nextPublication: 10, publication: 9 });
  const next = serviceRecord({ name: 'manager', generation: 2 });
  await expect(store.commit({ services: [next], publication: 8 })).rejects.toThrow(
    /at least 9, which manager has, not 8/,
  );
  await expect(store.commit({ services: [next], publication: 10 })).rejects.toThrow(/from 1 to 9, not 10/);
});
